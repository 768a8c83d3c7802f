"""The stream on Prism gives the same alerts: as the backfill, as the oracle, warm, restarted, with late records."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Options, detect
from tests.oracle.stream import Waiting, detect_stream
from tests.organisations import random_organisation
from tests.pipeline.baselines.test_snapshots import content_of
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.processes import command
from tests.runners.equality import SEEDS, adds_up, equals_the_backfill_and_the_oracle, files_of, lateness_of
from tests.running import configuration_of, read_rows, run_records, write_lines
from tests.streaming import on_prism
from tests.transforms.rules.stream.driving import with_late_ones
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.baselines.write_learned import begin_learned
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US, day_number, rfc3339

pytestmark = pytest.mark.runners

FIRST = date(2026, 3, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_organisation_in_any_arrival_order_gives_the_backfills_and_the_oracles_alerts_and_verdicts(
    seed: int, tmp_path: Path
) -> None:
    equals_the_backfill_and_the_oracle(seed, tmp_path, on_prism)


@pytest.mark.parametrize("seed", [3])
def test_step_by_step_it_gives_what_it_gives_in_leaps(seed: int, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    options = organisation.options
    patterns, times = files_of(organisation, tmp_path, seed), ArrivalTimes(seed=seed, lateness=600 * SECOND_US)
    stepped = on_prism(patterns, configuration_of(options), lateness_of(options), times, step=DAY_US)
    expected = detect(organisation.records, options)
    assert Counter(map(comparable, stepped.alerts)) == Counter(map(comparable, expected.alerts))


def test_late_records_do_what_the_oracle_says_and_late_alerts_reach_the_sink(tmp_path: Path) -> None:
    organisation, waiting = random_organisation(7), Waiting()
    options = organisation.options
    arrivals = with_late_ones(organisation, random.Random(7), waiting)
    write_lines(tmp_path / "events.jsonl", [record | {"_at": rfc3339(at)} for record, at in arrivals])
    times = ArrivalTimes(column="_at")
    found = on_prism([str(tmp_path / "events.jsonl")], configuration_of(options), lateness_of(options), times)
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


@pytest.mark.parametrize("seed", [4])
def test_a_warm_start_at_any_day_goes_on_where_the_backfill_left_off(seed: int, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    options = replace(organisation.options, start=None, end=None)
    as_of = FIRST + timedelta(days=random.Random(seed).randint(15, 58))
    run_records(organisation.records, configuration_of(options, end=as_of, baseline_out=str(tmp_path / "B")))
    configuration = with_baseline(configuration_of(options), open_snapshot(str(tmp_path / "B")), False)
    since = day_number(as_of) * DAY_US - (seed % 3) * DAY_US
    times = ArrivalTimes(seed=seed, lateness=600 * SECOND_US, since=since)
    found = on_prism(files_of(organisation, tmp_path, seed), configuration, lateness_of(options), times)
    expected = [alert for alert in detect(organisation.records, options).alerts if alert["timestamp"] >= str(as_of)]
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected))
    assert expected


def test_a_snapshot_of_what_the_stream_learned_is_the_one_that_a_backfill_leaves(tmp_path: Path) -> None:
    organisation, as_of = random_organisation(4), FIRST + timedelta(days=40)
    options = replace(organisation.options, start=None, end=None)
    times, learned = ArrivalTimes(seed=4, lateness=600 * SECOND_US), str(tmp_path / "learned")
    begin_learned(learned, configuration_of(options).stream_metadata)
    patterns = files_of(organisation, tmp_path, 4)
    on_prism(patterns, configuration_of(options), lateness_of(options), times, sightings_out=learned)
    taken = ["--as-of", str(as_of), "--baseline-out", str(tmp_path / "S")]
    assert main(["snapshot", "--sightings", learned, *taken]) == 0
    run_records(organisation.records, configuration_of(options, end=as_of, baseline_out=str(tmp_path / "B")))
    of_stream, of_backfill = content_of(tmp_path / "S"), content_of(tmp_path / "B")
    for table in ("sightings", "host_sightings", "said", "instances"):
        assert of_stream[table] == of_backfill[table], table
    days = {
        table: [row[:2] for row in content["coverage"]] for table, content in (("S", of_stream), ("B", of_backfill))
    }
    assert days["S"] == days["B"], "numbers of events count repeated records too"


@pytest.mark.parametrize("seed", [6])
def test_killed_and_restarted_as_the_readme_says_the_union_of_alerts_is_the_oracles(seed: int, tmp_path: Path) -> None:
    organisation = random_organisation(seed)
    write_lines(tmp_path / "events.jsonl", organisation.records)
    (tmp_path / "exceptions.yaml").write_text(json.dumps([dict(entry) for entry in organisation.options.exceptions]))
    options = replace(Options(exceptions=organisation.options.exceptions), operator_ranges=False)
    common = ["--input", str(tmp_path / "events.jsonl"), "--shuffle-seed", str(seed)]
    common += ["--exceptions", str(tmp_path / "exceptions.yaml"), "--sightings-out", str(tmp_path / "learned")]
    # the stream, killed without a warning once it has got some way
    command = [
        sys.executable,
        "-m",
        "uncommon_im.pipeline.cli.main",
        "replay",
        *common,
        "--output",
        str(tmp_path / "one"),
    ]
    killed = subprocess.Popen([*command, "--rate", "60"], stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for(tmp_path / "learned", days=25 + seed, running=killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    # snapshot of the newest day that is complete, then a new stream that reads again from there
    newest = max(path.parent.name for path in (tmp_path / "learned").glob("*/_SUCCESS"))
    as_of = str(date.fromisoformat(newest) + timedelta(days=1))
    snapshot = ["--sightings", str(tmp_path / "learned"), "--as-of", as_of, "--baseline-out", str(tmp_path / "B")]
    assert main(["snapshot", *snapshot]) == 0
    rest = ["--baseline-in", str(tmp_path / "B"), "--arrived-since", as_of, "--output", str(tmp_path / "two")]
    assert main(["replay", *common, *rest]) == 0
    (before,) = (tmp_path / "one" / ".uncommon-im").glob("*Z-*/")  # a replay that is killed publishes nothing
    alerts = [alert for run in (before, tmp_path / "two") for alert in read_rows(str(run), "alerts")]
    union = {alert["alert_id"]: comparable(alert) for alert in alerts}
    whole = detect(organisation.records, options).alerts
    expected: dict[str, Any] = {alert["alert_id"]: comparable(alert) for alert in whole}
    assert union == expected
    assert 0 < len(read_rows(str(before), "alerts")) < len(expected)
    assert read_rows(str(tmp_path / "one"), "alerts") == []


def wait_for(learned: Path, days: int, running: subprocess.Popen[bytes]) -> None:
    """Waits until a stream has completed some days."""
    for _ in range(2400):
        if len(list(learned.glob("*/_SUCCESS"))) >= days:
            return
        assert running.poll() is None, "the stream has ended"
        time.sleep(0.1)
    raise AssertionError("the stream does not get on")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_replay_that_is_stopped_or_killed_leaves_no_prism_behind(number: signal.Signals, tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", random_organisation(3).records)
    files = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "run"), "--rate", "1"]
    with command(tmp_path / "tmp", "replay", *files) as replay:
        replay.wait_for(lambda: replay.others("--job_port"))
        replay.main.send_signal(number)
        _, said = replay.main.communicate(timeout=60)
        replay.wait_until_gone()
    if number != signal.SIGKILL:
        assert replay.main.returncode == 128 + number
        assert said.splitlines()[-1] == f"uncommon-im: stopped by {number.name}; the output is not complete"


def test_a_replay_whose_prism_is_killed_ends_in_one_line_that_says_the_likely_cause(tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", random_organisation(3).records)
    files = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "run"), "--rate", "1"]
    with command(tmp_path / "tmp", "replay", *files) as replay:
        replay.wait_for(lambda: len(replay.others("--job_port")) == 2)  # it and its guard
        time.sleep(30)  # until the job runs: nothing outside of it says so
        (prism,) = {*replay.others("--job_port")} - {*replay.others("tied.py")}
        os.kill(prism, signal.SIGKILL)
        _, told = replay.main.communicate(timeout=60)
        replay.wait_until_gone()
    assert replay.main.returncode == 1
    (line,) = [line for line in told.splitlines() if "configuration {" not in line and "sorting " not in line]
    assert line.startswith("uncommon-im: the run failed: the engine is gone: most likely it was killed")
