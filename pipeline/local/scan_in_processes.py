"""Scanning inputs on all cores of one machine: readings go to processes of their own, blocks come back.

Beam's own parallel local modes lose elements (multi-threading) or cost half as much again (multi-processing). Here a
part of the readings is one task, done as a whole by one process or not at all; what it returns is added once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam

from uncommon_im.pipeline.local.processes import share
from uncommon_im.pipeline.local.worker import opened, scan_readings
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.inputs import AnyReading
from uncommon_im.transforms.batch.scan_events import OUTPUTS, at_end
from uncommon_im.transforms.rules.activities.scan import ScanSettings

_TASKS_PER_WORKER: Final = 2
"""More tasks even out, fewer leave less to merge."""


@dataclass
class ScanInProcesses(beam.PTransform):
    """Readings -> what `ScanEvents` makes of their batches, by `workers` processes of this machine.

    The same outputs with the same guarantees, but blocks and dead letters are kept in `folder`. A worker that dies ends
    the run.
    """

    settings: ScanSettings
    options: JsonOptions
    workers: int
    folder: str

    def expand(self, readings: beam.PCollection[AnyReading]) -> Any:
        """One step, in this process."""
        dispatch = _Dispatch(self.settings, self.options, self.workers, self.folder)
        return readings | "Scan" >> beam.ParDo(dispatch).with_outputs(*OUTPUTS)


class _Dispatch(beam.DoFn):
    def __init__(self, settings: ScanSettings, options: JsonOptions, workers: int, folder: str) -> None:
        self._settings, self._options, self._workers, self._folder = settings, options, workers, folder
        self._readings: list[AnyReading] = []

    def start_bundle(self) -> None:
        self._readings = []

    def process(self, reading: AnyReading) -> None:
        self._readings.append(reading)

    def finish_bundle(self) -> Iterator[Any]:
        parts = _tasks(self._readings, self._workers * _TASKS_PER_WORKER)
        tasks = [(part, self._settings, self._options, self._folder) for part in parts]
        for outputs in share(scan_readings, tasks, self._workers):
            for tag, value in opened(outputs):
                yield at_end(tag, value)


def _tasks(readings: list[AnyReading], count: int) -> list[list[AnyReading]]:
    """The readings in at most `count` parts of neighbours."""
    ordered = sorted(readings, key=lambda reading: reading.order)
    size = -(-len(ordered) // count)
    return [ordered[first : first + size] for first in range(0, len(ordered), size)] if ordered else []
