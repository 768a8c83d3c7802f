"""What a stream that comes to an end counted in all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.trigger import AccumulationMode, AfterWatermark
from apache_beam.transforms.window import GlobalWindows

from uncommon_im.pipeline.runs.folder import write_summary
from uncommon_im.pipeline.storage.changing import write_whole
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.transforms.rules.events.tally import Tally, stream_summary_of


@dataclass
class WriteTotal(beam.PTransform):
    """Tallies -> a file with their sums, once the stream has come to its end; one that does not end writes nothing.

    Metrics are for watching: engines may lose an increment. What is counted here has the guarantees of data.

    Args:
        path: of the file.
    """

    path: str

    def expand(self, tallies: Sequence[beam.PCollection[tuple[str, int]]]) -> beam.PCollection[str]:
        """Adds up step by step, then all steps."""
        sums = [
            parts
            | f"ToTheEnd_{number}"
            >> beam.WindowInto(GlobalWindows(), trigger=AfterWatermark(), accumulation_mode=AccumulationMode.DISCARDING)
            | f"AddUp_{number}" >> beam.CombinePerKey(sum).with_output_types(tuple[str, int])
            for number, parts in enumerate(tallies)
        ]
        return (
            sums
            | "AllSums" >> beam.Flatten()
            | "OneKey" >> beam.Map(_together).with_output_types(tuple[int, tuple[str, int]])
            | "Join" >> beam.GroupByKey()
            | "Write" >> beam.Map(_write, self.path).with_output_types(str)
        )


def _together(summed: tuple[str, int]) -> tuple[int, tuple[str, int]]:
    return 0, summed


def _write(joined: tuple[int, Iterable[tuple[str, int]]], path: str) -> str:
    total: dict[str, int] = {}
    for name, number in joined[1]:
        total[name] = total.get(name, 0) + number
    write_whole(path, json.dumps(total).encode())
    return path


def read_total(path: str) -> dict[str, int]:
    """What the steps counted in all, by names of metrics: the file of `WriteTotal`."""
    with open_binary(path) as stream:
        counted: dict[str, int] = json.loads(stream.read())
    return counted


def write_counted(output: str, counted: Mapping[str, int]) -> dict[str, Any]:
    """Writes `summary.json` from what the steps counted in all; returns it."""
    summary = stream_summary_of(Tally({tuple(name.split(".", 2)): number for name, number in counted.items()}))
    write_summary(output, summary)
    return summary
