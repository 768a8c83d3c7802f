"""Exceptions as the specification has them (section 7), through the whole backfill (Beam's in-process engine)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import Options
from tests.running import Found, Record, configuration_of, run_records

MARKET: Record = {
    "host_id": "h1",
    "process_name": "C:\\Apps\\Market.exe",
    "process_path": "C:\\Apps\\Market.exe",
    "process_signature_status": "signed",
    "process_signer": "Acme Corp",
    "os": "windows",
    "user_name": " ACME\\al ",
    "parent_process_name": "Launcher.exe",
    "remote_host": "https://API.Telegram.org:443/bot1/getMe",
}
CURL: Record = {"host_id": "h1", "process_name": "curl", "os": "linux", "remote_host": "api.telegram.org"}


def at(time: str, record: Record = MARKET, **columns: Any) -> Record:
    return record | columns | {"event_time": f"2026-05-{time}Z"}


def run(records: list[Record], *exceptions: dict[str, Any], **limits: int) -> Found:
    listed = tuple(entry | {"reason": "known"} for entry in exceptions)
    return run_records(records, configuration_of(Options(exceptions=listed, **({"activation_days": 0} | limits))))


def verdicts(found: Found) -> list[str]:
    """In the order of hours and hosts."""
    return [
        row["verdict"] for row in sorted(found.verdicts, key=lambda row: (row["hour"], row["host"], row["verdict"]))
    ]


@pytest.mark.parametrize(
    ("globs", "verdict"),
    [
        (
            {
                "process_name": "market.EXE",
                "origin": "ACME corp",
                "signer": "acme *",
                "service_id": "Telegram",
                "host_id": "H?",
                "user_name": "acme\\al",
                "process_path": "c:\\apps\\[a-m]*",
                "parent_process_name": "launcher.*",
                "remote_host": "api.telegram.org",
            },
            "excepted",
        ),
        ({"process_name": "market.exe", "service_id": "discord"}, "alert"),
        ({"process_name": "c:\\apps\\market.exe"}, "alert"),
        ({"remote_host": "*443*"}, "alert"),
    ],
)
def test_all_globs_that_are_given_must_match_the_normalised_values(globs: dict[str, str], verdict: str) -> None:
    assert verdicts(run([at("01T10:00:00")], globs)) == [verdict]


@pytest.mark.parametrize("missing", [None, "", " - ", "N/A", "unknown", "NULL"])
def test_a_missing_value_matches_nothing(missing: str | None) -> None:
    assert verdicts(run([at("01T10:00:00", user_name=missing)], {"user_name": "*"})) == ["alert"]


def test_a_destination_known_by_its_address_has_no_remote_host_to_match() -> None:
    event = at("01T10:00:00", remote_host="149.154.167.220")
    assert verdicts(run([event], {"remote_host": "*"})) == ["alert"]
    assert verdicts(run([event], {"service_id": "telegram"})) == ["excepted"]


def test_an_origin_is_matched_as_it_is_folded() -> None:
    unsigned = at("01T10:00:00", process_signature_status="unsigned", process_path="C:\\Users\\al\\App 1.2\\Market.exe")
    assert verdicts(run([unsigned], {"origin": "unsigned:c:/users/*/app*"})) == ["excepted"]
    assert verdicts(run([unsigned], {"origin": "unsigned:c:/users/al/app 1.2"})) == ["alert"]


def test_an_exception_holds_to_the_last_microsecond_of_its_day_by_the_events_time() -> None:
    records = [at("01T23:59:59.999999"), at("02T00:00:00", host_id="h2")]
    assert verdicts(run(records, {"process_name": "market*", "expires": "2026-05-01"})) == ["excepted", "alert"]


def test_an_exception_without_an_expiry_holds_on_any_day() -> None:
    records = [at("01T10:00:00") | {"event_time": f"{year}-05-01T10:00:00Z"} for year in (2001, 2099)]
    assert verdicts(run(records, {"process_name": "market*"})) == ["excepted", "excepted"]


def test_excepted_and_other_events_of_an_hour_share_no_activity() -> None:
    records = [
        at("01T10:00:00"),
        at("01T10:01:00", user_name="bo"),
        at("01T10:02:00"),
        at("01T10:03:00", user_name="bo"),
    ]
    found = run(records, {"user_name": "*al"})
    assert verdicts(found) == ["alert", "excepted"]
    (alert,) = found.alerts
    assert (alert["user_name"], alert["activity"]["events"]) == ("bo", 2)


def test_excepted_activities_neither_repeat_nor_are_repeated_nor_fill_a_group() -> None:
    records = [at(f"01T{hour}:00:00", CURL, host_id=host, user_name=user) for hour, host, user in (
        ("08", "h1", "al"), ("09", "h1", "bo"), ("10", "h1", "al"), ("11", "h2", "al"), ("12", "h3", "bo"),
    )]  # fmt: skip
    found = run(records, {"user_name": "al"}, max_alerts_per_group=2)
    assert verdicts(found) == ["excepted", "alert", "excepted", "excepted", "alert"]


def test_excepted_events_still_feed_the_baseline() -> None:
    own = [at(f"0{day}T10:00:00") for day in (1, 2, 3)]
    others = [at("01T10:00:00", host_id=f"o{number}") for number in range(4)]
    later = at("04T10:00:00", user_name="bo")
    exception = {"user_name": "*al"}
    assert verdicts(run([*own, later], exception)) == ["excepted"] * 3 + ["common_on_host"]
    assert verdicts(run([*others, later], exception)) == ["excepted"] * 4 + ["common_in_organisation"]
    assert verdicts(run([later], exception)) == ["alert"]


def test_what_is_common_or_learning_is_called_so_even_if_an_exception_matches() -> None:
    records = [at(f"0{day}T10:00:00") for day in (1, 2, 3, 4)]
    exception = {"process_name": "market*"}
    assert verdicts(run(records, exception)) == ["excepted"] * 3 + ["common_on_host"]
    assert verdicts(run(records[:1], exception, activation_days=14)) == ["learning"]


def test_any_of_several_exceptions_is_enough() -> None:
    records = [at("01T10:00:00"), at("01T11:00:00", CURL), at("01T12:00:00", CURL, remote_host="discord.com")]
    exceptions = ({"process_name": "market*"}, {"process_name": "curl", "service_id": "telegram"})
    assert verdicts(run(records, *exceptions)) == ["excepted", "excepted", "alert"]
    assert verdicts(run(records, *reversed(exceptions))) == ["excepted", "excepted", "alert"]
