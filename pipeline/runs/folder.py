"""The folder of one run: replaced as a whole, and complete once its summary is there (specification, section 10)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import basename, join
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import AsIter, AsSingleton

from uncommon_im.pipeline.results.ownership import ResultKind
from uncommon_im.pipeline.results.result_folder import ResultFolder
from uncommon_im.pipeline.storage.changing import write_whole
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.evidence import FOLDER as EVIDENCE
from uncommon_im.schemas.evidence import METADATA
from uncommon_im.transforms.rules.events.tally import Tally, summary_of

SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"
"""The page about a run, if `uncommon-im report` wrote it there."""
PAGE_MARK: Final = b"<title>Uncommon communication to instant messaging servers</title>"
"""What every such page has near its beginning."""
FOLDERS: Final = ("alerts", "dead_letter", "verdicts")
"""Of rows of a run, one JSON object per line."""

_OWN: Final = re.compile(
    r"alerts/[0-9a-f]{32}\.jsonl"  # of a replay, one per alert
    r"|(?P<name>alerts|dead_letter|verdicts)/(?P=name)-(\d{5}-of-\d{5}|[0-9a-f]{32})\.jsonl"
    rf"|{EVIDENCE}/((activities|said)-\d{{5}}\.parquet|{re.escape(METADATA)})"
    rf"|{re.escape(SUMMARY)}|{re.escape(REPORT)}"
)


def is_summary(content: bytes) -> bool:
    """Whether a file is the summary of a run, of whatever version."""
    try:
        summary = json.loads(content)
    except ValueError:
        return False
    return isinstance(summary, dict) and {"events", "activities", "verdicts", "alerts"} <= summary.keys()


def is_page(content: bytes) -> bool:
    """Whether a file is a page of `report`."""
    return PAGE_MARK in content


RUN: Final = ResultKind(
    name="run",
    folders=(*FOLDERS, EVIDENCE),
    files=(SUMMARY, REPORT),
    own=_OWN,
    seal=SUMMARY,
    is_seal=is_summary,
    signed={REPORT: is_page},
)
"""What a backfill or a replay leaves."""


def run_folder(output: str) -> ResultFolder:
    """The folder that `--output` names."""
    return ResultFolder(output, RUN)


@dataclass
class PublishRun(beam.PTransform):
    """The sum of all tallies -> `OUTPUT/summary.json`, and with it the run in place of the one before.

    It waits for everything that is written. A retried step changes nothing more.

    Args:
        output: the run's folder.
        run_id: of the run: what it wrote is staged under it.
        rows: names of complete files of rows in the staging, by the folder that they belong to.
        written: names of what else must be complete before.
    """

    output: str
    run_id: str
    rows: dict[str, beam.PCollection[str]]
    written: list[beam.PCollection[str]]

    def expand(self, total: beam.PCollection[Tally]) -> beam.PCollection[str]:
        """Waits for what is written, then writes the sum and publishes."""
        barrier = [AsIter(names) for names in (*self.rows.values(), *self.written)]
        return (
            total.pipeline
            | "Once" >> beam.Create([self.output])
            | "Publish" >> beam.Map(_publish, self.run_id, tuple(self.rows), AsSingleton(total), *barrier)
        )


def _publish(output: str, run_id: str, folders: tuple[str, ...], total: Tally, *written: Iterable[str]) -> str:
    folder = run_folder(output)
    staging = folder.staging(run_id)
    write_summary(staging, summary_of(total))
    rows = {name: sorted(paths) for name, paths in zip(folders, written[: len(folders)], strict=True)}
    files = {name: name for name in folder.staged_names(run_id) if name.partition("/")[0] not in rows}
    for name, paths in rows.items():
        if not paths:  # patterns such as alerts/*.jsonl match something all the same
            paths = [join(staging, name, f"{name}-none.jsonl")]
            write_whole(paths[0], b"")
        for number, path in enumerate(paths):
            files[join(name, basename(path))] = f"{name}/{name}-{number:05}-of-{len(paths):05}.jsonl"
    folder.publish(run_id, files)
    return join(output, SUMMARY)


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
