"""Listing files wherever they are. Beam is imported when it is needed: that takes longer than many a local read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from uncommon_im.schemas.documents import ConfigurationError


class StoredFile(NamedTuple):
    """A file on any file system; `size` in bytes."""

    path: str
    size: int


def list_files(*patterns: str, option: str = "") -> list[StoredFile]:
    """The files that globs match, on any file system, sorted by path, each once.

    `*` stands for characters other than `/`, `**` for any.

    Args:
        patterns: globs; one that matches nothing is no error.
        option: of the command line that names them, for messages.

    Raises:
        ConfigurationError: a file system cannot look one up; names it.
    """
    from apache_beam.io.filesystems import FileSystems

    sizes: dict[str, int] = {}
    for pattern in patterns:
        with _clear_errors(pattern, option):
            sizes |= {file.path: file.size_in_bytes for file in FileSystems.match([pattern])[0].metadata_list}
    return [StoredFile(path, size) for path, size in sorted(sizes.items())]


def exists(path: str, option: str = "") -> bool:
    """Whether there is such a file; arguments and errors as `list_files`, but `path` is no glob."""
    from apache_beam.io.filesystems import FileSystems

    with _clear_errors(path, option):
        return bool(FileSystems.exists(path))


def delete_files(*patterns: str) -> None:
    """Deletes the files that globs match; arguments and errors as `list_files`."""
    from apache_beam.io.filesystems import FileSystems

    for pattern in patterns:
        FileSystems.delete([file.path for file in list_files(pattern)])


@contextmanager
def _clear_errors(path: str, option: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # file systems have no error in common
        named = f"{option} {path}".lstrip()
        raise ConfigurationError(f"{named}: cannot be looked up: {' '.join(str(error).split())}") from None
