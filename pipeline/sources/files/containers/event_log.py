"""Windows event logs: their records as the `evtx` package says them, read by a process of its own.

On a log that is damaged in a certain way the package never ends, and nothing within a process can stop it.
"""

from __future__ import annotations

import io
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from uncommon_im.pipeline.sources.files.containers import event_log_reader
from uncommon_im.pipeline.sources.files.containers.gathering import Damage, Item
from uncommon_im.pipeline.storage.temporary import temporary_folder

SILENCE_S: Final = 60
"""How long a record may take: 64 KiB hold at least one, and take milliseconds."""
_NO_CHUNK: Final = re.compile(r"chunk number (\d+): Failed to parse chunk header: Invalid EVTX chunk header")
_ZEROS: Final = re.compile(r"found `\[[ 0,]+\]`")
_COUNT_AT: Final = 42
"""Where the file's header has the number of its chunks: two bytes (libyal, "Windows XML Event Log (EVTX) format")."""
_PIECE_BYTES: Final = 1 << 16


def log_items(source: str | io.BufferedReader | io.BytesIO) -> Iterator[Item]:
    """The records of an event log; a chunk or record that cannot be read costs itself.

    Args:
        source: the path of a file of this machine, or a stream, which is copied to this machine.

    Raises:
        OSError: it is no event log.
    """
    if isinstance(source, str):
        yield from _items(Path(source).absolute())
        return
    with temporary_folder() as folder:
        copy = Path(folder) / "log"
        with copy.open("wb") as target:
            shutil.copyfileobj(source, target, _PIECE_BYTES)
        yield from _items(copy)


def _items(path: Path) -> Iterator[Item]:
    command = [sys.executable, event_log_reader.__file__, str(path)]
    with subprocess.Popen(command, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        try:
            yield from _said(reader, _chunks(path))
        finally:
            reader.kill()


def _chunks(path: Path) -> int:
    """Chunks that a log says it has; Windows makes room for more, in which anything may lie."""
    with path.open("rb") as stream:
        stream.seek(_COUNT_AT)
        return int.from_bytes(stream.read(2), "little")


def _is_room(problem: str, chunks: int) -> bool:
    """True if what cannot be read is no chunk, but room for one."""
    found = _NO_CHUNK.search(problem)
    return found is not None and (int(found[1]) >= chunks or _ZEROS.search(problem) is not None)


def _said(reader: subprocess.Popen[bytes], chunks: int) -> Iterator[Item]:
    """What the process says, line by line, to its end."""
    rest = b""
    while (data := _data(reader)) is not None:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            kind, text = line[:1], line[1:]
            if kind == event_log_reader.RECORD:
                yield text
            elif kind == event_log_reader.END:
                return
            elif kind == event_log_reader.NO_LOG:
                raise OSError(f"it is no Windows event log: {text.decode('utf-8', 'replace')}")
            elif not _is_room(problem := text.decode("utf-8", "replace"), chunks):
                yield Damage(problem)
    yield Damage("the rest is damaged in a way that it cannot be read past")


def _data(reader: subprocess.Popen[bytes]) -> bytes | None:
    """What the process says next; `None` if it has ended, or says nothing any more."""
    assert reader.stdout is not None
    ready, _, _ = select.select([reader.stdout], [], [], SILENCE_S)
    return (reader.stdout.read(_PIECE_BYTES) or None) if ready else None
