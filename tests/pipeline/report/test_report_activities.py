"""Counting activities for the report: no Beam, no browser; against the same counts in plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from uncommon_im.pipeline.report import activities
from uncommon_im.pipeline.report.activities import ACTIVITY_SCHEMA, Activities, Pair, ServiceUse

Row = dict[str, Any]
VERDICTS = ("learning", "common_in_organisation", "common_on_host", "excepted", "duplicate", "rolled_up", "alert")
RARE = VERDICTS[3:]


def row(**values: Any) -> Row:
    given = {"tenant": "t", "host": "h", "program": "p", "origin": "o", "script": "", "service": "s", "hour": 0}
    return given | {"verdict": "alert"} | values


def counted(rows: list[Row], a_batch: int = 7) -> Activities:
    def batches() -> Iterator[pa.RecordBatch]:
        for first in range(0, len(rows), a_batch):
            yield pa.RecordBatch.from_pylist(rows[first : first + a_batch], ACTIVITY_SCHEMA)

    return Activities(batches())


def random_rows(seed: int) -> list[Row]:
    random = Random(seed)
    return [
        row(
            tenant=random.choice("tu"),
            host=f"h{random.randrange(6)}",
            program=random.choice(("a", "b")),
            origin=random.choice(("", "signer")),
            script=random.choice(("", "python|stdin")),
            service=random.choice(("slack", "discord")),
            hour=random.randrange(24 * 9),
            verdict=random.choice(VERDICTS),
        )
        for _ in range(300)
    ]


PAIR = ("tenant", "program", "origin", "script", "service")


def plain_pairs(rows: list[Row]) -> list[tuple[Any, ...]]:
    rare = [each for each in rows if each["verdict"] in RARE]
    found = []
    for key in {tuple(each[name] for name in PAIR) for each in rare}:
        mine = [each for each in rare if tuple(each[name] for name in PAIR) == key]
        hosts, days = {each["host"] for each in mine}, {each["hour"] // 24 for each in mine}
        alerts = sum(each["verdict"] == "alert" for each in mine)
        found.append((*key, len(hosts), tuple(sorted(hosts)[:3]), len(days), min(days), max(days), alerts))
    return sorted(found, key=lambda pair: (-pair[10], pair[5], *pair[:5]))


def told(pair: Pair) -> tuple[Any, ...]:
    first, last = ((day - date(1970, 1, 1)).days for day in (pair.first_day, pair.last_day))
    names = tuple(getattr(pair, name) for name in PAIR)
    return (*names, pair.hosts, pair.named_hosts, pair.days, first, last, pair.alerts)


@pytest.mark.parametrize("seed", range(5))
def test_rare_pairs_equal_those_counted_one_by_one(seed: int) -> None:
    rows = random_rows(seed)
    pairs, every = counted(rows).pairs(1_000)
    assert [told(pair) for pair in pairs] == plain_pairs(rows)
    assert every == len(pairs)
    fewer, every = counted(rows).pairs(3)
    assert (fewer, every) == (pairs[:3], len(pairs))


@pytest.mark.parametrize("seed", range(5))
def test_services_tenants_and_days_equal_those_counted_one_by_one(seed: int) -> None:
    rows = random_rows(seed)
    found = counted(rows)
    for use in found.services():
        mine = [each for each in rows if each["service"] == use.service]
        programs = {(each["program"], each["origin"]) for each in mine}
        alerts = sum(each["verdict"] == "alert" for each in mine)
        hosts = {(each["tenant"], each["host"]) for each in mine}
        assert use == ServiceUse(use.service, len(hosts), len(programs), len(mine), alerts)
    assert [tenant.tenant for tenant in found.tenants()] == ["t", "u"]
    for tenant in found.tenants():
        mine = [each for each in rows if each["tenant"] == tenant.tenant]
        learning = {each["hour"] // 24 for each in mine if each["verdict"] == "learning"}
        assert {(day - date(1970, 1, 1)).days for day in tenant.learning} == learning
        assert {(day - date(1970, 1, 1)).days for day in tenant.days} == {each["hour"] // 24 for each in mine}
        assert tenant.alerts == sum(each["verdict"] == "alert" for each in mine)
    assert found.by_day().total() == len(rows)


def test_the_split_into_batches_and_their_compaction_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = random_rows(1)
    whole = counted(rows, a_batch=len(rows))
    monkeypatch.setattr(activities, "_COMPACT_ROWS", 10)
    split = counted(rows, a_batch=1)
    assert split.pairs(100) == whole.pairs(100)
    assert split.services() == whole.services()
    assert split.by_day() == whole.by_day()


def test_common_activities_and_those_of_learning_make_no_rare_pair() -> None:
    rows = [row(verdict=verdict) for verdict in ("training", "learning", "common_in_organisation", "common_on_host")]
    assert counted(rows).pairs(10) == ([], 0)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_kept_back_equals_that_counted_one_by_one(seed: int) -> None:
    rows = random_rows(seed)
    hosts = sorted({each["host"] for each in rows})[:2]
    mine = [each for each in rows if each["verdict"] in RARE[:-1] and each["host"] in hosts]
    kept_back, every = counted(rows).kept_back(hosts, 1_000)
    known = [tuple(each[name] for name in (*PAIR, "host", "verdict", "day")) for each in kept_back]
    assert sum(each["activities"] for each in kept_back) == len(mine)
    assert sorted(known) == sorted({(*(e[name] for name in (*PAIR, "host", "verdict")), day(e)) for e in mine})
    assert [each["day"] for each in kept_back] == sorted((each["day"] for each in kept_back), reverse=True)
    assert counted(rows).kept_back(hosts, 2) == (kept_back[:2], every)
    assert counted(rows).kept_back([], 2) == ([], 0)


def day(each: dict[str, Any]) -> str:
    return str(date(1970, 1, 1) + timedelta(days=each["hour"] // 24))


def test_hosts_are_counted_by_tenant() -> None:
    rows = [row(host="a"), row(host="a", hour=30), row(host="b"), row(host="a", tenant="u")]
    assert counted(rows).hosts() == {"t": 2, "u": 1}


def test_days_without_activity_between_the_first_and_the_last_are_gaps() -> None:
    (tenant,) = counted([row(hour=0), row(hour=23), row(hour=24 * 4)]).tenants()
    assert tenant.gaps == 3


def test_of_nothing_there_is_nothing() -> None:
    none = counted([])
    assert none.pairs(10) == ([], 0)
    assert (none.services(), none.tenants(), none.by_day()) == ([], [], {})


def test_repeats_are_counted_for_each_alert_over_all_batches() -> None:
    rows = [row(verdict="duplicate", duplicate_of=f"a{number % 3}", hour=number) for number in range(20)]
    assert counted([row(), *rows], a_batch=4).repeats() == {"a0": 7, "a1": 7, "a2": 6}
    assert counted([row()]).repeats() == {}
