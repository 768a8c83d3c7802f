"""Zip files: their members as streams. Nothing is written anywhere, so names in them do no harm."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, Final, NamedTuple, cast

from uncommon_im.pipeline.sources.files.content import UnknownContent
from uncommon_im.pipeline.sources.files.decompressing import PIECE_BYTES
from uncommon_im.pipeline.storage.opening import open_binary

MAX_DIRECTORY_BYTES: Final = 1 << 23
"""What the list of members may take: about a hundred thousand of them. Each takes ten times as much in memory."""
_ENCRYPTED: Final = 0x1
_READ: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of compression that `zipfile` decompresses piece by piece."""
_DAMAGE: Final = (zipfile.BadZipFile, RuntimeError, ValueError, OverflowError, struct.error)
"""What `zipfile` raises of a file that is no zip file, or not as it should be."""
_NO_MEMBERS: Final = ("__MACOSX/",)
"""Folders of what a file manager remembers of the members."""
_OFFICE: Final = "[Content_Types].xml"


class Member(NamedTuple):
    """A file in a zip file: its number there, its name, and why it cannot be read; empty if it can."""

    number: int
    name: str
    problem: str


def members(path: str) -> Iterator[Member]:
    """The files in a zip file, in the order of its list.

    Raises:
        OSError: it cannot be read, or is no zip file.
        UnknownContent: it is the document of an office program.
    """
    found = _archive(path).infolist()
    if any(info.filename == _OFFICE for info in found):
        raise UnknownContent("it is a document of an office program: export it as CSV")
    for number, info in enumerate(found):
        if not info.is_dir() and not info.filename.startswith(_NO_MEMBERS):
            yield Member(number, " ".join(info.filename.split()), _problem(info))


def _problem(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted: unpack it first"
    if info.compress_type not in _READ:
        way = zipfile.compressor_names.get(info.compress_type, str(info.compress_type))  # type: ignore[attr-defined]
        return f"it is compressed by {way}, which is not read in zip files: unpack it first"
    return ""


def open_member(path: str, number: int) -> io.BufferedReader:
    """The content of a member, decompressed piece by piece.

    Raises:
        OSError: it cannot be read, here or while it is read.
    """
    try:
        archive = _archive(path)
        opened = archive.open(archive.infolist()[number])
    except (*_DAMAGE, IndexError) as error:
        raise OSError(str(error)) from error
    return io.BufferedReader(_Checked(opened), PIECE_BYTES)


class _Checked(io.RawIOBase):
    """A member whose damage is an `OSError` as that of other files is."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member = member

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer)).cast("B")
        try:
            data = cast(io.BufferedReader, self._member).read1(len(view))
        except zipfile.BadZipFile as error:
            raise OSError(str(error)) from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._member.close()
        super().close()


@lru_cache(2)
def _archive(path: str) -> zipfile.ZipFile:
    """A zip file; the last ones stay open, for each of their members is opened."""
    try:
        return zipfile.ZipFile(cast(IO[bytes], _Guarded(open_binary(path))))
    except _DAMAGE as error:
        raise OSError(str(error)) from error


class _Guarded:
    """A file whose reader must not ask for more than `MAX_DIRECTORY_BYTES` at a time."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.seek, self.tell, self.close = stream.seek, stream.tell, stream.close
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise OSError(f"its list of members takes {size:,} bytes, more than {MAX_DIRECTORY_BYTES:,}")
        return self._stream.read(size)
