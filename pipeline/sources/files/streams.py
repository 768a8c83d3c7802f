"""The text or bytes of a file as a stream, whatever it is compressed by and encoded in."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.sources.files.archives import open_member
from uncommon_im.pipeline.sources.files.content import Content
from uncommon_im.pipeline.sources.files.decompressing import PIECE_BYTES, decompressed
from uncommon_im.pipeline.storage.opening import open_binary

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_WHOLE_BYTES: Final = 1 << 28
"""What a compressed file may hold if it must be read out of order: that is done in memory."""


def open_content(path: str, content: Content) -> io.BufferedReader:
    """The decompressed bytes of a file, of text in UTF-8.

    Raises:
        OSError, or another of `DAMAGE`: it cannot be read, here or while it is read.
    """
    stream = open_binary(path) if content.member is None else open_member(path, content.member)
    opened = decompressed(stream, content.compression)
    if content.encoding == "utf-8":
        return opened
    if content.encoding == "utf-8-sig":
        opened.read(len(codecs.BOM_UTF8))
        return opened
    return io.BufferedReader(_Recoded(opened, content.encoding), PIECE_BYTES)


def open_seekable(path: str, content: Content) -> io.BufferedReader | io.BytesIO:
    """The decompressed bytes of a file that is read out of order.

    Raises:
        OSError, or another of `DAMAGE`: it cannot be read, or holds more than `MAX_WHOLE_BYTES` and is compressed.
    """
    if content.compression == "none" and content.member is None:
        return open_binary(path)
    with open_content(path, content) as stream:
        whole = stream.read(MAX_WHOLE_BYTES + 1)
    if len(whole) > MAX_WHOLE_BYTES:
        raise OSError(f"it is more than {MAX_WHOLE_BYTES:,} bytes, and compressed: unpack it first")
    return io.BytesIO(whole)


class _Recoded(io.RawIOBase):
    """A stream of text as UTF-8; what its encoding does not know is U+FFFD."""

    def __init__(self, stream: io.BufferedReader, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._ready and not self._ended:
            data = self._stream.read1(PIECE_BYTES)
            self._ended = not data
            self._ready = self._decoder.decode(data, final=self._ended).encode("utf-8", "replace")
        some = self._ready[: len(view)]
        self._ready = self._ready[len(some) :]
        view[: len(some)] = some
        return len(some)

    def close(self) -> None:
        self._stream.close()
        super().close()
