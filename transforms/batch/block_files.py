"""Blocks that wait for the next step in files of this machine instead of in a runner's memory.

Only for steps that run on one machine: what travels is a reference, and the folder must outlive the run.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

_REFERENCE: Final = b"file:"
"""Arrow streams begin with other bytes."""


def keep(block: bytes | pa.Buffer, folder: str) -> bytes:
    """Writes a block into a folder; returns a reference that takes its place."""
    path = Path(folder, uuid.uuid4().hex)
    path.write_bytes(block)
    return _REFERENCE + str(path).encode()


def contents(blocks: Iterable[bytes]) -> Iterator[bytes | pa.Buffer]:
    """The blocks, those that are kept in files mapped into memory."""
    for block in blocks:
        if block.startswith(_REFERENCE):
            yield pa.memory_map(block[len(_REFERENCE) :].decode()).read_buffer()
        else:
            yield block
