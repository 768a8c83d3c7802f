"""Files that a process holds for as long as it lives: whoever looks knows whether their owner is dead.

The kernel gives a lock back when its process ends, however it does, and processes that it starts do not inherit it.
"""

from __future__ import annotations

import fcntl
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

_UNFINISHED: Final = re.compile(r"\.[0-9a-f]{32}")


def hold(path: Path, content: bytes) -> BinaryIO | None:
    """Writes a file and holds it until what is returned is closed; `None`: the file system has no locks.

    It is there under its name only once it is written and held.
    """
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    stream = unfinished.open("wb")
    try:
        held = _try(stream)
        stream.write(content)
        stream.flush()
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):  # it must not hide what failed
            unfinished.unlink()
        raise
    if held:
        return stream
    stream.close()
    return None


def write_alone(path: Path, content: bytes) -> None:
    """Writes a file, whole or not at all; what killed processes left that were writing it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.iterdir():
        unfinished = other.name.startswith(path.name) and _UNFINISHED.fullmatch(other.name, len(path.name))
        if unfinished and not is_held(other):
            other.unlink(missing_ok=True)
    if stream := hold(path, content):
        stream.close()


def is_held(path: Path) -> bool:
    """Whether a process of this machine holds a file; one that is gone is held by nobody."""
    try:
        with path.open("rb") as stream:
            return not _try(stream)
    except FileNotFoundError:
        return False


def _try(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
