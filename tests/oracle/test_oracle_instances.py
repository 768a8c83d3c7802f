"""Whose process it is, as the oracle reads it: a small test for each sentence of the specification's section 2a."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.oracle import Options, Result, detect
from tests.oracle.stream import Arrival, Waiting, detect_stream
from tests.oracle.test_oracle_verdicts import DAY_0, Record, at, heartbeats

HOUR = 1 / 24
FULL: Record = {
    "process_name": "courier.exe",
    "process_path": "C:\\apps\\courier.exe",
    "process_command_line": "courier.exe -q",
    "process_sha256": "ab" * 32,
    "process_pid": 77,
    "user_name": "corp\\al",
    "os": "windows",
    "process_signature_status": "signed",
    "process_signer": "Courier BV",
    "parent_process_name": "explorer.exe",
    "parent_process_command_line": "explorer.exe /x",
    "causality_process_name": "userinit.exe",
    "causality_process_command_line": "userinit.exe /y",
}
BARE: Record = {"process_name": None, "process_guid": "g"}
ALWAYS = Options(activation_days=0)


def start(day: float = -1, host: str = "h", microseconds: int = 0, **columns: Any) -> Record:
    """The start of the instance `g`; it is before what is judged by so many days and microseconds."""
    told = {"event_type": "process", "remote_host": None, "process_guid": "g"} | FULL
    return at(day, host, microseconds, **(told | columns))


def talk(day: float = 0, host: str = "h", microseconds: int = 0, **columns: Any) -> Record:
    """A communication of the instance `g` that says nothing more of its process."""
    return at(day, host, microseconds, **(BARE | columns))


def run(*records: Record, options: Options = ALWAYS) -> Result:
    return detect(records, options)


def alerted(*records: Record, options: Options = ALWAYS) -> Record:
    """The only alert."""
    (alert,) = run(*records, options=options).alerts
    return alert


def named(*records: Record, options: Options = ALWAYS) -> list[str]:
    """The process names of alerts, in the order of their times; what nobody knows as an empty name."""
    result = run(*records, options=options)
    return [alert["process"]["name"] for alert in result.alerts] + [""] * result.communications_without_process


# Starts


def test_a_process_event_with_a_guid_describes_its_instance() -> None:
    assert named(start(), talk()) == ["courier.exe"]


def test_a_process_event_without_a_guid_and_a_connection_with_one_describe_nothing() -> None:
    assert named(start(process_guid=None), talk()) == [""]
    assert named(start(event_type="network", remote_host="example.com"), talk()) == [""]


@pytest.mark.parametrize("other", [{"tenant_id": "acme"}, {"host_id": "h2"}, {"process_guid": "g2"}])
def test_an_instance_is_one_of_a_tenant_and_a_host(other: Record) -> None:
    assert named(start(**other), talk()) == [""]
    assert named(start(**other), talk(**other)) == ["courier.exe"]


def test_the_runs_tenant_is_the_tenant_of_what_names_none() -> None:
    acme = Options(activation_days=0, tenant="acme")
    assert named(start(tenant_id="acme"), talk(), options=acme) == ["courier.exe"]
    assert named(start(), talk(tenant_id="default"), options=acme) == [""]


def test_guids_are_compared_exactly_after_trimming() -> None:
    assert named(start(process_guid=" g\t"), talk()) == ["courier.exe"]
    assert named(start(process_guid="G"), talk()) == [""]
    assert named(start(process_guid="{g}"), talk()) == [""]


def test_a_start_may_have_only_a_path_and_one_with_neither_is_a_dead_letter() -> None:
    assert named(start(process_name=None), talk()) == ["courier.exe"]
    result = run(start(process_name=None, process_path=None), talk())
    assert (result.dead_letters, result.communications_without_process) == ({"missing_field:process_name": 1}, 1)


# Which events are completed


def test_a_lookup_is_completed_as_a_connection_is() -> None:
    assert named(start(), talk(event_type="dns")) == ["courier.exe"]
    assert named(start(), talk(event_type="dns", dns_status=0)) == ["courier.exe"]


@pytest.mark.parametrize(
    "no_communication",
    [
        {"direction": "inbound"},
        {"failed": True},
        {"event_type": "dns", "dns_status": 3},
        {"remote_host": "example.com"},
    ],
)
def test_what_is_no_communication_stays_as_it_came_and_nobody_misses_its_process(no_communication: Record) -> None:
    result = run(start(), talk(**no_communication))
    assert (result.valid, result.communications, result.communications_without_process) == (2, 0, 0)


def test_an_event_without_a_guid_is_not_completed() -> None:
    alert = alerted(start(), talk(process_name="courier.exe", process_guid=None))
    assert (alert["process"]["path"], alert["process"]["completed_from"]) == (None, None)


PYTHON: Record = {"process_name": "python3", "process_path": "/usr/bin/python3", "os": "linux"}
SCRIPT: Record = {"process_command_line": "python3 /srv/a.py", "process_signature_status": None, "process_signer": None}
SCRIPT |= {"causality_process_name": None}


def host_days(*records: Record) -> int:
    """On how many days before the alert its host showed its execution."""
    execution = alerted(*records)["investigation"]["application"]["execution"]
    return int(execution["host_days"])


def test_what_is_no_communication_and_lacks_name_or_command_line_has_no_execution() -> None:
    began, judged = start(-5, **PYTHON, **SCRIPT), talk(**PYTHON)
    failed: Record = {"failed": True}
    assert host_days(began, judged) == 1
    assert host_days(began, talk(-4, **PYTHON, **failed), talk(-3, **failed), judged) == 1
    assert host_days(began, talk(-4, **PYTHON, **SCRIPT, **failed), judged) == 2
    assert host_days(began, talk(-4, **(PYTHON | {"process_guid": None}), **SCRIPT, **failed), judged) == 2


# By which start


def test_a_start_counts_up_to_the_lookback_and_not_a_microsecond_longer() -> None:
    assert named(start(-7), talk()) == ["courier.exe"]
    assert named(start(-7, microseconds=-1), talk()) == [""]
    month = Options(activation_days=0, process_lookback_days=30)
    assert named(start(-30), talk(), options=month) == ["courier.exe"]
    assert named(start(-30, microseconds=-1), talk(), options=month) == [""]


def test_a_start_counts_from_its_own_time_on() -> None:
    assert named(start(0), talk()) == ["courier.exe"]
    assert named(start(0, microseconds=1), talk()) == [""]


def test_the_latest_start_is_read() -> None:
    assert named(start(-2), start(-1, process_name="later.exe"), talk()) == ["later.exe"]
    assert named(start(-2), start(1, process_name="later.exe"), talk()) == ["courier.exe"]


def test_of_one_time_the_smallest_id_is_read_then_the_smallest_content() -> None:
    first, second = {"process_name": "z.exe", "event_id": "1"}, {"process_name": "a.exe", "event_id": "2"}
    assert named(start(**first), start(**second), talk()) == ["z.exe"]
    assert named(start(**first), start(**second | {"event_id": "1"}), talk()) == ["a.exe"]
    # The smallest content begins with the column that is first in the alphabet.
    owner: Record = {"causality_process_name": None, "causality_process_command_line": None, "event_id": "1"}
    assert named(start(process_name="a.exe", **owner), start(process_name="z.exe", event_id="1"), talk()) == ["z.exe"]


def test_a_start_without_id_has_that_of_its_content() -> None:
    alert = alerted(start(), talk())
    given = alert["process"]["completed_from"]["event_id"]
    assert len(given) == 64
    low, high = {"event_id": "!", "process_name": "low.exe"}, {"event_id": "~", "process_name": "high.exe"}
    assert named(start(), start(**low), talk()) == ["low.exe"]
    assert named(start(), start(**high), talk()) == ["courier.exe"]


def test_no_older_start_fills_the_gaps_of_the_one_that_is_read() -> None:
    process = alerted(start(-2), start(-1, process_sha256=None, user_name=None), talk())
    assert (process["process"]["name"], process["process"]["sha256"], process["user_name"]) == (
        "courier.exe",
        None,
        None,
    )


def test_starts_and_events_meet_in_any_order_and_any_number_of_times() -> None:
    records = [start(-2, process_name="old.exe"), start(-1), talk()]
    assert named(*records) == named(*reversed(records)) == named(*records, *records) == ["courier.exe"]


# Which columns


def test_all_that_an_event_does_not_say_is_taken() -> None:
    alert = alerted(start(event_id="s"), talk(event_id="e"))
    process = {name: value for name, value in alert["process"].items() if name not in ("origin", "script")}
    assert process == {
        "name": "courier.exe",
        "path": "C:\\apps\\courier.exe",
        "sha256": "ab" * 32,
        "pid": 77,
        "signature_status": "signed",
        "signer": "Courier BV",
        "completed_from": {"event_id": "s", "event_time": "2026-03-31T00:00:00.000000Z"},
    }
    said = (alert["host"]["os"], alert["user_name"], alert["parent"]["name"], alert["event_id"])
    assert said == ("windows", "corp\\al", "explorer.exe", "e")
    assert alert["investigation"]["parent"]["causality"] == "userinit.exe"


def test_command_lines_are_taken_of_the_process_and_of_its_owner() -> None:
    own = alerted(start(**PYTHON, **SCRIPT), talk())
    assert own["execution"] == "python|script:/srv/a.py"
    owner: Record = {
        "causality_process_name": "powershell.exe",
        "causality_process_command_line": "powershell.exe C:\\a.ps1",
    }
    assert alerted(start(**owner), talk())["execution"] == "powershell|script:c:/a.ps1"


def test_a_name_and_a_command_line_of_the_owner_are_taken_each_by_itself() -> None:
    owner: Record = {"causality_process_name": "cmd.exe", "causality_process_command_line": "x C:\\a.ps1"}
    assert alerted(start(**owner), talk(causality_process_name="pwsh.exe"))["execution"] == "pwsh|script:c:/a.ps1"


def test_what_an_event_says_is_never_replaced() -> None:
    said: Record = {
        "process_name": "own.exe",
        "user_name": "me",
        "os": "BeOS",
        "process_pid": 0,
        "parent_process_name": "p",
    }
    alert = alerted(start(), talk(**said))
    process = alert["process"]
    assert (process["name"], alert["user_name"], alert["host"]["os"], process["pid"]) == ("own.exe", "me", "other", 0)
    assert (alert["parent"]["name"], process["path"]) == ("p", "C:\\apps\\courier.exe")


def test_a_name_from_the_events_own_path_is_its_own() -> None:
    assert named(start(), talk(process_path="/opt/own")) == ["own"]


def signature(event: Record, of_start: Record) -> tuple[str | None, str | None]:
    process = alerted(start(**of_start), talk(**event))["process"]
    return process["signature_status"], process["signer"]


@pytest.mark.parametrize("status", [None, "unknown", "expired"])
def test_a_status_that_is_unknown_is_taken_with_its_signer_as_a_pair(status: str | None) -> None:
    said: Record = {"process_signature_status": status, "process_signer": "Somebody"}
    assert signature(said, {}) == ("signed", "Courier BV")
    assert signature(said, {"process_signer": None}) == ("signed", None)
    assert signature(said, {"process_signature_status": "unsigned", "process_signer": None}) == ("unsigned", None)


def test_a_pair_is_not_taken_from_a_start_that_does_not_know_its_status() -> None:
    assert signature({}, {"process_signature_status": None}) == (None, None)
    assert signature({"process_signature_status": "odd"}, {"process_signature_status": None}) == ("unknown", None)
    assert signature({"process_signer": "Somebody"}, {"process_signature_status": "odd"}) == (None, "Somebody")


def test_a_signer_is_not_taken_for_a_status_that_the_event_knows() -> None:
    assert signature({"process_signature_status": "signed"}, {}) == ("signed", None)
    assert signature({"process_signature_status": "invalid", "process_signer": "X"}, {}) == ("invalid", "X")


def test_an_event_keeps_the_id_that_it_came_with() -> None:
    with_start, without = run(start(), talk(process_name="own.exe")), run(talk(process_name="own.exe"))
    assert with_start.alerts[0]["event_id"] == without.alerts[0]["event_id"]
    other_guid = run(talk(process_name="own.exe", process_guid="g2"))
    assert other_guid.alerts[0]["event_id"] != without.alerts[0]["event_id"]


def test_an_alert_names_a_start_only_if_anything_is_of_it() -> None:
    name_only: Record = dict.fromkeys(FULL) | {"process_name": "own.exe"}
    assert alerted(start(**name_only), talk(process_name="own.exe"))["process"]["completed_from"] is None
    assert alerted(start(**name_only), talk())["process"]["completed_from"] is not None
    assert alerted(start(), talk(**FULL))["process"]["completed_from"] is None


@pytest.mark.parametrize("lacking", sorted(FULL.keys() - {"process_signer"}))
def test_one_column_that_an_event_lacks_is_of_its_start(lacking: str) -> None:
    without: Record = FULL | {lacking: None}
    if lacking == "process_name":
        without |= {"process_path": None}  # or its name would be the path's
    assert alerted(start(), talk(**without))["process"]["completed_from"] is not None
    lacks_too: Record = FULL | {lacking: None}
    if lacking not in ("process_name", "process_path"):
        assert alerted(start(**lacks_too), talk(**without))["process"]["completed_from"] is None


# What looks at completed values


def test_exceptions_look_at_completed_values() -> None:
    for entry in ({"user_name": "*\\al"}, {"process_path": "c:\\apps\\*"}, {"signer": "courier*"}):
        options = Options(activation_days=0, exceptions=({"reason": "x", **entry},))
        assert run(start(), talk(), options=options).verdicts == {"excepted": 1}
        assert run(talk(process_name="courier.exe"), options=options).verdicts == {"alert": 1}


def test_the_resolver_rule_looks_at_completed_values() -> None:
    windows: Record = {"process_name": "svchost.exe", "process_path": "C:\\Windows\\System32\\svchost.exe"}
    public: Record = {"process_name": "svchost.exe", "process_path": "C:\\Users\\Public\\svchost.exe"}
    lookup: Record = {"event_type": "dns"}
    assert run(start(**windows), talk(**lookup)).communications == 0
    assert run(start(**windows), talk(**lookup)).communications_without_process == 0
    assert alerted(start(**public), talk(**lookup))["suspicion_reasons"] == ["masquerading", "untrusted_path"]
    assert alerted(start(**public), talk(process_name="svchost.exe", **lookup))["variation"] == "suspicious_process"


def test_a_lookup_of_a_resolver_has_the_execution_that_its_start_names() -> None:
    owner: Record = {"causality_process_name": "perl", "causality_process_command_line": "perl /x.pl"}
    resolver = start(-5, process_name="unbound", os="linux", **owner)
    engine = at(0, process_name="perl", process_command_line="perl /x.pl", os="linux")
    assert host_days(resolver, talk(-4, event_type="dns"), talk(-3, event_type="dns"), engine) == 3


def test_suspicion_and_identity_look_at_completed_values() -> None:
    alert = alerted(start(process_signature_status="unsigned", parent_process_name="winword.exe"), talk())
    assert alert["suspicion_reasons"] == ["office_child", "unsigned"]
    assert alert["process"]["origin"] == "unsigned:c:/apps"


def test_completed_events_teach_what_their_start_says() -> None:
    others = [record for n in range(4) for record in (start(-3, f"o{n}"), talk(-2, f"o{n}"))]
    assert run(*others, start(), talk()).verdicts == {"alert": 4, "common_in_organisation": 1}


def test_events_before_the_range_are_completed_too_by_starts_before_it() -> None:
    options = Options(activation_days=0, start=date(2026, 4, 1))
    others = [record for n in range(4) for record in (start(-3, f"o{n}"), talk(-2, f"o{n}"))]
    assert run(*others, start(-1), talk(), options=options).verdicts == {"training": 4, "common_in_organisation": 1}


# Events whose process nobody knows


def test_an_event_without_name_covers_its_day_and_is_no_communication() -> None:
    result = run(talk(), options=ALWAYS)
    assert (result.valid, result.communications, result.communications_without_process) == (1, 0, 1)
    judged = at(1, process_name="app")
    days = heartbeats(13)
    assert detect([*days, judged]).verdicts == {"learning": 1}
    assert detect([*days, talk(), judged]).verdicts == {"alert": 1}


def test_an_event_without_name_has_no_execution_of_its_owner() -> None:
    owner: Record = {"causality_process_name": "perl", "causality_process_command_line": "perl /x.pl"}
    engine = at(0, process_name="perl", process_command_line="perl /x.pl")
    named_one: Record = {"process_name": "app", "process_command_line": "app", "failed": True}
    assert host_days(talk(-2, **owner), engine) == 0
    assert host_days(talk(-2, **(owner | named_one)), engine) == 1


def test_without_lookback_nothing_is_completed_and_all_stays_valid() -> None:
    off = Options(activation_days=0, process_lookback_days=0)
    result = run(start(0), talk(), talk(process_name="own.exe"), options=off)
    assert (result.valid, result.communications, result.communications_without_process) == (3, 1, 1)
    assert result.alerts[0]["process"]["path"] is None


def test_only_events_in_range_are_counted_and_starts_out_of_it_describe_nothing() -> None:
    options = Options(activation_days=0, start=date(2026, 4, 1), end=date(2026, 4, 3))
    early, judged, late = (talk(day, process_guid=f"g{day}") for day in (-1, 0, 2))
    result = run(early, judged, start(2, process_guid="g2"), late, options=options)
    assert (result.communications_without_process, result.out_of_range) == (2, 2)


# In a stream

MINUTE_US = 60_000_000
NOON_US = int(DAY_0.timestamp()) * 1_000_000
WAITING = Waiting(10 * MINUTE_US)


def streamed(*arrivals: Arrival, known_before: tuple[Record, ...] = (), options: Options = ALWAYS) -> list[str]:
    """As `named`, of records each with its arrival in minutes after the moment of judgement."""
    found = detect_stream([(r, NOON_US + m * MINUTE_US) for r, m in arrivals], options, WAITING, known_before)
    return [alert["process"]["name"] for alert in found.alerts] + [""] * found.communications_without_process


@pytest.mark.parametrize(("arrival", "name"), [(-1440, "courier.exe"), (10, "courier.exe"), (11, "")])
def test_a_start_counts_iff_its_instant_is_not_after_the_events(arrival: int, name: str) -> None:
    assert streamed((start(), arrival), (talk(), 0)) == [name]


def test_a_start_within_the_lateness_always_counts() -> None:
    assert streamed((start(0), 10), (talk(), 0)) == ["courier.exe"]
    assert streamed((start(0), 11), (talk(), 0)) == [""]


def test_instants_are_milliseconds() -> None:
    arrivals = [(start(), NOON_US + 10 * MINUTE_US + more) for more in (999, 1000)]
    found = [detect_stream([arrival, (talk(), NOON_US)], ALWAYS, WAITING) for arrival in arrivals]
    assert [result.communications_without_process for result in found] == [0, 1]


def test_a_late_event_is_completed_at_its_own_instant() -> None:
    assert streamed((start(), 11), (talk(), 11)) == ["courier.exe"]
    assert streamed((start(), 12), (talk(), 11)) == [""]


def test_a_later_start_that_comes_too_late_leaves_the_one_before() -> None:
    records = start(-2), start(-1, process_name="later.exe")
    assert streamed((records[0], -2880), (records[1], 10), (talk(), 0)) == ["later.exe"]
    assert streamed((records[0], -2880), (records[1], 11), (talk(), 0)) == ["courier.exe"]


def test_each_delivery_of_an_event_is_completed_at_its_own_instant() -> None:
    assert streamed((start(), 30), (talk(), 0), (talk(), 30)) == ["courier.exe", ""]


def test_a_start_ahead_of_its_arrival_by_more_than_an_hour_describes_nothing() -> None:
    assert streamed((start(0), -60), (talk(), 0)) == ["courier.exe"]
    assert streamed((start(0), -61), (talk(), 0)) == [""]


def test_a_start_before_the_streams_snapshot_counts_if_it_is_its_instances_last_within_the_lookback() -> None:
    options = Options(activation_days=0, start=date(2026, 4, 1))
    known = (start(-3, process_name="older.exe"), start(-2), start(-7.5, process_guid="old"))
    assert streamed((talk(), 0), known_before=known, options=options) == ["courier.exe"]
    assert streamed((talk(process_guid="old"), 0), known_before=known, options=options) == [""]
    assert streamed((talk(-2.5), 0), known_before=known, options=options) == [""]
