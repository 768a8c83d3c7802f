"""Warm starts and restarts by the stream's rules. No engine: the worst one is simulated, the backfill is in-process."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.oracle import Options, detect
from tests.oracle.stream import Arrival
from tests.organisations import Organisation, random_organisation
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.running import configuration_of, run_records
from tests.transforms.rules.stream.driving import Driven, drive, engine_of, on_time, time_of
from tests.transforms.rules.stream.engine import END, Engine
from uncommon_im.pipeline.baselines.read_history import messages_of, starts_of
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.alerts.secrets import SecretText
from uncommon_im.transforms.rules.columns.days import DAY_US, day_number, day_of
from uncommon_im.transforms.rules.instances.keeping import Keeper, recent_starts
from uncommon_im.transforms.rules.instances.packed import PackedRow, unpack_rows
from uncommon_im.transforms.rules.recognition.command_line import Engines
from uncommon_im.transforms.rules.stream.day_sets import DaySet
from uncommon_im.transforms.rules.stream.instances import columns_of
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import HostHistory, Message, SaidBefore, Sighting, host_of, key_of

FIRST = date(2026, 3, 1)
ALLOWED = 600_000_000


def lateness_of(options: Options) -> Lateness:
    return Lateness(ALLOWED, DAY_US, options.training_days)


def organisation_without_range(seed: int) -> Organisation:
    organisation = random_organisation(seed)
    return replace(organisation, options=replace(organisation.options, start=None, end=None))


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_that_starts_from_a_snapshot_goes_on_as_if_it_had_seen_its_days(seed: int, tmp_path: Path) -> None:
    organisation, chooser = organisation_without_range(seed), random.Random(seed)
    options = organisation.options
    as_of = FIRST + timedelta(days=chooser.randint(15, 58))
    before = configuration_of(options, end=as_of, baseline_out=str(tmp_path / "B"))
    run_records(organisation.records, before)
    configuration = with_baseline(configuration_of(options), open_snapshot(str(tmp_path / "B")), False)
    arrivals = on_time(organisation, seed, ALLOWED, times=2)
    overlap = DAY_US * chooser.choice((0, 0, 1, 40))
    arrivals = [arrival for arrival in arrivals if arrival[1] >= day_number(as_of) * DAY_US - overlap]

    driven = drive(arrivals, configuration, lateness_of(options), seed, engine=warm(configuration, options, seed))
    whole = detect(organisation.records, options)
    assert Counter(map(comparable, driven.engine.alerts)) == Counter(map(comparable, since(as_of, whole.alerts)))
    judged = [row for row in whole.activities if row["hour"] >= day_number(as_of) * 24]
    rows = [row for row in driven.engine.verdicts if row["verdict"] != "training"]
    assert verdict_rows(rows) == oracle_rows(judged), organisation.story


def since(as_of: date, alerts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [alert for alert in alerts if alert["timestamp"] >= str(as_of)]


def warm(configuration: Configuration, options: Options, seed: int) -> Engine:
    """An engine that is given a snapshot's messages."""
    assert configuration.baseline is not None
    engine = engine_of(configuration, lateness_of(options), seed)
    for table, files in configuration.baseline.metadata.files.items():
        for name in files:
            for to, key, message in messages_of(table, name, configuration.baseline):
                engine.give(to, key, message, -END)
    return engine


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_and_restarted_the_union_of_alerts_is_the_oracles(seed: int) -> None:
    organisation, chooser = organisation_without_range(seed), random.Random(seed)
    options, lateness = organisation.options, lateness_of(organisation.options)
    arrivals = on_time(organisation, seed, ALLOWED)
    killed_at = (day_number(FIRST) + chooser.uniform(5, 60)) * DAY_US
    seen = [arrival for arrival in arrivals if arrival[1] < killed_at]
    first = drive_until_killed(seen, configuration_of(options), lateness, seed)
    as_of = complete_until(first.engine, lateness)
    configuration = configuration_of(options, start=day_of(as_of))
    second = engine_of(configuration, lateness, seed + 1)
    for to, key, message in what_was_learned(first, as_of, options):
        second.give(to, key, message, -END)
    retained = [arrival for arrival in arrivals if arrival[1] >= as_of * DAY_US]
    drive(retained, configuration, lateness, seed + 1, engine=second)

    union = {alert["alert_id"]: comparable(alert) for alert in (*first.engine.alerts, *second.alerts)}
    expected = {alert["alert_id"]: comparable(alert) for alert in detect(organisation.records, options).alerts}
    assert union == expected, (organisation.story, day_of(as_of))


