"""Compressed files as streams: no more is decompressed at a time than what is asked for."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

import pyarrow as pa
from isal import igzip, igzip_lib

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES: Final = 1 << 16
"""What is decompressed at a time: a decompressor that meets damage hands out nothing of what it was asked for."""
MAX_DICTIONARY_BYTES: Final = 1 << 27
"""Memory that an xz file may ask for; zstd has the same limit. Files of `xz -9` ask for half of it."""
DAMAGE: Final[tuple[type[Exception], ...]] = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    cast("type[Exception]", igzip_lib.IsalError),
    pa.ArrowException,
)
"""What reading raises of a file that is cut or damaged."""


def gunzipped(stream: BinaryIO) -> io.BufferedReader:
    """The decompressed content of a gzip stream."""
    return cast(io.BufferedReader, igzip.IGzipFile(fileobj=stream))


def _plain(stream: BinaryIO) -> io.BufferedReader:
    return cast(io.BufferedReader, stream)


def _unzstd(stream: BinaryIO) -> io.BufferedReader:
    # It refuses frames that ask for a window of more than 128 MiB, and says when the last one is cut. Its own `read`
    # never frees what it was to return when the data is damaged.
    raw = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
    return io.BufferedReader(cast(io.RawIOBase, raw), PIECE_BYTES)


def _bunzipped(stream: BinaryIO) -> io.BufferedReader:
    return io.BufferedReader(_Members(stream, bz2.BZ2Decompressor), PIECE_BYTES)


def _unxz(stream: BinaryIO) -> io.BufferedReader:
    def decompressor() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DICTIONARY_BYTES)

    return io.BufferedReader(_Members(stream, decompressor, b"\0"), PIECE_BYTES)


_OPENERS: Final[dict[str, Callable[[BinaryIO], io.BufferedReader]]] = {
    "none": _plain,
    "gzip": gunzipped,
    "zstd": _unzstd,
    "bzip2": _bunzipped,
    "xz": _unxz,
}


def decompressed(stream: BinaryIO, compression: str) -> io.BufferedReader:
    """The decompressed content of a stream, all of its members one after the other.

    Args:
        stream: the file.
        compression: `none`, `gzip`, `zstd`, `bzip2` or `xz`.

    Raises:
        One of `DAMAGE`, here or while it is read: it is cut or damaged, or would take more than
        `MAX_DICTIONARY_BYTES`.
    """
    return _OPENERS[compression](stream)


class _Decompressor(Protocol):
    """What `bz2` and `lzma` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Members(io.RawIOBase):
    """Compressed members one after the other, as a stream of what they hold.

    `bz2.BZ2File` and `lzma.LZMAFile` do the same, but take whatever memory a file asks for, or any bytes after its end.
    """

    def __init__(self, stream: BinaryIO, make: Callable[[], _Decompressor], padding: bytes = b"") -> None:
        self._stream, self._make, self._padding = stream, make, padding
        self._member = make()
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            data = b""
            if self._member.eof:
                data = self._member.unused_data
                self._member, self._begun = self._make(), False
            if not data and self._member.needs_input:
                data = self._stream.read(PIECE_BYTES)
                if not data:
                    if self._begun:
                        raise EOFError("Compressed file ended before the end-of-stream marker was reached")
                    return 0
            if not self._begun:
                data = data.lstrip(self._padding) if self._padding else data
                if not data:
                    continue
                self._begun = True
            made = self._member.decompress(data, len(view))
            if made:
                view[: len(made)] = made
                return len(made)

    def close(self) -> None:
        self._stream.close()
        super().close()
