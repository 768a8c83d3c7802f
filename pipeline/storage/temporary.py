"""Folders that last as long as their process."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from uncommon_im.pipeline.storage.kernel_lock import hold, is_held

_PREFIX: Final = "uncommon-im-tmp-"
"""Older versions have `uncommon-im-` and eight letters, and no owner's file: theirs are left alone."""
_NAME: Final = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_OWNER: Final = "owner.lock"
_UNFINISHED: Final = re.compile(rf"{re.escape(_OWNER)}\.[0-9a-f]{{32}}")
_OF_A_JOB_SERVER: Final = "beam-temp"
"""How Beam calls the folder of the Prism or Flink that it has started."""
_NOT_HELD: Final = "owner"
"""The same file where files cannot be held: nobody can tell whether its owner is alive."""


@contextmanager
def temporary_folder(where: str | None = None) -> Iterator[str]:
    """A folder that is gone after the block; what killed processes left in the same place goes too.

    Args:
        where: the folder that it is made in; `None`: the machine's own for temporary files.

    Raises:
        OSError: none can be made there.
    """
    parent = Path(where or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(parent)
    folder, owner = _make(parent)
    try:
        yield str(folder)
    finally:
        _remove(folder)
        if owner:
            owner.close()


@contextmanager
def temporary_home() -> Iterator[str]:
    """A temporary folder in which everything temporary of this process lies meanwhile, what libraries make too.

    Beam makes a folder for every pipeline, which nobody would remove if this process was killed.

    Raises:
        OSError: none can be made.
    """
    before, at_exit = tempfile.tempdir, ExitStack()
    atexit.register(at_exit.close)
    with ExitStack() as now:
        folder = now.enter_context(temporary_folder())
        tempfile.tempdir = folder
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            if any(Path(folder).glob(f"{_OF_A_JOB_SERVER}*")):  # it removes that as the process exits, and must find it
                at_exit.push(now.pop_all())


def _make(parent: Path) -> tuple[Path, BinaryIO | None]:
    """A new folder, and its owner's file, held; `None`: the file system has no locks."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            owner = hold(folder / _OWNER, b"")
            if owner is None:
                (folder / _OWNER).rename(folder / _NOT_HELD)
        except FileNotFoundError:  # another process took it, still empty, for one that was left behind
            continue
        except BaseException:
            _remove(folder)
            raise
        return folder, owner


def _remove_left_behind(parent: Path) -> None:
    """Removes folders whose owner is dead, or was killed before he had put his file into them."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is gone meanwhile, or somebody else's
            own = folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
            inside = list(folder.iterdir()) if own else []
            if folder / _OWNER in inside:
                if not is_held(folder / _OWNER):
                    _remove(folder)
            elif own and _NAME.fullmatch(folder.name) and all(_left_unfinished(path) for path in inside):
                for path in inside:
                    path.unlink(missing_ok=True)
                folder.rmdir()


def _remove(folder: Path) -> None:
    """Its owner's file goes last: if this process is killed here, the next one knows that the rest may go too."""
    with suppress(OSError):
        for path in sorted(folder.iterdir(), key=lambda path: path.name == _OWNER):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        folder.rmdir()


def _left_unfinished(path: Path) -> bool:
    return bool(_UNFINISHED.fullmatch(path.name)) and not is_held(path)