def drive_until_killed(
    arrivals: Iterable[Arrival], configuration: Configuration, lateness: Lateness, seed: int
) -> Driven:
    """A stream that is stopped with work left undone."""
    engine = engine_of(configuration, lateness, seed)
    engine.ends = False
    return drive(list(arrivals), configuration, lateness, seed, engine=engine)


def complete_until(engine: Engine, lateness: Lateness) -> int:
    """The day before which everything has left every step: what `_SUCCESS` of a day says."""
    reached = min(engine.watermarks().values())
    return (reached - 10 - lateness.allowed // 1000) * 1000 // DAY_US


def what_was_learned(killed: Driven, as_of: int, options: Options) -> Iterable[tuple[str, str, Message]]:
    """(step, key, message) of what a stream exported of the days before `as_of`, as a snapshot holds it."""
    shown: dict[tuple[str, str, str], DaySet] = {}
    for sighting in killed.engine.sightings:
        assert isinstance(sighting, Sighting)
        if sighting.known < as_of and sighting.day >= as_of - options.training_days:
            days = shown.setdefault((sighting.tenant, sighting.host, sighting.subject), DaySet())
            days.add(sighting.day, sighting.day)
            yield "baselines", key_of(sighting.tenant, sighting.subject), sighting
    for (tenant, host, subject), days in shown.items():
        yield "hosts", key_of(tenant, host), HostHistory(subject, days.pack())
    for covered in killed.covered:
        if covered.known < as_of:
            yield "baselines", covered.key, covered.sighting
    yield from starts_of(starts_kept(killed, as_of, options))
    for said in killed.engine.said:
        assert isinstance(said, SaidBefore)
        if said.time < as_of * DAY_US:
            yield "judge", key_of(*said.key[:2]), said


def starts_kept(killed: Driven, as_of: int, options: Options) -> pa.Table:
    """Starts of processes that were known before a day, as a snapshot keeps them."""
    catalogue, lateness = load_catalogue(), lateness_of(options)
    rows = [
        PackedRow(*host_of(key), guid, time, content)
        for key, message in killed.engine.starts
        for guid, time, instant, content in zip(*columns_of(message), strict=True)
        if instant < as_of * DAY_US // 1000 + lateness.allowed // 1000
    ]
    recent = recent_starts([unpack_rows(rows)], as_of * DAY_US, options.process_lookback_days * DAY_US)
    return Keeper(Engines(catalogue), SecretText(catalogue).masked).kept(recent)


def test_a_snapshot_of_days_that_the_stream_sees_too_changes_nothing(tmp_path: Path) -> None:
    organisation = organisation_without_range(4)
    options: Any = organisation.options
    as_of = FIRST + timedelta(days=30)
    before = [record for record in organisation.records if time_of(record, "default") < day_number(as_of) * DAY_US]
    run_records(before, configuration_of(options, end=as_of, baseline_out=str(tmp_path / "B")))
    configuration = with_baseline(configuration_of(options), open_snapshot(str(tmp_path / "B")), False)
    arrivals = on_time(organisation, 4, ALLOWED)
    warmed = drive(arrivals, configuration, lateness_of(options), 4, engine=warm(configuration, options, 4))
    cold = drive(arrivals, configuration_of(options), lateness_of(options), 5)
    alerts = since(as_of, cold.engine.alerts)
    assert Counter(map(comparable, warmed.engine.alerts)) == Counter(map(comparable, alerts))
    assert len(warmed.engine.verdicts) == len(cold.engine.verdicts)
