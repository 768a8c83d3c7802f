"""Listing files wherever they are. Beam is imported when it is needed: that takes longer than many a local read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import join
from typing import NamedTuple

from uncommon_im.pipeline.storage.opening import is_remote
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
    return [StoredFile(path, size) for path, (size, _) in list_versions(*patterns, option=option).items()]


def list_versions(*patterns: str, option: str = "") -> dict[str, tuple[int, float]]:
    """The same files: path -> (bytes, when it was changed in seconds since 1970, 0 where a file system does not say).

    Arguments and errors as `list_files`.
    """
    from uncommon_im.pipeline.storage.objects.file_system import file_system

    found: dict[str, tuple[int, float]] = {}
    for pattern in patterns:
        with _clear_errors(pattern, option):
            here = f"./{pattern}" if pattern.startswith(("*", "?", "[")) else pattern  # Beam looks for a folder first
            for file in file_system(here).match([here])[0].metadata_list:
                found[file.path] = (file.size_in_bytes, getattr(file, "last_updated_in_seconds", None) or 0.0)
    return dict(sorted(found.items()))


def list_folder(folder: str, option: str = "") -> list[str]:
    """The names of everything in a folder and below it but folders, relative to it and sorted.

    Its path is no glob. Links are listed and not followed; a folder that is not there is empty.

    Raises:
        ConfigurationError: the file system cannot look it up; names it.
    """
    with _clear_errors(folder, option):
        return sorted(_remote_names(folder) if is_remote(folder) else _local_names(folder, ""))


def _local_names(folder: str, prefix: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(Path(folder, prefix)))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = join(prefix, entry.name)
        if entry.is_dir(follow_symlinks=False):
            yield from _local_names(folder, name)
        else:
            yield name


def _remote_names(folder: str) -> Iterator[str]:
    from uncommon_im.pipeline.storage.objects.file_system import file_system

    inside = folder.rstrip("/") + "/"
    for file in file_system(folder).match([f"{glob.escape(inside)}**"])[0].metadata_list:
        if file.path.startswith(inside) and file.path != inside:
            yield file.path.removeprefix(inside)


def exists(path: str, option: str = "") -> bool:
    """Whether there is such a file; arguments and errors as `list_folder`."""
    if not is_remote(path):
        return Path(path).exists()
    from uncommon_im.pipeline.storage.objects.file_system import file_system

    with _clear_errors(path, option):
        return bool(file_system(path).exists(path))


@contextmanager
def _clear_errors(path: str, option: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # file systems have no error in common
        named = f"{option} {path}".lstrip()
        raise ConfigurationError(f"{named}: cannot be looked up: {' '.join(str(error).split())}") from None
