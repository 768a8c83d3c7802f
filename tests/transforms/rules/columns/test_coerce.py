"""Values of any type as the types of the event's columns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.schemas.event import EARLIEST_US, EVENT_COLUMNS, LATEST_US
from uncommon_im.transforms.rules.columns.coerce import (
    UNREADABLE,
    coerce_array,
    coerce_values,
    serves,
    to_integer,
    to_text,
    to_time,
)

YEAR_2026 = 1_767_225_600_000_000
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", ""),
        (" a ", " a "),
        ("ü€😀", "ü€😀"),
        (b"a\xc3\xbc", "aü"),
        (5, "5"),
        (-(10**30), "-1" + "0" * 30),
        (5.0, "5"),
        (1.5, "1.5"),
    ],
)
def test_text_and_numbers_are_text(value: object, expected: str | None) -> None:
    assert to_text(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "is true or false, expected text"),
        ([1], "is a list, expected text"),
        ((1,), "is a list, expected text"),
        ({"a": 1}, "is an object, expected text"),
        (float("nan"), "is nan, expected text"),
        (float("inf"), "is inf, expected text"),
        (b"\xff", "is not UTF-8 text"),
        ("a\ud800", "holds half of a surrogate pair, which is no character"),
        (date(2026, 1, 1), "is datetime.date(2026, 1, 1), expected text"),
    ],
)
def test_what_is_no_text_says_what_it_is(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|holds) ") as error:
        to_text(value)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        (" N/A ", None),
        ("-", None),
        (0, 0),
        (443, 443),
        ("443", 443),
        (" -7 ", -7),
        ("007", 7),
        (443.0, 443),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (str(-(2**63)), -(2**63)),
    ],
)
def test_whole_numbers_and_digits_are_integers(value: object, expected: int | None) -> None:
    assert to_integer(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "is 1.5, expected a whole number"),
        ("1.5", "is '1.5', expected a whole number"),
        ("0x1f", "is '0x1f', expected a whole number"),
        ("+5", "is '+5', expected a whole number"),
        ("--5", "is '--5', expected a whole number"),
        ("1_000", "is '1_000', expected a whole number"),
        ("٣", "is '٣', expected a whole number"),
        ("9" * 5000, f"is '{'9' * 40}', expected a whole number"),
        (True, "is true or false, expected a whole number"),
        ([], "is a list, expected a whole number"),
        ({}, "is an object, expected a whole number"),
        (float("nan"), "is nan, expected a whole number"),
        (float("inf"), "is inf, expected a whole number"),
        (Decimal("5"), "is Decimal('5'), expected a whole number"),
        (2**63, "is too large a number for 64 bits"),
        (-(2**63) - 1, "is too large a number for 64 bits"),
        (str(2**63), "is too large a number for 64 bits"),
        (1e19, "is too large a number for 64 bits"),
    ],
)
def test_what_is_no_integer_says_what_it_is(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|holds) ") as error:
        to_integer(value)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("2026-01-01T00:00:00Z", 0),
        (" 2026-01-01t00:00:00z ", 0),
        ("2026-01-01 00:00:00Z", 0),
        ("2026-01-01T05:30:00+05:30", 0),
        ("2025-12-31T19:00:00-05:00", 0),
        ("2026-01-01T00:00:00-00:00", 0),
        ("2026-01-01T00:00:00.5Z", 500_000),
        ("2026-01-01T00:00:00.000001Z", 1),
        ("2026-01-01T00:00:00.123456789Z", 123_456),
        (1_767_225_600_000, 0),
        (1_767_225_600_001, 1_000),
        ("1767225600001", 1_000),
        (1_767_225_600_000.5, 500),
        (datetime(2026, 1, 1, tzinfo=UTC), 0),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(2026, 1, 1), 0),
    ],
)
def test_zoned_text_and_epoch_milliseconds_are_times(value: object, micros: int) -> None:
    assert to_time(value) == YEAR_2026 + micros


@pytest.mark.parametrize("value", [None, "", "-", "null", " Unknown "])
def test_markers_are_missing_times(value: object) -> None:
    assert to_time(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+25:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-W01-1T00:00:00Z",
        "٢026-01-01T00:00:00Z",
        "yesterday",
        "1.5",
        "9" * 25,
        True,
        [],
        {},
        float("nan"),
        float("inf"),
        1e300,
        date(2026, 1, 1),
    ],
)
def test_what_is_no_time_is_unreadable(value: object) -> None:
    assert to_time(value) == UNREADABLE


@pytest.mark.parametrize("unit", [1, 10**6, 10**9], ids=["seconds", "microseconds", "nanoseconds"])
def test_epoch_times_of_another_unit_are_not_guessed(unit: int) -> None:
    assert to_time(YEAR_2026 // 10**6 * unit) == UNREADABLE


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (EARLIEST_US // 1000, True),
        (EARLIEST_US // 1000 - 1, False),
        (LATEST_US // 1000 - 1, True),
        (LATEST_US // 1000, False),
        ("2000-01-01T00:00:00Z", True),
        ("1999-12-31T23:59:59.999999Z", False),
        ("2099-12-31T23:59:59.999999Z", True),
        ("2100-01-01T00:00:00Z", False),
        ("2000-01-01T00:00:00+00:01", False),
        ("0001-01-01T00:00:00+23:59", False),
        ("9999-12-31T23:59:59-23:59", False),
    ],
)
def test_only_times_of_the_years_2000_to_2099_fall_into_the_valid_range(value: object, valid: bool) -> None:
    micros = to_time(value)
    assert micros is not None
    assert (EARLIEST_US <= micros < LATEST_US) is valid


@quick
@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)),
    st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_zoned_text_keeps_every_microsecond(moment: datetime, zone: timezone) -> None:
    zoned = moment.replace(tzinfo=zone)
    exact = (zoned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert to_time(zoned.isoformat()) == exact
    assert to_time(zoned) == exact


@quick
@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.binary(), st.lists(st.integers())))
def test_no_value_is_an_error_as_a_time(value: object) -> None:
    assert to_time(value) is None or isinstance(to_time(value), int)


def times(unit: str, *values: int | None) -> pa.Array:
    return pa.array(values, pa.timestamp(unit, tz="UTC"))


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("s", YEAR_2026 // 10**6, YEAR_2026),
        ("ms", YEAR_2026 // 10**3 + 1, YEAR_2026 + 1_000),
        ("us", YEAR_2026 + 1, YEAR_2026 + 1),
        ("ns", YEAR_2026 * 10**3 + 1_999, YEAR_2026 + 1),
        ("ns", LATEST_US * 10**3 - 1, LATEST_US - 1),
        ("ns", LATEST_US * 10**3, UNREADABLE),
        ("ns", EARLIEST_US * 10**3, EARLIEST_US),
        ("ns", EARLIEST_US * 10**3 - 1, UNREADABLE),
        *((unit, extreme, UNREADABLE) for unit in PER_SECOND for extreme in (-(2**63), -1, 0, 2**63 - 1)),
        *((unit, None, None) for unit in PER_SECOND),
    ],
)
def test_timestamps_of_every_unit_become_microseconds(unit: str, value: int | None, expected: int | None) -> None:
    found, problems = coerce_array("event_time", times(unit, value))
    assert (found.type, found.to_pylist(), problems) == (pa.int64(), [expected], {})


@quick
@given(st.sampled_from(sorted(PER_SECOND)), st.lists(st.none() | INT64 | st.integers(0, 2**33), max_size=5))
def test_no_timestamp_wraps_around(unit: str, values: list[int | None]) -> None:
    exact = [None if v is None else v * 10**6 // PER_SECOND[unit] for v in values]
    expected = [v if v is None or EARLIEST_US <= v < LATEST_US else UNREADABLE for v in exact]
    assert coerce_array("event_time", times(unit, *values))[0].to_pylist() == expected


def test_timestamps_without_zone_are_utc_and_chunks_are_joined() -> None:
    chunk = pa.array([YEAR_2026], pa.timestamp("us"))
    assert coerce_array("event_time", pa.chunked_array([chunk, chunk]))[0].to_pylist() == [YEAR_2026] * 2


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([YEAR_2026 // 1000, None, 5]), [YEAR_2026, None, UNREADABLE]),
        (pa.array(["2026-01-01T00:00:00Z", "-", "x"]), [YEAR_2026, None, UNREADABLE]),
        (pa.array([YEAR_2026 / 1000]), [YEAR_2026]),
        (pa.array([True]), [UNREADABLE]),
    ],
)
def test_time_columns_of_other_types_are_read_value_by_value(array: pa.Array, expected: list[int | None]) -> None:
    found, problems = coerce_array("event_time", array)
    assert (found.to_pylist(), problems) == (expected, {})


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("host_id", pa.array(["a", None]), ["a", None]),
        ("host_id", pa.array(["a", None], pa.large_string()), ["a", None]),
        ("host_id", pa.array(["a", None], pa.string_view()), ["a", None]),
        ("host_id", pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
        ("host_id", pa.array([b"a"], pa.binary()), ["a"]),
        ("host_id", pa.array([7, None]), ["7", None]),
        ("host_id", pa.array([7.0, 1.5]), ["7", "1.5"]),
        ("host_id", pa.nulls(2), [None, None]),
        ("remote_port", pa.array([443, None], pa.uint16()), [443, None]),
        ("remote_port", pa.array([443], pa.uint64()), [443]),
        ("remote_port", pa.array(["443", "-"]), [443, None]),
        ("remote_port", pa.array([443.0]), [443]),
        ("remote_port", pa.nulls(1), [None]),
    ],
)
def test_typed_columns_serve_as_text_and_integers(name: str, array: pa.Array, expected: list[Any]) -> None:
    found, problems = coerce_array(name, array)
    assert (found.to_pylist(), problems) == (expected, {})


@pytest.mark.parametrize(
    ("name", "array", "problems"),
    [
        ("host_id", pa.array([["a"], None]), {0: "host_id is a list, expected text"}),
        ("host_id", pa.array([{"a": 1}]), {0: "host_id is an object, expected text"}),
        ("host_id", pa.array([None, True]), {1: "host_id is true or false, expected text"}),
        ("host_id", pa.array([b"\xff"], pa.binary()), {0: "host_id is not UTF-8 text"}),
        ("remote_port", pa.array([2**63], pa.uint64()), {0: "remote_port is too large a number for 64 bits"}),
        ("remote_port", pa.array([1.5, 1.0]), {0: "remote_port is 1.5, expected a whole number"}),
        ("remote_port", pa.array(["x"]), {0: "remote_port is 'x', expected a whole number"}),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_missing_and_named(
    name: str, array: pa.Array, problems: dict[int, str]
) -> None:
    found, wrong = coerce_array(name, array)
    assert wrong == problems
    assert {row for row, value in enumerate(found.to_pylist()) if value is None} >= set(problems)
    assert not serves(name, array.type)


def test_one_bad_value_costs_its_column_no_other() -> None:
    values = ["a", "\ud800", None, 5, True]
    found, problems = coerce_values("host_id", values)
    assert found.to_pylist() == ["a", None, None, "5", None]
    assert sorted(problems) == [1, 4]


@pytest.mark.parametrize(
    ("name", "stored", "expected"),
    [
        ("host_id", pa.string(), True),
        ("host_id", pa.dictionary(pa.int8(), pa.large_string()), True),
        ("host_id", pa.dictionary(pa.int8(), pa.int64()), False),
        ("host_id", pa.binary(), False),
        ("remote_port", pa.int8(), True),
        ("remote_port", pa.uint32(), True),
        ("remote_port", pa.uint64(), False),
        ("remote_port", pa.string(), False),
    ],
)
def test_a_type_serves_only_if_no_value_of_it_is_problems(name: str, stored: pa.DataType, expected: bool) -> None:
    assert serves(name, stored) is expected


@quick
@given(
    st.sampled_from(sorted(EVENT_COLUMNS)),
    st.lists(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.none()))),
)
def test_a_column_of_loose_values_never_fails_as_a_whole(name: str, values: list[object]) -> None:
    found, problems = coerce_values(name, values)
    assert len(found) == len(values)
    assert all(found[row].as_py() is None and name in detail for row, detail in problems.items())


PAIR = st.integers(0, 75).map("{:02}".format)
ZONED = st.builds(
    "{}-{}-{}T{}:{}:{}{}{}".format,
    st.sampled_from(["1999", "2000", "2024", "2026", "2099", "2100", "20x6"]),
    PAIR,
    PAIR,
    PAIR,
    PAIR,
    PAIR,
    st.just("") | st.integers(0, 10**10).map(".{}".format),
    st.sampled_from(["Z", "Z", "z", "+01:00", ""]),
)


@given(st.lists(ZONED | st.none() | st.sampled_from(["2024-02-29T23:59:59.9999999Z", "-", " 2026-03-01T10:00:00Z"])))
@quick
def test_many_times_at_once_are_what_each_is_alone(values: list[str | None]) -> None:
    found, problems = coerce_values("event_time", values)
    assert found.cast(pa.int64()).to_pylist() == list(map(to_time, values))
    assert problems == {}


def test_a_time_that_no_calendar_has_costs_the_others_nothing() -> None:
    usual, impossible = "2026-03-01T10:00:00.5Z", "2026-02-30T10:00:00Z"
    found, _ = coerce_values("event_time", [usual, impossible, None])
    assert found.cast(pa.int64()).to_pylist() == [to_time(usual), UNREADABLE, None]
