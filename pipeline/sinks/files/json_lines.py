"""Rows -> files of JSON lines, and the summary that says that a run is complete."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.io import WriteToText
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import AsIter, AsSingleton

from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.evidence import FOLDER as EVIDENCE
from uncommon_im.transforms.rules.columns.json_lines import to_json
from uncommon_im.transforms.rules.events.tally import Tally, summary_of

SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"
"""The page about a run, if `uncommon-im report` wrote it there."""
FOLDERS: Final = ("alerts", "dead_letter", "verdicts")
"""Of rows of a run, one JSON object a line."""


@dataclass
class WriteJsonLines(beam.PTransform):  # type: ignore[misc]
    """Rows -> `OUTPUT/NAME/NAME-*.jsonl`; yields the files' names once they are complete.

    Each row is one line; a retried bundle leaves no second copy. The order of lines is not defined.

    Args:
        output: the run's folder.
        name: one of `FOLDERS`.
    """

    output: str
    name: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, rows: beam.PCollection[dict[str, Any]]) -> beam.PCollection[str]:
        """Writes under a temporary name, then renames."""
        prefix = FileSystems.join(self.output, self.name, self.name)
        return (
            rows
            | "ToJson" >> beam.Map(to_json).with_output_types(str)
            | "Write" >> WriteToText(prefix, file_name_suffix=".jsonl")
        )


@dataclass
class WriteSummary(beam.PTransform):  # type: ignore[misc]
    """The sum of all tallies -> `OUTPUT/summary.json`, written after everything that `written` names.

    Args:
        output: the run's folder.
        written: names of what must be complete before.
    """

    output: str
    written: list[beam.PCollection[str]]

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, total: beam.PCollection[Tally]) -> beam.PCollection[str]:
        """Waits for what is written, then writes the sum."""
        barrier = [AsIter(names) for names in self.written]
        return (
            total.pipeline
            | "Once" >> beam.Create([self.output])
            | "WriteSummary" >> beam.Map(write_summary, AsSingleton(total), *barrier)
        )


def add_up(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    total = Tally()
    for tally in tallies:
        total.update(tally)
    return total


def write_summary(output: str, total: Tally, *written: Iterable[str]) -> str:
    """Writes the summary of a run; returns its path."""
    path = FileSystems.join(output, SUMMARY)
    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        stream.write(json.dumps(summary_of(total), indent=2).encode() + b"\n")
    return path


def read_summary_file(output: str) -> dict[str, Any]:
    """The summary of a run that is done."""
    with FileSystems.open(FileSystems.join(output, SUMMARY)) as stream:
        summary: dict[str, Any] = json.loads(stream.read())
    return summary


def prepare_output(output: str) -> None:
    """Empties a run's folder, and makes sure that it can be written.

    Raises:
        ConfigurationError: it cannot be written.
    """
    require_writable("--output", output)
    clear_output(output)


def require_writable(option: str, output: str) -> None:
    """Makes sure that a folder can be written.

    Raises:
        ConfigurationError: it cannot; names the option.
    """
    probe = FileSystems.join(output, "can-be-written")
    try:
        with FileSystems.create(probe, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            stream.write(b"")
        FileSystems.delete([probe])
    except Exception as error:  # file systems have no error in common
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ConfigurationError(f"{option} {output}: cannot be written: {reason}") from None


def clear_output(output: str) -> None:
    """Deletes what an earlier run left in its folder, the summary first: without it the run is not complete."""
    for pattern in (SUMMARY, REPORT, *(f"{folder}/**" for folder in (*FOLDERS, EVIDENCE))):
        matched = FileSystems.match([FileSystems.join(output, *pattern.split("/"))])[0].metadata_list
        if matched:
            FileSystems.delete([metadata.path for metadata in matched])
