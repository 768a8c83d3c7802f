"""Opening files wherever they are. Beam is imported for remote ones only: it takes longer than many a local read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from uncommon_im.pipeline.storage.bad_files import UnreadableInput

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def is_remote(path: str) -> bool:
    """True for paths of file systems other than this machine's."""
    return "://" in path


def open_binary(path: str) -> io.BufferedReader:
    """The bytes of a file, as they are.

    Raises:
        OSError: there is no such file (any more), here or while it is read.
        UnreadableInput: the file system refuses it, or does not answer, here or while it is read: that is no damage of
            the file, and must not look like it.
    """
    if not is_remote(path):
        return Path(path).open("rb")
    return io.BufferedReader(_Remote(path))


class _Remote(io.RawIOBase):
    """A file of one of Beam's file systems, with errors that say what they mean: they have none in common."""

    def __init__(self, path: str) -> None:
        from apache_beam.io.filesystem import CompressionTypes

        from uncommon_im.pipeline.storage.objects.file_system import file_system

        self._path = path
        self._stream: Any = None
        try:
            self._stream = file_system(path).open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        except Exception as error:
            self._give_up(error)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            return int(self._stream.readinto(buffer))
        except Exception as error:
            self._give_up(error)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return int(self._stream.seek(offset, whence))
        except Exception as error:
            self._give_up(error)

    def tell(self) -> int:
        return int(self._stream.tell())

    def close(self) -> None:
        if self._stream is not None and not self.closed:
            self._stream.close()
        super().close()

    def _give_up(self, error: Exception) -> NoReturn:
        reason = " ".join(str(error).split())
        if isinstance(error, FileNotFoundError) or getattr(error, "code", None) == 404:
            raise FileNotFoundError(f"it was deleted before it was read: {reason}") from error
        raise UnreadableInput(f"{self._path}: cannot be read now: {type(error).__name__}: {reason}") from error
