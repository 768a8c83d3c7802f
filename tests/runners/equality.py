"""What the stream must give on any engine: the backfill's and the oracle's alerts and verdicts."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Final, Protocol

from tests.oracle import Options, detect
from tests.organisations import Organisation, random_organisation
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.running import Found, configuration_of, run_records, write_lines, write_parquet
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US
from uncommon_im.transforms.rules.stream.lateness import Lateness

SEEDS: Final = range(int(os.environ.get("ORGANISATIONS", "1")))
"""Random organisations that each engine is given; `make soak` gives it others, by turns."""


class Run(Protocol):
    """Runs the stream over files on some engine."""

    def __call__(
        self, patterns: list[str], configuration: Configuration, lateness: Lateness, times: ArrivalTimes, /
    ) -> Found:
        """What it found."""


def lateness_of(options: Options, allowed: int = 600) -> Lateness:
    return Lateness(allowed * SECOND_US, DAY_US, options.training_days)


def files_of(organisation: Organisation, folder: Path, seed: int) -> list[str]:
    """The records, some of them two or three times, as JSON lines and Parquet."""
    chooser = random.Random(seed)
    records = [record for record in organisation.records for _ in range(chooser.choice((1, 1, 2, 3)))]
    chooser.shuffle(records)
    half = len(records) // 2
    write_lines(folder / "events.jsonl.gz", records[:half])
    write_parquet(folder / "events.parquet", records[half:], row_group_size=97)
    return [str(folder / "events.*")]


def equals_the_backfill_and_the_oracle(seed: int, folder: Path, run: Run) -> None:
    """Runs a random organisation in some arrival order within the lateness, records repeated, and compares."""
    organisation = random_organisation(seed)
    options = organisation.options
    allowed = (600, 0, 7200)[seed % 3]
    times = ArrivalTimes(seed=seed, lateness=allowed * SECOND_US)
    patterns = files_of(organisation, folder, seed)
    found = run(patterns, configuration_of(options), lateness_of(options, allowed), times)
    expected = detect(organisation.records, options)
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected.alerts)), organisation.story
    assert verdict_rows(found.verdicts) == oracle_rows(expected.activities)
    backfill = run_records(organisation.records, configuration_of(options))
    assert found.facts == backfill.facts
    assert found.summary["verdicts"] == backfill.summary["verdicts"]
    assert found.summary["alerts"] == backfill.summary["alerts"]
    adds_up(found)


def adds_up(found: Found) -> None:
    """Every record is an event or a dead letter; every communication makes an activity or is folded into one."""
    events, summary = found.summary["events"], found.summary
    assert events["read"] == events["valid"] + sum(events["dead_letter"].values())
    assert sum(events["dead_letter"].values()) == len(found.dead_letters)
    assert summary["communications"] == summary["activities"] + summary["folded"]
    assert summary["activities"] == sum(summary["verdicts"].values()) == len(found.verdicts)
    assert sum(summary["alerts"].values()) == len(found.alerts)
