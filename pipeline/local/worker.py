"""What a process of its own does with a part of the input. Does not import Beam, which would take longer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from uncommon_im.pipeline.local.garbage import collect_seldom
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.inputs import AnyReading, read_input
from uncommon_im.transforms.batch.block_files import keep
from uncommon_im.transforms.rules.activities.scan import Scan, ScanSettings, recogniser_of
from uncommon_im.transforms.rules.recognition.communications import Recogniser


def scan_readings(
    readings: list[AnyReading], settings: ScanSettings, options: JsonOptions, folder: str
) -> list[tuple[str, Any]]:
    """What `opened` makes the (output, value) pairs of `ScanEvents` of, for all batches of some readings.

    Blocks and dead letters, of which there may be any number, are kept in a folder.

    Raises:
        UnreadableInput: an input cannot be read; of a file only if the policy is to fail.
    """
    pa.set_cpu_count(1)  # the processes share the cores already
    collect_seldom()
    scan = Scan(settings, _recogniser(settings), travels=False)
    outputs: list[tuple[str, Any]] = []
    letters = Path(folder, uuid.uuid4().hex)
    with letters.open("wb") as kept:
        for reading in readings:
            for batch in read_input(reading, options):
                kept.writelines(msgspec.json.encode(letter.row()) + b"\n" for letter in scan.add(batch))
                if scan.full:
                    outputs += _kept_blocks(scan, folder)
    outputs += _kept_blocks(scan, folder)
    return [*outputs, ("dead_letters", str(letters)), *scan.totals()]


def _kept_blocks(scan: Scan, folder: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for kind, shard, block in scan.blocks():
        reference = keep(block, folder)
        for number in range(scan.settings.shards) if shard is None else (shard,):
            yield kind, (number, reference)


def opened(outputs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """(output, value) pairs of `ScanEvents`; a dead letter is read when it is asked for."""
    for tag, value in outputs:
        if tag != "dead_letters":
            yield tag, value
            continue
        with Path(value).open("rb") as letters:
            yield from ((tag, msgspec.json.decode(line)) for line in letters)


_KEPT: list[tuple[ScanSettings, Recogniser]] = []


def prepare(settings: ScanSettings) -> None:
    """Makes what scans with these settings look for: forks of this process have it then."""
    recogniser = _recogniser(settings)
    _ = recogniser.exceptions.fields, recogniser.malicious.fields  # files all of them


def _recogniser(settings: ScanSettings) -> Recogniser:
    """The recogniser of the last settings: tasks of one process have the same."""
    if not _KEPT or _KEPT[0][0] != settings:
        _KEPT[:] = [(settings, recogniser_of(settings))]
    return _KEPT[0][1]
