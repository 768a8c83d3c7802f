"""The view `cases`, on `local-bigquery`: it gives what `cases` makes of the same alerts, in the order of `place`."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.cloud.bigquery import BigQuery
from tests.running import Record
from uncommon_im.transforms.rules.advice.cases import SEVERITIES, Case, CaseAlert, cases

pytestmark = pytest.mark.cloud

SCRIPTS = (
    *("", "python", "python|", "python|stdin", "python|interactive", "node|stdin", "no bar: but a colon"),
    *("python|inline:0123", "python|inline:4567", "python|inline:a|b:c", "python|inline", "python|inline:two\nlines"),
    *("python|script:/srv/a.py", "python|script:/srv/b|c:d.py", "python|script:", "python|script"),
    *("python|module:http", "python|module:json", "python|module", "python|modules:a", "python|modules:b"),
)
"""Scripts of all kinds, and of forms that no alert has: the rule is the same for any text."""


def alert(number: int, **more: Any) -> Record:
    """An alert as its table has it; ids are not in the order of time."""
    when = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=number)
    return {
        "alert_id": f"{number * 7919 % 10_007:032x}",
        "group_id": f"group-{number}",
        "tenant_id": "acme",
        "severity": "Low",
        "priority": 50,
        "variation": "base",
        "timestamp": when.isoformat(),
        "host": {"id": f"pc{number}"},
        "process": {"name": "courier", "origin": "unsigned:/opt", "script": ""},
        "service": {"id": "telegram", "name": "Telegram"},
        "service_id": "telegram",
        "activity": {"events": 1, "bytes_sent": number},
        "group_saturated": False,
        "content_digest": str(number),
    } | more


def program(name: str, script: str = "") -> Record:
    return {"name": name, "origin": "unsigned:/opt", "script": script}


def random_alerts(chooser: random.Random, tenant: str, programs: int, groups: int, number: int) -> list[Record]:
    """Alerts of a tenant: the more programs and the fewer groups, the more of one hangs together with others."""
    names = [f"{letter}{count}" for count in range(programs) for letter in "aA"]
    return [
        alert(
            chooser.randrange(10_000),
            group_id=f"{tenant}-{chooser.randrange(groups)}",
            tenant_id=tenant,
            severity=chooser.choice([*SEVERITIES, "Unheard of"]),
            priority=chooser.choice([0, 50, 50, 100]),
            timestamp=f"2026-03-{chooser.randint(10, 12)}T{chooser.randrange(3):02}:00:00.000001Z",
            host={"id": f"pc{chooser.randrange(9)}"},
            process={
                "name": chooser.choice(names),
                "origin": chooser.choice(["slack inc", "unsigned:/opt"]),
                "script": chooser.choice(SCRIPTS) if chooser.random() < 0.5 else "",
            },
            service=(service := chooser.choice([{"id": "slack", "name": "Slack"}, {"id": "x", "name": "X"}])),
            service_id=service["id"],
            activity={"events": 1}
            | {name: chooser.choice([None, 0, 10, 1000]) for name in ("bytes_sent", "bytes_received")},
            group_saturated=chooser.random() < 0.1,
        )
        for _ in range(number)
    ]


def insert(to: BigQuery, rows: list[Record]) -> None:
    assert to.client.insert_rows_json(f"{to.dataset}.alerts", rows) == []


def view(to: BigQuery) -> list[Record]:
    return to.query(f"SELECT * FROM `{to.dataset}.cases` ORDER BY place")


def expected(rows: list[Record]) -> list[Record]:
    """What `cases` makes of the same rows."""
    read = [msgspec.convert({"user_name": None} | row | {"activity": _activity(row)}, CaseAlert) for row in rows]
    return [_row(place, case) for place, case in enumerate(cases(read), 1)]


def _activity(row: Record) -> Record:
    return {"bytes_sent": None, "bytes_received": None} | row["activity"]


def _row(place: int, case: Case) -> Record:
    urgent = case.open_first
    return {
        "place": place,
        "case_id": case.case_id,
        "tenant_id": urgent.tenant_id,
        "priority": urgent.priority,
        "severity": case.severity,
        "program": urgent.process.name,
        "origin": urgent.process.origin,
        "script": urgent.process.script,
        "service_id": urgent.service.id,
        "service": urgent.service.name,
        "alerts": len(case.alerts),
        "hosts": len(case.hosts),
        "first": case.first,
        "last": case.last,
        "bytes_sent": case.bytes_sent,
        "bytes_received": case.bytes_received,
        "group_saturated": any(alert.group_saturated for alert in case.alerts),
        "open_first": urgent.alert_id,
        "alert_ids": [alert.alert_id for alert in case.alerts],
    }


def test_the_view_gives_the_cases_of_random_alerts(tables: BigQuery) -> None:
    chooser = random.Random(20260301)
    shapes = ((2, 300, 60), (10, 40, 60), (30, 60, 120), (60, 30, 40), (5, 5, 60))
    rows = [row for number, shape in enumerate(shapes) for row in random_alerts(chooser, f"tenant-{number}", *shape)]
    unique = [*{row["alert_id"]: row for row in rows}.values()]
    chooser.shuffle(unique)
    found = expected(unique)
    sizes = [case["alerts"] for case in found]
    assert min(sizes) == 1
    assert len(found) > 50
    insert(tables, unique)
    assert view(tables) == found


def test_programs_that_hang_together_over_many_groups_are_one_case_and_their_neighbours_are_not(
    tables: BigQuery,
) -> None:
    chain = [
        alert(2 * link + side, process=program("python", f"python|script:/tmp/{link + side}.py"), group_id=f"g{link}")
        for link in range(12)
        for side in (0, 1)
    ]
    others = [
        alert(100, process=program("python", "python|script:/tmp/13.py")),
        alert(101, process=program("python", "python|script:/tmp/0.py"), tenant_id="other"),
    ]
    insert(tables, [*chain, *others])
    found = view(tables)
    assert found == expected([*chain, *others])
    assert sorted(case["alerts"] for case in found) == [1, 1, 24]


def test_without_alerts_there_is_no_case_and_an_alert_that_comes_again_counts_once_with_most_events(
    tables: BigQuery,
) -> None:
    assert view(tables) == []
    early, late = alert(1, activity={"events": 1, "bytes_sent": 5}), alert(1, activity={"events": 9, "bytes_sent": 70})
    insert(tables, [late, early, alert(2)])
    (case,) = found = view(tables)
    assert found == expected([early, late, alert(2)])
    assert (case["alerts"], case["bytes_sent"]) == (2, 72)
