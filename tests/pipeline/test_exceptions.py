"""Exceptions as the specification has them (section 7), through the whole backfill (Beam's in-process engine)."""

from __future__ import annotations

from typing import Any

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


def test_all_globs_that_are_given_must_match_the_normalised_values() -> None:
    unsigned = {"process_signature_status": "unsigned", "process_path": "C:\\Users\\al\\App 1.2\\Market.exe"}
    everything = {
        "process_name": "market.EXE",
        "origin": "ACME corp",
        "signer": "acme *",
        "service_id": "Telegram",
        "user_name": "acme\\al",
        "process_path": "c:\\apps\\[a-m]*",
        "parent_process_name": "launcher.*",
        "remote_host": "api.telegram.org",
    }
    cases: list[tuple[dict[str, str], Record, str]] = [
        (everything, {}, "excepted"),
        (everything | {"service_id": "discord"}, {}, "alert"),
        ({"process_name": "c:\\apps\\market.exe"}, {}, "alert"),
        ({"remote_host": "*443*"}, {}, "alert"),
        ({"origin": "unsigned:c:/users/*/app*"}, unsigned, "excepted"),
        ({"origin": "unsigned:c:/users/al/app 1.2"}, unsigned, "alert"),
        ({"remote_host": "*"}, {"remote_host": "149.154.167.220"}, "alert"),
        ({"service_id": "telegram"}, {"remote_host": "149.154.167.220"}, "excepted"),
    ]
    hosts = [f"Host-{number}" for number in range(len(cases))]
    records = [at("01T10:00:00", host_id=host, **columns) for host, (_, columns, _) in zip(hosts, cases, strict=True)]
    exceptions = [globs | {"host_id": host.upper()} for host, (globs, _, _) in zip(hosts, cases, strict=True)]
    assert verdicts(run(records, *exceptions)) == [verdict for _, _, verdict in cases]


def test_a_missing_value_matches_nothing() -> None:
    users = (None, "", " - ", "N/A", "unknown", "NULL", "al")
    records = [at("01T10:00:00", host_id=f"h{number}", user_name=user) for number, user in enumerate(users)]
    assert verdicts(run(records, {"user_name": "*"})) == ["alert"] * 6 + ["excepted"]


def test_an_exception_holds_to_the_last_microsecond_of_its_day_by_the_events_time() -> None:
    long_ago = at("01T10:00:00") | {"event_time": "2001-01-01T10:00:00Z"}
    records = [long_ago, at("01T23:59:59.999999"), at("02T00:00:00", host_id="h2")]
    found = run(records, {"process_name": "market*", "expires": "2026-05-01"})
    assert verdicts(found) == ["excepted", "excepted", "alert"]


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


def test_excepted_events_still_feed_the_baseline_and_what_is_common_is_called_so_before_it_is_excepted() -> None:
    own = [at(f"0{day}T10:00:00") for day in (1, 2, 3)]
    others = [at("01T11:00:00", CURL, host_id=f"o{number}") for number in range(4)]
    later = [at("04T10:00:00"), at("04T11:00:00", user_name="bo"), at("05T12:00:00", CURL, user_name="bo")]
    exceptions = ({"user_name": "*al"}, {"host_id": "o?"})
    expected = ["common_on_host"] * 2 + ["common_in_organisation"]
    assert [v for v in verdicts(run([*own, *others, *later], *exceptions)) if v != "excepted"] == expected
    assert verdicts(run(later, *exceptions)) == ["excepted", "alert", "alert"]


def test_what_is_learning_is_called_so_even_if_an_exception_matches() -> None:
    assert verdicts(run([at("01T10:00:00")], {"process_name": "market*"}, activation_days=14)) == ["learning"]


def test_any_of_several_exceptions_is_enough() -> None:
    records = [at("01T10:00:00"), at("01T11:00:00", CURL), at("01T12:00:00", CURL, remote_host="discord.com")]
    exceptions = ({"process_name": "market*"}, {"process_name": "curl", "service_id": "telegram"})
    assert verdicts(run(records, *exceptions)) == ["excepted", "excepted", "alert"]
