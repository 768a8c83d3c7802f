"""Does one of the user's exceptions match this event?"""

from __future__ import annotations

from datetime import date

import pytest

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
    assert not exceptions.expire
    assert Exceptions((entry({"host_id": "z"}, date(2026, 5, 1)),)).expire


@pytest.mark.parametrize("field", EXCEPTION_FIELDS)
def test_each_field_looks_at_its_own_value_only(field: str) -> None:
    exceptions = Exceptions((entry({field: "v"}),))
    assert exceptions.match({field: "V"}, TODAY) is not None
    assert exceptions.match({name: "v" for name in EXCEPTION_FIELDS if name != field}, TODAY) is None
