"""Changing files wherever they are: written whole or not at all, moved, deleted. No path is a glob.

Beam is imported for other machines' files only: it takes longer than many a local command.
"""

from __future__ import annotations

import errno
import glob
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from posixpath import join
from typing import BinaryIO, cast

from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.opening import is_remote
from uncommon_im.schemas.documents import ConfigurationError


def create(path: str) -> BinaryIO:
    """A new file to write to, and the folders that it lies in; who writes where others read uses `write_whole`."""
    if is_remote(path):
        from apache_beam.io.filesystem import CompressionTypes

        from uncommon_im.pipeline.storage.objects.file_system import file_system

        return cast(BinaryIO, file_system(path).create(path, compression_type=CompressionTypes.UNCOMPRESSED))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return Path(path).open("wb")


def write_whole(path: str, content: bytes) -> None:
    """Writes a file under another name, then renames it: whoever looks sees all of it or nothing."""
    unfinished = f"{path}.{uuid.uuid4().hex}"
    try:
        with create(unfinished) as stream:
            stream.write(content)
        move({unfinished: path})
    except BaseException:
        with suppress(Exception):  # it must not hide what failed
            delete([unfinished])
        raise


def move(files: Mapping[str, str]) -> None:
    """Renames files, each to a path that it is mapped to; what is there is replaced."""
    here = {old: new for old, new in files.items() if not is_remote(old)}
    for old, new in here.items():
        Path(new).parent.mkdir(parents=True, exist_ok=True)
        os.replace(old, new)
    if there := {old: new for old, new in files.items() if old not in here}:
        from uncommon_im.pipeline.storage.objects.file_system import file_system

        file_system(next(iter(there))).rename(list(there), list(there.values()))


def delete(paths: Iterable[str]) -> None:
    """Deletes files; one that is gone already is no error."""
    there = []
    for path in paths:
        if is_remote(path):
            there.append(path)
        else:
            Path(path).unlink(missing_ok=True)
    if there:
        from apache_beam.io.filesystem import BeamIOError

        from uncommon_im.pipeline.storage.objects.file_system import file_system

        system = file_system(there[0])
        try:
            system.delete([glob.escape(path) for path in there])
        except BeamIOError:  # some file systems mind that a file is gone
            if left := [glob.escape(path) for path in there if system.exists(path)]:
                system.delete(left)


def remove_empty(folders: Iterable[str]) -> None:
    """Removes those of some folders that are there and in which nothing is; object stores have none."""
    for folder in folders:
        if is_remote(folder):
            continue
        try:
            os.rmdir(folder)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise


def delete_folder(folder: str) -> None:
    """Deletes a folder and all that is in it; no link is followed. It may be gone already."""
    if not is_remote(folder) and os.path.islink(folder):
        delete([folder])
        return
    delete(join(folder, name) for name in list_folder(folder))
    if not is_remote(folder):
        for below, _, _ in os.walk(folder, topdown=False):
            os.rmdir(below)


def require_writable(option: str, folder: str) -> None:
    """Makes sure that a folder can be written.

    Raises:
        ConfigurationError: it cannot; names the option.
    """
    probe = join(folder, f"can-be-written.{uuid.uuid4().hex}")
    with writing_to(option, folder):
        with create(probe) as stream:
            stream.write(b"")
        delete([probe])


@contextmanager
def writing_to(option: str, place: str) -> Iterator[None]:
    """Errors of the block say which place cannot be written, and which option names it.

    Raises:
        ConfigurationError: instead of whatever a file system raises.
    """
    try:
        yield
    except ConfigurationError:
        raise
    except Exception as error:  # file systems have no error in common
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        named = f"{option} {place}".lstrip()
        raise ConfigurationError(f"{named}: cannot be written: {reason}") from None
