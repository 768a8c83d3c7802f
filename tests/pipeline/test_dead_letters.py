"""Dead letters are input (specification, sections 2 and 10): once the cause is mended they give the events."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Options
from tests.running import Found, configuration_of, run_backfill, write_lines

Record = dict[str, Any]
ALERT: Record = {"alert_id": "7", "endpoint_id": "e1", "agent_os_type": "Windows"}


def native(name: str, **more: Any) -> Record:
    """A native communication of a program of its own."""
    return {
        "event_id": name,
        "event_time": "2026-03-01T10:00:00Z",
        "host_id": "h1",
        "process_name": f"{name}.exe",
        "process_path": f"C:\\Tools\\{name}.exe",
        "remote_host": "api.telegram.org",
    } | more


def sysmon(name: str, **more: Any) -> Record:
    """The same as a lookup that Sysmon saw."""
    return {
        "EventID": 22,
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Hostname": "desk-1",
        "UtcTime": "2026-03-01 10:00:00.000",
        "Image": f"C:\\Tools\\{name}.exe",
        "QueryName": "api.telegram.org",
        "QueryStatus": "0",
    } | more


def xdr(name: str, **more: Any) -> Record:
    """The same as a row of Cortex XDR."""
    return {
        "event_id": name,
        "event_timestamp": 1772359200000,
        "event_type": "NETWORK",
        "event_sub_type": "NETWORK_STREAM_CONNECT",
        "agent_id": "a1",
        "actor_process_image_name": f"{name}.exe",
        "actor_process_image_path": f"C:\\Tools\\{name}.exe",
        "action_external_hostname": "api.telegram.org",
    } | more


def ecs(name: str, **more: Any) -> Record:
    """The same as Elastic Defend saw it."""
    return {
        "@timestamp": "2026-03-01T10:00:00.6007809Z",
        "event": {"id": name, "category": ["network"], "type": ["start"], "action": "connection_attempted"},
        "host": {"id": "e1"},
        "process": {"name": f"{name}.exe", "executable": f"C:\\Tools\\{name}.exe"},
        "destination": {"domain": "api.telegram.org"},
    } | more


def m365(name: str, **more: Any) -> Record:
    """The same as a row of Microsoft Defender XDR."""
    return {
        "Timestamp": "2026-03-01T10:00:00.0259186Z",
        "DeviceId": "d1",
        "ActionType": "ConnectionSuccess",
        "InitiatingProcessFileName": f"{name}.exe",
        "InitiatingProcessFolderPath": f"c:\\tools\\{name}.exe",
        "RemoteUrl": "https://api.telegram.org/bot",
    } | more


@dataclass(frozen=True)
class Case:
    """A bad record, the reason that it gives, and the record that was meant."""

    format: str
    reason: str
    bad: Record
    mended: Record


def cases(format: str, make: Callable[..., Record], faults: dict[str, Record]) -> list[Case]:
    """Records of a format with a fault each."""
    found = []
    for number, (reason, fault) in enumerate(faults.items()):
        name = f"{format}{number}"
        found.append(Case(format, reason, make(name, **fault), make(name)))
    return found


CASES = [
    *cases(
        "native",
        native,
        {
            "malformed": {"remote_port": "https"},
            "missing_field:event_time": {"event_time": None},
            "missing_field:host_id": {"host_id": "-"},
            "missing_field:process_name": {"process_name": "", "process_path": None},
            "missing_field:remote_host": {"remote_host": "N/A"},
            "bad_timestamp": {"event_time": "yesterday"},
        },
    ),
    *cases(
        "sysmon",
        sysmon,
        {
            "malformed": {"Channel": None},
            "not_endpoint": {"EventID": 4},
            "missing_field:event_time": {"UtcTime": "-"},
            "missing_field:host_id": {"Hostname": ""},
            "missing_field:process_name": {"Image": "<unknown process>"},
            "missing_field:remote_host": {"QueryName": "-"},
            "bad_timestamp": {"UtcTime": "10 o'clock"},
        },
    ),
    *cases(
        "xdr",
        xdr,
        {
            "malformed": {
                **dict.fromkeys(("actor_process_image_name", "actor_process_image_path", "action_external_hostname")),
                "agent_id": None,
            },
            "not_endpoint": {"actor_process_image_name": None, "actor_process_image_path": "N/A"},
            "missing_field:event_time": {"event_timestamp": "-"},
            "missing_field:host_id": {"agent_id": "UNKNOWN"},
            "missing_field:process_name": {"actor_process_image_name": None, "actor_process_image_path": "C:\\"},
            "missing_field:remote_host": {"action_external_hostname": []},
            "bad_timestamp": {"event_timestamp": [5]},
        },
    ),
    *cases(
        "ecs",
        ecs,
        {
            "malformed": {"@timestamp": None, "event": None},
            "not_endpoint": {"process": {"pid": 7}},
            "missing_field:event_time": {"@timestamp": None},
            "missing_field:host_id": {"host": {"id": "-"}},
            "missing_field:process_name": {"process": {"executable": "C:\\"}},
            "missing_field:remote_host": {"destination": {"port": 443}},
            "bad_timestamp": {"@timestamp": "2026-03-01T10:00:00"},
        },
    ),
    *cases(
        "m365",
        m365,
        {
            "malformed": {"DeviceId": None, "InitiatingProcessFileName": None, "InitiatingProcessFolderPath": None},
            "not_endpoint": {"ActionType": "ListeningConnectionCreated"},
            "missing_field:event_time": {"Timestamp": None},
            "missing_field:host_id": {"DeviceId": "", "DeviceName": None},
            "missing_field:process_name": {"InitiatingProcessFileName": "", "InitiatingProcessFolderPath": "c:\\"},
            "missing_field:remote_host": {"RemoteUrl": None, "RemoteIP": "-"},
            "bad_timestamp": {"Timestamp": "Mar 1, 2026 10:00:00 AM"},
        },
    ),
]


def run(folder: Path, records: Sequence[Record], format: str = "auto") -> Found:
    write_lines(folder / "input.jsonl", records)
    return run_backfill([f"{folder}/input.jsonl"], configuration_of(Options(activation_days=0)), format)


def mend(letter: Record, mended: Record) -> Record:
    """The dead letter with another raw record."""
    return letter | {"raw": json.dumps(mended)}


def mended_raw(letters: Sequence[Record], bad: Sequence[Case]) -> list[Record]:
    """The dead letters of these cases, each with the record that was meant."""
    meant = {json.dumps(case.bad): case.mended for case in bad}
    return [mend(letter, meant[letter["raw"]]) for letter in letters]


@pytest.mark.parametrize("format", ["native", "sysmon", "xdr", "ecs", "m365"])
def test_mended_dead_letters_of_every_reason_give_the_events_that_were_meant(format: str, tmp_path: Path) -> None:
    bad = [case for case in CASES if case.format == format]
    lost = run(tmp_path, [case.bad for case in bad], format)
    letters = sorted(lost.dead_letters, key=lambda row: int(row["record"]))
    assert [(row["reason"], json.loads(row["raw"])) for row in letters] == [(c.reason, c.bad) for c in bad]
    expected = run(tmp_path, [case.mended for case in bad])
    assert len(expected.alerts) == len(bad)
    for read_as in ("auto", format):
        found = run(tmp_path, mended_raw(lost.dead_letters, bad), read_as)
        assert found.facts == expected.facts
        assert found.summary["events"] == expected.summary["events"]
        assert found.summary["events"]["valid"] == found.summary["events"]["read"] == len(bad)


@pytest.mark.parametrize("make", [native, sysmon, xdr])
def test_the_wrong_format_is_mended_by_reading_the_dead_letters_with_the_right_one(
    make: Callable[..., Record], tmp_path: Path
) -> None:
    records = [make(f"p{number}") for number in range(5)]
    wrong = "sysmon" if make is xdr else "xdr"
    lost = run(tmp_path, records, wrong)
    assert lost.summary["events"]["dead_letter"] == {"malformed": 5}
    found = run(tmp_path, lost.dead_letters, make.__name__)
    assert found.facts == run(tmp_path, records).facts
    assert found.summary["events"] == {"read": 5, "valid": 5, "out_of_range": 0, "dead_letter": {}}


def test_a_dead_letter_of_any_reason_is_read_as_the_record_that_it_holds(tmp_path: Path) -> None:
    reasons = sorted({case.reason for case in CASES} | {"future_timestamp"})
    records = [native(f"p{number}") for number in range(len(reasons))]
    letters = [
        {"reason": reason, "detail": "?", "source": "elsewhere.jsonl", "record": 3, "raw": json.dumps(record)}
        for reason, record in zip(reasons, records, strict=True)
    ]
    found = run(tmp_path, letters)
    assert found.facts == run(tmp_path, records).facts
    assert found.summary["events"]["valid"] == len(reasons)


def test_the_union_of_a_run_and_of_its_mended_dead_letters_is_a_run_over_the_mended_input(tmp_path: Path) -> None:
    makers = {"native": native, "sysmon": sysmon, "xdr": xdr, "ecs": ecs, "m365": m365}
    good = [make(f"good{name}") for name, make in makers.items()]
    first = run(tmp_path, [*good, *(case.bad for case in CASES)])
    # Without a format a record of no vendor is a native one that lacks its time.
    assert sum(first.summary["events"]["dead_letter"].values()) == len(CASES)
    mended = mended_raw(first.dead_letters, CASES)
    second = run(tmp_path, mended)
    whole = run(tmp_path, [*good, *(case.mended for case in CASES)])
    assert first.facts + second.facts == whole.facts
    assert first.verdict_rows + second.verdict_rows == whole.verdict_rows
    assert sum(whole.facts.values()) == len(good) + len(CASES)
    assert first.summary["events"]["valid"] + second.summary["events"]["valid"] == whole.summary["events"]["valid"]
    # The dead letters may as well be read in one run with the records that were good all along.
    together = run(tmp_path, [*good, *mended])
    assert together.facts == whole.facts
    assert together.summary["events"] == whole.summary["events"]


def alert(*events: object) -> Record:
    return ALERT | {"events": list(events)}


def nested(name: str, **more: Any) -> Record:
    """An event of an alert: the alert says its host."""
    event = xdr(name, **more)
    del event["agent_id"]
    return event


BAD_EVENTS: dict[str, object] = {
    "malformed": 17,
    "not_endpoint": nested("bad1", event_type="File Event"),
    "missing_field:event_time": nested("bad2", event_timestamp=None),
    "missing_field:remote_host": nested("bad3", action_external_hostname="-"),
    "bad_timestamp": nested("bad4", event_timestamp="yesterday"),
}
ALERTS = [alert(nested(f"good{n}"), bad, nested(f"more{n}")) for n, bad in enumerate(BAD_EVENTS.values())]
MENDED = [alert(nested(f"good{n}"), nested(f"bad{n}"), nested(f"more{n}")) for n in range(len(BAD_EVENTS))]


def mend_nested(letters: Sequence[Record]) -> list[Record]:
    """The dead letters of `ALERTS`, whose raw record is the whole alert or one with the bad event alone."""
    found = []
    for number, letter in enumerate(letters):
        raw = json.loads(letter["raw"])
        bad = list(BAD_EVENTS.values())[number]
        raw["events"] = [nested(f"bad{number}") if event == bad else event for event in raw["events"]]
        found.append(mend(letter, raw))
    return found


def test_mended_dead_letters_of_alerts_events_change_no_other_alert(tmp_path: Path) -> None:
    first = run(tmp_path, ALERTS)
    assert [letter["reason"] for letter in first.dead_letters] == list(BAD_EVENTS)
    assert first.summary["events"]["read"] == 15
    mended = mend_nested(first.dead_letters)
    whole = run(tmp_path, MENDED)
    assert len(whole.alerts) == 15
    assert first.facts | run(tmp_path, mended).facts == whole.facts
    assert run(tmp_path, [*ALERTS, *mended]).facts == whole.facts


def test_a_dead_letter_of_an_alerts_event_holds_no_other_event(tmp_path: Path) -> None:
    first = run(tmp_path, ALERTS)
    again = run(tmp_path, first.dead_letters)
    assert again.summary["events"] == {
        "read": 5, "valid": 0, "out_of_range": 0, "dead_letter": dict.fromkeys(BAD_EVENTS, 1)
    }  # fmt: skip
    assert run(tmp_path, mend_nested(first.dead_letters)).summary["events"]["valid"] == 5


def test_dead_letters_that_are_read_again_unmended_do_not_multiply(tmp_path: Path) -> None:
    first = run(tmp_path, [alert(nested("good1"), 1, 2, 3)])
    assert first.summary["events"]["dead_letter"] == {"malformed": 3}
    again = run(tmp_path, first.dead_letters)
    assert again.summary["events"] == {"read": 3, "valid": 0, "out_of_range": 0, "dead_letter": {"malformed": 3}}
