"""Which host showed which subject on which day."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import (
    DAY,
    DAY_US,
    RECORD,
    Sighting,
    activities,
    activity,
    events_of,
    quick,
    rows_of,
    sightings,
)
from uncommon_im.transforms.rules.baseline.sightings import (
    cap,
    coverage_of,
    distinct,
    host_rank,
    sightings_of_activities,
    sightings_of_executions,
    sightings_of_hours,
)
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA, plain

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["t1", "t2"]),
        st.sampled_from(["s1", "s2"]),
        st.integers(0, 7).map("h{}".format),
        st.integers(DAY, DAY + 1),
    ),
    max_size=40,
)
KEPT = st.integers(1, 3)
"""Fewer than the eight hosts there are, so that the cap bites."""


def union(*tables: pa.Table) -> pa.Table:
    return distinct(pa.concat_tables(tables))


def merged(kept: int, *tables: pa.Table) -> pa.Table:
    return cap(pa.concat_tables(tables), kept)


def smallest(rows: list[Sighting], kept: int) -> list[Sighting]:
    """At most `kept` hosts of each (tenant, subject, day), the smallest by hash."""
    groups = defaultdict(set)
    for tenant, subject, host, day in rows:
        groups[tenant, subject, day].add(host)
    return sorted(
        (tenant, subject, host, day)
        for (tenant, subject, day), hosts in groups.items()
        for host in sorted(hosts, key=host_rank)[:kept]
    )


@quick
@given(ROWS)
def test_distinct_keeps_each_row_once(rows: list[Sighting]) -> None:
    assert rows_of(distinct(sightings(rows))) == sorted(set(rows))


@quick
@given(ROWS, KEPT)
def test_capped_keeps_the_smallest_hosts_by_hash(rows: list[Sighting], kept: int) -> None:
    assert rows_of(cap(sightings(rows), kept)) == smallest(rows, kept)


@quick
@given(ROWS, ROWS, ROWS)
def test_union_is_commutative_associative_and_idempotent(
    a: list[Sighting], b: list[Sighting], c: list[Sighting]
) -> None:
    x, y, z = map(sightings, (a, b, c))
    assert rows_of(union(x, y)) == rows_of(union(y, x))
    assert rows_of(union(union(x, y), z)) == rows_of(union(x, union(y, z)))
    assert rows_of(union(x, x)) == rows_of(union(x))


@quick
@given(ROWS, ROWS, ROWS, KEPT)
def test_capped_merging_is_commutative_associative_and_idempotent(
    a: list[Sighting], b: list[Sighting], c: list[Sighting], kept: int
) -> None:
    x, y, z = map(sightings, (a, b, c))
    once = merged(kept, x, y)
    assert rows_of(once) == rows_of(merged(kept, y, x))
    assert rows_of(merged(kept, once, z)) == rows_of(merged(kept, x, merged(kept, y, z)))
    assert rows_of(merged(kept, once, once, x)) == rows_of(once)


@quick
@given(st.lists(ROWS, min_size=1, max_size=4), KEPT)
def test_capping_after_merging_or_on_both_sides_of_it_gives_the_same(parts: list[list[Sighting]], kept: int) -> None:
    tables = [sightings(part) for part in parts]
    after = rows_of(merged(kept, *tables))
    assert after == smallest([row for part in parts for row in part], kept)
    assert after == rows_of(merged(kept, *(cap(table, kept) for table in tables)))


@pytest.mark.parametrize("kept", [1, 3, 7, 8, 100])
def test_the_cap_bites_only_above_its_number(kept: int) -> None:
    rows = [("t", "s", f"h{n}", day) for n in range(8) for day in (DAY, DAY + 1)]
    assert cap(sightings(rows), kept).num_rows == 2 * min(kept, 8)


def test_the_order_of_hosts_does_not_follow_their_names() -> None:
    hosts = [f"h{n}" for n in range(20)]
    assert len({host_rank(host) for host in hosts}) == 20
    assert sorted(hosts, key=host_rank) != sorted(hosts)


def test_nothing_merged_is_nothing() -> None:
    empty = SIGHTING_SCHEMA.empty_table()
    assert (distinct(empty).num_rows, cap(empty, 3).num_rows) == (0, 0)


def test_communications_show_three_subjects_where_they_have_them_and_no_execution() -> None:
    table = activities(
        activity(communication="c1", execution="e1", parentage="p1", binary="b1"),
        activity(communication="c1", execution="e1", host="h2", hour=DAY * 24 + 23),
        activity(communication="c1", hour=DAY * 24 + 24),
        activity(communication="c1", tenant="other"),
    )
    assert rows_of(sightings_of_activities(table)) == [
        ("acme", "b1", "h1", DAY),
        ("acme", "c1", "h1", DAY),
        ("acme", "c1", "h1", DAY + 1),
        ("acme", "c1", "h2", DAY),
        ("acme", "p1", "h1", DAY),
        ("other", "c1", "h1", DAY),
    ]


def test_hours_of_the_day_are_sighted_once_a_tenant_service_hour_and_day_by_nobody_in_particular() -> None:
    table = activities(
        activity(hour_of_day="s12"),
        activity(hour_of_day="s12", host="h2"),
        activity(hour_of_day="s13"),
        activity(hour_of_day="s12", hour=DAY * 24 + 24),
        activity(hour_of_day="s12", tenant="other"),
    )
    shown = sightings_of_hours(table)
    assert plain(shown).schema == SIGHTING_SCHEMA
    assert rows_of(shown) == [
        ("acme", "s12", NO_HOST, DAY),
        ("acme", "s12", NO_HOST, DAY + 1),
        ("acme", "s13", NO_HOST, DAY),
        ("other", "s12", NO_HOST, DAY),
    ]
    assert sightings_of_hours(activities()).num_rows == 0


def test_each_parent_is_sighted_before_activities_are_merged() -> None:
    table = activities(activity(parentage="p1"), activity(parentage="p2"))
    assert [row[1] for row in rows_of(sightings_of_activities(table))] == ["c", "p1", "p2"]


def test_executions_are_sighted_once_a_tenant_fingerprint_host_and_day() -> None:
    later = {**RECORD, "event_time": RECORD["event_time"] + DAY_US // 1000}
    events = events_of(RECORD, {**RECORD, "tenant_id": "t2"}, RECORD, {**RECORD, "host_id": "h2"}, later)
    shown = sightings_of_executions(
        events, np.arange(5), np.array([0, 0, 0, 0, 1], np.int32), ["python|stdin", "python|inline:ab"]
    )
    assert plain(shown).schema == SIGHTING_SCHEMA
    assert rows_of(shown) == [
        ("default", '["execution","python|inline:ab"]', "h1", DAY + 1),
        ("default", '["execution","python|stdin"]', "h1", DAY),
        ("default", '["execution","python|stdin"]', "h2", DAY),
        ("t2", '["execution","python|stdin"]', "h1", DAY),
    ]


def test_no_executions_are_no_sightings() -> None:
    none = sightings_of_executions(events_of(RECORD), np.zeros(0, np.int64), np.zeros(0, np.int32), [])
    assert (plain(none).schema, none.num_rows) == (SIGHTING_SCHEMA, 0)


@quick
@given(st.lists(st.tuples(st.sampled_from([None, "default", "t2"]), st.integers(0, 3), st.booleans())))
def test_coverage_is_each_tenants_days_with_the_number_of_used_events(
    drawn: list[tuple[str | None, int, bool]],
) -> None:
    records = [
        {**RECORD, "tenant_id": tenant, "event_time": (DAY + day * 400) * DAY_US // 1000} for tenant, day, _ in drawn
    ]
    used = np.array([used for _, _, used in drawn], np.bool_)
    expected = Counter((tenant or "default", DAY + day * 400) for tenant, day, used in drawn if used)
    assert coverage_of(events_of(*records), used) == expected


def test_few_tenants_and_days_are_counted_as_many_are() -> None:
    records = [{**RECORD, "tenant_id": f"t{n % 3}"} for n in range(50)]
    expected = {("t0", DAY): 17, ("t1", DAY): 17, ("t2", DAY): 16}
    assert coverage_of(events_of(*records), np.ones(50, np.bool_)) == expected


def test_a_days_last_microsecond_belongs_to_it() -> None:
    records = [{**RECORD, "event_time": text} for text in ("2024-10-04T23:59:59.999999Z", "2024-10-05T00:00:00Z")]
    expected = {("default", DAY): 1, ("default", DAY + 1): 1}
    assert coverage_of(events_of(*records), np.ones(2, np.bool_)) == expected
