"""Does one of the user's exceptions match this event?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncommon_im.schemas.exceptions import EXCEPTION_FIELDS, ExceptionEntry
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions

EVENT: dict[str, str | None] = {
    "process_name": "Courier.exe",
    "origin": "unsigned:c:/users/*/bin",
    "signer": "Acme Corp",
    "service_id": "telegram",
    "host_id": "H-1",
    "user_name": "ACME\\al",
    "process_path": "C:\\Users\\al\\bin\\Courier.exe",
    "parent_process_name": None,
    "remote_host": "api.telegram.org",
}
TODAY = day_number(date(2026, 5, 1))


def entry(globs: dict[str, str], expires: date | None = None) -> ExceptionEntry:
    return ExceptionEntry(tuple((name, glob.lower()) for name, glob in globs.items()), "known", expires)


@pytest.mark.parametrize(
    "globs",
    [
        {"process_name": "courier.exe"},
        {"process_name": "C*.EXE"},
        {"process_name": "?ourier.exe"},
        {"process_name": "[a-c]ourier.*"},
        {"origin": "unsigned:c:/users/[*]/bin"},
        {"signer": "acme*"},
        {"service_id": "telegram"},
        {"host_id": "h-?"},
        {"user_name": "acme\\al"},
        {"process_path": "c:\\users\\*\\bin\\*"},
        {"remote_host": "*.telegram.org"},
        {"process_name": "*", "service_id": "tele*", "host_id": "h-1"},
    ],
)
def test_an_exception_matches_if_all_its_globs_do_without_case(globs: dict[str, str]) -> None:
    assert Exceptions((entry(globs),)).match(EVENT, TODAY) is not None


@pytest.mark.parametrize(
    "globs",
    [
        {"process_name": "courier"},
        {"process_name": "ourier.exe"},
        {"service_id": "discord"},
        {"process_name": "courier.exe", "service_id": "discord"},
        {"remote_host": "telegram.org"},
        {"parent_process_name": "*"},
        {"process_name": "courier.exe", "parent_process_name": "*"},
    ],
)
def test_an_exception_does_not_match_if_one_glob_does_not_or_the_value_is_missing(globs: dict[str, str]) -> None:
    assert Exceptions((entry(globs),)).match(EVENT, TODAY) is None


@pytest.mark.parametrize(("day", "holds"), [(TODAY - 400, True), (TODAY - 1, True), (TODAY, True), (TODAY + 1, False)])
def test_an_exception_holds_up_to_and_on_its_last_day(day: int, holds: bool) -> None:
    exceptions = Exceptions((entry({"service_id": "telegram"}, date(2026, 5, 1)),))
    assert (exceptions.match(EVENT, day) is not None) is holds


def test_the_first_entry_that_matches_and_has_not_expired_is_told() -> None:
    other, old, wide, narrow = (
        entry({"service_id": "discord"}),
        entry({"service_id": "telegram"}, date(2026, 4, 30)),
        entry({"service_id": "*"}),
        entry({"process_name": "courier.exe"}),
    )
    assert Exceptions((other, old, wide, narrow)).match(EVENT, TODAY) == wide


def test_without_entries_nothing_is_excepted() -> None:
    assert Exceptions(()).match(EVENT, TODAY) is None


def test_only_fields_that_an_entry_names_are_looked_at() -> None:
    exceptions = Exceptions((entry({"service_id": "x", "host_id": "y"}), entry({"host_id": "z"})))
    assert exceptions.fields == ("host_id", "service_id")
    assert exceptions.last_days == []
    assert Exceptions((entry({"host_id": "z"}, date(2026, 5, 1)), *exceptions.entries)).last_days == [TODAY]


@pytest.mark.parametrize("field", EXCEPTION_FIELDS)
def test_each_field_looks_at_its_own_value_only(field: str) -> None:
    exceptions = Exceptions((entry({field: "v"}),))
    assert exceptions.match({field: "V"}, TODAY) is not None
    assert exceptions.match({name: "v" for name in EXCEPTION_FIELDS if name != field}, TODAY) is None


def test_values_that_no_entry_tells_apart_are_known_as_the_same() -> None:
    exceptions = Exceptions((entry({"user_name": "acme\\*"}), entry({"user_name": "bo"})))
    known = exceptions.known
    assert known("user_name", "ACME\\al") == known("user_name", "acme\\cy") != known("user_name", "bo")
    assert known("user_name", "eve") == known("user_name", "") == known("user_name", None)


FIELDS = ("process_name", "service_id", "user_name")
GLOBS = st.text("ab*?[]!-", max_size=9) | st.text("ab", max_size=3) | st.sampled_from(("*", "?*", "aabab*", "*abaab*b"))
ENTRIES = st.lists(
    st.builds(
        lambda globs, day: ExceptionEntry(tuple(globs), "r", date.fromordinal(day) if day else None),
        st.lists(st.tuples(st.sampled_from(FIELDS), GLOBS), min_size=1, max_size=4),
        st.none() | st.integers(700_000, 700_004),
    ),
    max_size=30,
)
VALUES = st.fixed_dictionaries({name: st.none() | st.text("abAB[*", max_size=8) for name in FIELDS})


def holds(listed: ExceptionEntry, values: dict[str, str | None], day: date) -> bool:
    """What section 7 says of one entry, word by word."""
    matched = [bool(values[name]) and fnmatchcase((values[name] or "").lower(), glob) for name, glob in listed.globs]
    return all(matched) and (listed.expires is None or day <= listed.expires)


@settings(deadline=None)
@given(ENTRIES, st.lists(VALUES, min_size=1, max_size=5), st.integers(699_999, 700_005))
def test_what_the_index_finds_is_what_a_look_at_every_entry_finds(
    listed: Sequence[ExceptionEntry], events: Sequence[dict[str, str | None]], ordinal: int
) -> None:
    exceptions, day = Exceptions(tuple(listed)), date.fromordinal(ordinal)
    for values in events:
        places = [place for place, one in enumerate(listed) if holds(one, values, day)]
        assert sorted(exceptions.all(exceptions.look(values), day_number(day))) == places
        found = exceptions.match(values, day_number(day))
        assert found is (listed[places[0]] if places else None)


def test_entries_of_every_shape_are_told_apart_among_thousands() -> None:
    listed = [
        entry(globs)
        for number in range(2000)
        for globs in (
            {"process_name": f"tool{number}.exe", "service_id": "telegram"},
            {"process_path": f"*\\tool{number}\\*", "user_name": "*"},
            {"host_id": f"h-{number}", "process_name": f"c*{number}?exe"},
            {"user_name": "acme\\al", "process_path": f"c:\\users\\*{number}*.exe"},
        )
    ]
    exceptions = Exceptions(tuple(listed))
    assert exceptions.match(EVENT, TODAY) is None
    assert exceptions.match(EVENT | {"process_name": "Tool17.exe"}, TODAY) is listed[17 * 4]
    assert exceptions.match(EVENT | {"process_path": "D:\\Tool18\\x"}, TODAY) is listed[18 * 4 + 1]
    assert exceptions.match(EVENT | {"host_id": "h-19", "process_name": "c-19.exe"}, TODAY) is listed[19 * 4 + 2]
    assert exceptions.match(EVENT | {"process_path": "C:\\Users\\1999.exe"}, TODAY) is listed[1 * 4 + 3]
