"""Folders that last as long as their process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from uncommon_im.pipeline.storage.kernel_lock import hold, is_held

_PREFIX: Final = "uncommon-im-"
_OWNER: Final = "owner.lock"


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
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    owner = hold(folder / _OWNER, b"")
    if owner is None:  # nobody could tell that it is alive
        (folder / _OWNER).unlink()
    try:
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if owner:
            owner.close()


def _remove_left_behind(parent: Path) -> None:
    """A folder without an owner's file is none of these, or has just been made."""
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder / _OWNER
        own = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
        if own and owner.is_file() and not is_held(owner):
            shutil.rmtree(folder, ignore_errors=True)
