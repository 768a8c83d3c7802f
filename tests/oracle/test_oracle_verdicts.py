"""Verdicts as the oracle gives them, at the borders of the detector's specification, sections 5 to 7."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.oracle import Options, detect
from tests.oracle.activities import short_digest

Record = dict[str, Any]
DAY_0 = datetime(2026, 4, 1, tzinfo=UTC)
UNSIGNED: Record = {"os": "windows", "process_signature_status": "unsigned"}


def at(day: float, host: str = "h", microseconds: int = 0, **columns: Any) -> Record:
    """A communication some days after the day of judgement."""
    moment = DAY_0 + timedelta(days=day, microseconds=microseconds)
    record: Record = {"event_time": moment.isoformat(timespec="microseconds"), "host_id": host}
    return record | {"process_name": "app", "remote_host": "t.me"} | columns


def heartbeats(days: int = 30) -> list[Record]:
    """Telemetry of so many days before the day of judgement, of no interest otherwise."""
    return [at(-back, "other", remote_host="example.com") for back in range(1, days + 1)]


def verdicts(records: list[Record], options: Options = Options(), days: int = 30) -> list[str]:  # noqa: B008
    """Verdicts of the activities on the day of judgement and later, in the order of time."""
    first = int(DAY_0.timestamp()) // 3600
    activities = detect([*heartbeats(days), *records], options).activities
    return [activity["verdict"] for activity in activities if activity["hour"] >= first]


def seen_by(hosts: int, back: int, **columns: Any) -> list[Record]:
    """The program on so many other hosts, some days before."""
    return [at(-back, f"o{number}", **columns) for number in range(hosts)]


def test_other_hosts_border() -> None:
    assert verdicts([*seen_by(3, 30), at(0)]) == ["alert"]
    assert verdicts([*seen_by(4, 30), at(0)]) == ["common_in_organisation"]
    assert verdicts([*seen_by(4, 31), at(0)]) == ["alert"]
    assert verdicts([*seen_by(4, 0), at(0, microseconds=1)]) == ["alert"] * 5


def test_host_days_border() -> None:
    assert verdicts([at(-30), at(-5), at(-5, microseconds=5), at(0)]) == ["alert"]
    assert verdicts([at(-30), at(-6), at(-5), at(0)]) == ["common_on_host"]
    assert verdicts([at(-31), at(-6), at(-5), at(0)]) == ["alert"]


def test_guard_days() -> None:
    assert verdicts([*seen_by(4, 3), at(0)]) == ["common_in_organisation"]
    assert verdicts([*seen_by(4, 3, **UNSIGNED), at(0, **UNSIGNED)]) == ["alert"]
    assert verdicts([*seen_by(4, 4, **UNSIGNED), at(0, **UNSIGNED)]) == ["common_in_organisation"]


def test_activation_border() -> None:
    assert verdicts([at(0)], days=14) == ["alert"]
    assert verdicts([at(0)], days=13) == ["learning"]
    assert verdicts([at(0.5, remote_host="example.com"), at(0)], days=13) == ["learning"]


def test_start_and_end() -> None:
    options = Options(start=date(2026, 4, 2), end=date(2026, 4, 4))
    records = [at(1, "a", -1), at(1, "b"), at(3, "c", -1), at(3, "d")]
    result = detect([*heartbeats(), *records], options)
    assert dict(result.verdicts) == {"training": 1, "alert": 2}
    assert (result.read, result.valid, result.out_of_range) == (34, 34, 1)


def test_deduplication_border() -> None:
    assert verdicts([at(0), at(1, microseconds=-1)]) == ["alert", "duplicate"]
    assert verdicts([at(0), at(1)]) == ["alert", "alert"]
    assert verdicts([at(0), at(0.9), at(1.8)]) == ["alert", "duplicate", "alert"]


def test_worse_variation_gets_through_and_milder_does_not_repeat_it() -> None:
    worse: Record = {"parent_process_name": "excel.exe"}
    result = detect([*heartbeats(), at(0), at(0.25, **worse), at(0.5), at(1.1)])
    assert [activity["verdict"] for activity in result.activities] == ["alert", "alert"] + ["duplicate"] * 2
    assert [alert["severity"] for alert in result.alerts] == ["Informational", "Low"]
    assert result.alerts[1]["suspicion_reasons"] == ["office_child"]
    assert result.activities[3]["duplicate_of"] == result.alerts[1]["alert_id"]


def test_reduced_scripts_do_not_multiply_alerts() -> None:
    python: Record = {"process_name": "python3", "os": "linux"}
    lines = ["python3 -c a", "python3 -c b", "python3 /srv/a.py", "python3 /tmp/a.py", "python3 /tmp/b.py"]
    records = [at(n / 100, process_command_line=line, **python) for n, line in enumerate(lines)]
    assert verdicts(records) == ["alert", "duplicate", "alert", "alert", "duplicate"]


def test_flood_control() -> None:
    crowd = [at(0, f"h{number:02}", event_id=f"{99 - number}") for number in range(30)]
    result = detect([*heartbeats(), *crowd])
    assert dict(result.verdicts) == {"alert": 25, "rolled_up": 5}
    assert [alert["host"]["id"] for alert in result.alerts if alert["group_saturated"]] == ["h05"]
    assert len({alert["group_id"] for alert in result.alerts}) == 1
    assert len({alert["alert_id"] for alert in result.alerts}) == 25
    assert verdicts(crowd, Options(max_alerts_per_group=0)) == ["alert"] * 30


def test_flood_control_counts_each_variation() -> None:
    crowd = [at(0, f"h{number}", parent_process_name="excel.exe" if number % 2 else None) for number in range(6)]
    result = detect([*heartbeats(), *crowd], Options(max_alerts_per_group=2))
    assert sorted(alert["variation"] for alert in result.alerts) == ["base"] * 2 + ["suspicious_process"] * 2
    assert result.verdicts["rolled_up"] == 2


def test_execution_decides_the_variation() -> None:
    perl: Record = {"process_name": "perl", "process_command_line": "perl /opt/a.pl"}

    def variations(hosts: int, back: int) -> list[str]:
        process = seen_by(hosts, back, event_type="process", remote_host=None, **perl)
        alerts = detect([*heartbeats(), *process, at(0, **perl)]).alerts
        return [variation for alert in alerts for variation in alert["matched_variations"]]

    assert variations(3, 30) == ["uncommon_scripting_engine"]
    assert variations(4, 30) == ["base"]
    assert variations(4, 1) == ["base"]
    assert variations(4, 31) == ["uncommon_scripting_engine"]


def test_first_event_represents_the_hour() -> None:
    late = at(0, microseconds=3_599_999_999, event_id="a")
    records = [
        late,
        at(0, event_id="c", remote_port=2),
        at(0, event_id="b", remote_port=1),
        at(1 / 24, event_id="d"),
    ]
    result = detect([*heartbeats(), *records, *records])
    assert [activity["event_id"] for activity in result.activities] == ["b", "d"]
    assert result.alerts[0]["timestamp"] == "2026-04-01T00:00:00.000000Z"
    assert result.alerts[0]["destination"]["port"] == 1


def test_exception_shields_nothing_else() -> None:
    entry = {"remote_host": "*.TELEGRAM.org", "process_name": "A*", "reason": "r", "expires": "2026-04-01"}
    records = [at(0, remote_host="web.telegram.org"), at(0.01), at(1.5, "i", remote_host="web.telegram.org")]
    assert verdicts(records, Options(exceptions=(entry,))) == ["excepted", "alert", "alert"]
    assert verdicts([at(0)], Options(exceptions=({"user_name": "*"},))) == ["alert"]


def test_no_communications() -> None:
    svchost: Record = {"event_type": "dns", "process_name": "svchost.exe", "os": "windows"}
    quiet = [
        at(0, direction="inbound"),
        at(0, event_type="process"),
        at(0, event_type="dns", dns_status=3),
        at(0, **svchost, process_path="C:\\Windows\\System32\\svchost.exe"),
    ]
    assert verdicts(quiet) == []
    assert verdicts([at(0, event_type="dns", dns_status=0)]) == ["alert"]
    assert verdicts([at(0, **svchost, process_path="C:\\x\\svchost.exe")]) == ["alert"]


def test_tenants_do_not_share_a_baseline() -> None:
    assert verdicts([*seen_by(4, 2, tenant_id="t"), at(0), at(0.1, tenant_id="t")]) == ["alert", "learning"]


def test_ids_and_baseline_of_an_alert() -> None:
    records = [at(-30, "a"), at(-2, "a"), at(-2), at(0, host_id="hé")]
    (alert,) = [row for row in detect([*heartbeats(), *records]).alerts if row["host"]["id"] == "hé"]
    hour = int(DAY_0.timestamp()) // 3600
    names = ["uncommon-im-communication", "default"]
    assert alert["alert_id"] == short_digest([*names, "hé", "app", "unknown:", "", "telegram", "base", hour])
    assert alert["group_id"] == short_digest([*names, "app", "unknown:", "", "telegram", hour // 24])
    assert alert["baseline"] == {
        "coverage_days": 30,
        "other_hosts": 2,
        "host_days": 0,
        "active_days": 2,
        "first_day": "2026-03-02",
        "last_day": "2026-03-30",
        "window_start": "2026-03-02",
        "window_end": "2026-03-31",
    }
