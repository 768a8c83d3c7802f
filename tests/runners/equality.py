"""What the stream must give on any engine: the backfill's and the oracle's alerts and verdicts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from tests.oracle import Options, detect
from tests.oracle.stream import Waiting, detect_stream
from tests.organisations import Organisation, random_organisation
from tests.pipeline.baselines.test_snapshots import content_of
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.running import Found, configuration_of, read_rows, run_records, write_lines, write_parquet
from tests.transforms.rules.stream.driving import with_late_ones
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.baselines.write_learned import begin_learned
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US, day_number, rfc3339
from uncommon_im.transforms.rules.stream.lateness import Lateness

FIRST: Final = date(2026, 3, 1)
"""The first day of the random organisations."""
SEEDS: Final = range(int(os.environ.get("ORGANISATIONS", "1")))
"""Random organisations that each engine is given; `make soak` gives it others, by turns."""


class Run(Protocol):
    """Runs the stream over files on some engine."""

    def __call__(
        self,
        patterns: list[str],
        configuration: Configuration,
        lateness: Lateness,
        times: ArrivalTimes,
        /,
        *,
        sightings_out: str | None = None,
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


def late_records_do_what_the_oracle_says(seed: int, folder: Path, run: Run) -> None:
    """Records late in every way; late alerts reach the sink."""
    organisation, waiting = random_organisation(seed), Waiting()
    options = organisation.options
    arrivals = with_late_ones(organisation, random.Random(seed), waiting)
    write_lines(folder / "events.jsonl", [record | {"_at": rfc3339(at)} for record, at in arrivals])
    times = ArrivalTimes(column="_at")
    found = run([str(folder / "events.jsonl")], configuration_of(options), lateness_of(options), times)
    expected = detect_stream(arrivals, options, waiting)
    ids = [alert["alert_id"] for alert in expected.alerts]
    assert len(set(ids)) == len(ids), "a late alert of another context can have the id, and so the file, of one on time"
    late = [alert["alert_id"] for alert in expected.alerts if alert["late"]]
    assert sorted(alert["alert_id"] for alert in found.alerts if alert["late"]) == sorted(late)
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected.alerts))
    assert verdict_rows(found.verdicts) == oracle_rows(expected.activities)
    assert found.summary["late"] == {"records": expected.late, "too_late": expected.too_late, "alerts": len(late)}
    assert len(late) > 10
    adds_up(found)


def a_warm_start_goes_on_where_the_backfill_left_off(seed: int, folder: Path, run: Run) -> None:
    """From a snapshot of any day; the stream may see some days before it again."""
    organisation = random_organisation(seed)
    options = replace(organisation.options, start=None, end=None)
    as_of = FIRST + timedelta(days=random.Random(seed).randint(15, 58))
    run_records(organisation.records, configuration_of(options, end=as_of, baseline_out=str(folder / "B")))
    configuration = with_baseline(configuration_of(options), open_snapshot(str(folder / "B")), False)
    since = day_number(as_of) * DAY_US - (seed % 3) * DAY_US
    times = ArrivalTimes(seed=seed, lateness=600 * SECOND_US, since=since)
    found = run(files_of(organisation, folder, seed), configuration, lateness_of(options), times)
    expected = [alert for alert in detect(organisation.records, options).alerts if alert["timestamp"] >= str(as_of)]
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected))
    assert expected


def a_snapshot_of_what_it_learned_is_the_backfills(seed: int, folder: Path, run: Run) -> None:
    """Table by table, of some day."""
    organisation, as_of = random_organisation(seed), FIRST + timedelta(days=40)
    options = replace(organisation.options, start=None, end=None)
    times, learned = ArrivalTimes(seed=seed, lateness=600 * SECOND_US), str(folder / "learned")
    begin_learned(learned, configuration_of(options).stream_metadata)
    patterns = files_of(organisation, folder, seed)
    run(patterns, configuration_of(options), lateness_of(options), times, sightings_out=learned)
    taken = ["--as-of", str(as_of), "--baseline-out", str(folder / "S")]
    assert main(["snapshot", "--sightings", learned, *taken]) == 0
    run_records(organisation.records, configuration_of(options, end=as_of, baseline_out=str(folder / "B")))
    of_stream, of_backfill = content_of(folder / "S"), content_of(folder / "B")
    for table in ("sightings", "host_sightings", "said", "instances"):
        assert of_stream[table] == of_backfill[table], table
    days = {
        table: [row[:2] for row in content["coverage"]] for table, content in (("S", of_stream), ("B", of_backfill))
    }
    assert days["S"] == days["B"], "numbers of events count repeated records too"


def killed_and_restarted_the_union_is_the_oracles(
    seed: int, folder: Path, rate: int, engine: Sequence[str] = ()
) -> None:
    """The command, killed without a warning, a snapshot of what it learned, and the command again from that."""
    organisation = random_organisation(seed)
    write_lines(folder / "events.jsonl", organisation.records)
    (folder / "exceptions.yaml").write_text(json.dumps([dict(entry) for entry in organisation.options.exceptions]))
    options = replace(Options(exceptions=organisation.options.exceptions), operator_ranges=False)
    common = ["--input", str(folder / "events.jsonl"), "--shuffle-seed", str(seed)]
    common += [*engine, "--exceptions", str(folder / "exceptions.yaml"), "--sightings-out", str(folder / "learned")]
    # the stream, killed without a warning once it has got some way
    command = [
        sys.executable,
        "-m",
        "uncommon_im.pipeline.cli.main",
        "replay",
        *common,
        "--output",
        str(folder / "one"),
    ]
    killed = subprocess.Popen([*command, "--rate", str(rate)], stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for_days(folder / "learned", days=25 + seed, running=killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    # snapshot of the newest day that is complete, then a new stream that reads again from there
    newest = max(path.parent.name for path in (folder / "learned").glob("*/_SUCCESS"))
    as_of = str(date.fromisoformat(newest) + timedelta(days=1))
    snapshot = ["--sightings", str(folder / "learned"), "--as-of", as_of, "--baseline-out", str(folder / "B")]
    assert main(["snapshot", *snapshot]) == 0
    rest = ["--baseline-in", str(folder / "B"), "--arrived-since", as_of, "--output", str(folder / "two")]
    assert main(["replay", *common, *rest]) == 0
    (before,) = (folder / "one" / ".uncommon-im").glob("*Z-*/")  # a replay that is killed publishes nothing
    alerts = [alert for run in (before, folder / "two") for alert in read_rows(str(run), "alerts")]
    union = {alert["alert_id"]: comparable(alert) for alert in alerts}
    whole = detect(organisation.records, options).alerts
    expected: dict[str, Any] = {alert["alert_id"]: comparable(alert) for alert in whole}
    assert union == expected
    assert 0 < len(read_rows(str(before), "alerts")) < len(expected)
    assert read_rows(str(folder / "one"), "alerts") == []


def wait_for_days(learned: Path, days: int, running: subprocess.Popen[bytes]) -> None:
    """Waits until a stream has completed some days."""
    for _ in range(2400):
        if len(list(learned.glob("*/_SUCCESS"))) >= days:
            return
        assert running.poll() is None, "the stream has ended"
        time.sleep(0.1)
    raise AssertionError("the stream does not get on")
