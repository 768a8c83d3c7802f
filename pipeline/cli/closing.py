"""How a command ends: every folder and table that it has written, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Written:
    """Where a run or a stream leaves what it finds and learns; `None`: nowhere.

    Args:
        output: the run's folder.
        dataset: of BigQuery.
        verdicts: verdicts are written, too.
        evidence: so is evidence.
        snapshot: the directory of the snapshot.
        as_of: the day of the snapshot.
        learned: the directory of what a stream learns.
        topic: of alerts.
    """

    output: str | None = None
    dataset: str | None = None
    verdicts: bool = False
    evidence: bool = False
    snapshot: str | None = None
    as_of: date | None = None
    learned: str | None = None
    topic: str | None = None

    def places(self, summary: bool = True) -> Iterator[str]:
        """A line for each place: what is there, and where; `summary`: a summary is, too."""
        if self.output:
            names = ["alerts/*.jsonl", "dead_letter/*.jsonl"]
            names += ["verdicts/*.jsonl"] if self.verdicts else []
            names += ["evidence/*.parquet"] if self.evidence else []
            names += ["summary.json"] if summary else []
            yield "files: " + ", ".join(f"{self.output}/{name}" for name in names)
        if self.dataset:
            names = ["alerts", "dead_letters", *(["verdicts"] if self.verdicts else [])]
            yield "tables: " + ", ".join(f"{self.dataset}.{name}" for name in names)
        if self.topic:
            yield f"messages: alerts to {self.topic}"
        if self.snapshot:
            yield f"snapshot: of {self.as_of} in {self.snapshot}"
        if self.learned:
            yield f"learned: what a snapshot is taken of, in {self.learned}"

    def steps(self, summary: dict[str, Any]) -> Iterator[str]:
        """A line for each thing to do next, by what was counted."""
        verdicts = summary["verdicts"]
        if self.output and verdicts["alert"]:
            yield f"{command('cases', self.output)} lists what to open first, {command('report', self.output)} shows it"
        elif verdicts["learning"] and not verdicts["alert"]:
            yield (
                f"no alerts yet: {verdicts['learning']:,} activities only taught the detector. It alerts once 14 "
                "of the last 30 days have telemetry (--activation-days): give it more days"
            )
        if self.output and sum(summary["events"]["dead_letter"].values()):
            yield f"dead letters in {self.output}/dead_letter say what could not be used, and why"
        if self.evidence:
            yield f"{command('tune', self.output or '')} shows how many alerts other limits give"
        if self.dataset and verdicts["alert"]:
            yield f"the view {self.dataset}.cases lists what to open first"
        if self.snapshot:
            start = ["--start", str(self.as_of), "--baseline-in", self.snapshot]
            yield f"the run of the next day: {command('backfill', *start)} ..."


def command(*words: str) -> str:
    """A command of this program as it is typed."""
    return shlex.join(["uncommon-im", *words])
