"""A survey counts what records are, what their events cannot tell, and why some are none."""

from __future__ import annotations

from tests.transforms.rules.records import DAY, DAY_US, RECORD, Record, events_of
from uncommon_im.transforms.rules.advice.survey import COSTS, Kind, Survey
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter

SYSMON, HIT = Kind("sysmon"), Kind("sysmon", ("search hit",))


def survey(*records: Record, kinds: list[Kind] | None = None) -> Survey:
    found = Survey()
    found.add(events_of(*records), kinds or [SYSMON] * len(records), [])
    return found


def test_events_are_counted_by_kind_and_type() -> None:
    records = [RECORD, {**RECORD, "event_type": "dns"}, RECORD, {**RECORD, "event_type": "process"}]
    found = survey(*records, kinds=[SYSMON, SYSMON, HIT, HIT])
    assert found.events == {(SYSMON, "network"): 1, (SYSMON, "dns"): 1, (HIT, "network"): 1, (HIT, "process"): 1}
    assert (found.read, found.asked) == (4, 3)


def test_columns_are_asked_for_of_connections_and_lookups_only() -> None:
    full = {**RECORD, "process_path": "/opt/a", "user_name": "-", "process_signature_status": "unknown"}
    found = survey(full, RECORD, {**full, "event_type": "process"})
    assert set(COSTS) == found.given.keys()
    assert {name: count for name, count in found.given.items() if count} == {
        "remote_host": 2,
        "process_name": 2,
        "process_path": 1,
    }


def test_dead_letters_are_counted_by_reason_with_the_first_as_example() -> None:
    lost = DeadLetter("malformed", "no JSON", "f", 9, "{")
    found = Survey()
    found.add(events_of({**RECORD, "host_id": None}, {**RECORD, "host_id": "-"}, RECORD), [SYSMON] * 3, [(HIT, lost)])
    assert {key: dead.count for key, dead in found.dead.items()} == {
        (HIT, "malformed"): 1,
        (SYSMON, "missing_field:host_id"): 2,
    }
    assert found.dead[HIT, "malformed"].example is lost
    assert found.read == 4


def test_samples_are_normalised_and_of_different_kinds() -> None:
    record = {**RECORD, "process_name": "C:\\x\\A.EXE", "process_pid": "7", "failed": "true", "bytes_sent": None}
    found = survey(record, record, {**RECORD, "event_type": "dns"})
    assert list(found.samples) == [(SYSMON, "network"), (SYSMON, "dns")]
    assert found.samples[SYSMON, "network"] == {
        "event_time": DAY * DAY_US,
        "host_id": "h1",
        "process_name": "A.EXE",
        "process_pid": 7,
        "remote_host": "api.telegram.org",
        "failed": True,
    }


def test_the_days_of_all_events_are_known() -> None:
    later = {**RECORD, "event_time": (DAY + 3) * DAY_US // 1000}
    found = survey(later, RECORD)
    found.add(events_of({**RECORD, "event_time": (DAY - 2) * DAY_US // 1000}), [SYSMON], [])
    assert found.days == (DAY - 2, DAY + 3)
    assert Survey().days is None
