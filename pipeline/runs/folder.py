"""The folder of one run: emptied before, and complete once its summary is there (specification, section 10)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import join
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import AsIter, AsSingleton

from uncommon_im.pipeline.storage.listing import delete_files
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.pipeline.storage.whole_file import require_writable, write_whole
from uncommon_im.schemas.evidence import FOLDER as EVIDENCE
from uncommon_im.transforms.rules.events.tally import Tally, summary_of

SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"
"""The page about a run, if `uncommon-im report` wrote it there."""
FOLDERS: Final = ("alerts", "dead_letter", "verdicts")
"""Of rows of a run, one JSON object per line."""


def prepare_output(output: str) -> None:
    """Empties a run's folder, and makes sure that it can be written.

    Raises:
        ConfigurationError: it cannot be written.
    """
    require_writable("--output", output)
    clear_output(output)


def clear_output(output: str) -> None:
    """Deletes what an earlier run left in its folder, the summary first: without it the run is not complete.

    Raises:
        ConfigurationError: the file system cannot list the folder.
    """
    for pattern in (SUMMARY, REPORT, *(f"{folder}/**" for folder in (*FOLDERS, EVIDENCE))):
        delete_files(join(output, *pattern.split("/")))


@dataclass
class WriteSummary(beam.PTransform):
    """The sum of all tallies -> `OUTPUT/summary.json`, written after everything that `written` names.

    Args:
        output: the run's folder.
        written: names of what must be complete before.
    """

    output: str
    written: list[beam.PCollection[str]]

    def expand(self, total: beam.PCollection[Tally]) -> beam.PCollection[str]:
        """Waits for what is written, then writes the sum."""
        barrier = [AsIter(names) for names in self.written]
        return (
            total.pipeline
            | "Once" >> beam.Create([self.output])
            | "WriteSummary" >> beam.Map(_write_total, AsSingleton(total), *barrier)
        )


def _write_total(output: str, total: Tally, *written: Iterable[str]) -> str:
    return write_summary(output, summary_of(total))


def write_summary(output: str, summary: dict[str, Any]) -> str:
    """Writes the summary of a run; returns its path."""
    path = join(output, SUMMARY)
    write_whole(path, (json.dumps(summary, indent=2) + "\n").encode())
    return path


def read_summary(output: str) -> dict[str, Any]:
    """The summary of a run that is done.

    Raises:
        OSError: there is none.
        ValueError: it is no JSON.
    """
    with open_binary(join(output, SUMMARY)) as stream:
        summary: dict[str, Any] = json.loads(stream.read())
    return summary
