"""The backfill (in-process engine) against the oracle, alert by alert, on random organisations."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.oracle import detect
from tests.organisations import random_organisation
from tests.running import configuration_of, run_records

SEEDS = range(24)
FIGURES = ("window_start", "window_end", "coverage_days", "other_hosts", "host_days", "active_days")
FIGURES += ("first_day", "last_day")
PROCESS = ("name", "path", "sha256", "pid", "signature_status", "signer", "origin", "script", "completed_from")


def comparable(alert: dict[str, Any]) -> tuple[Any, ...]:
    """What the oracle computes too."""
    return (
        *(alert[name] for name in ("alert_id", "group_id", "tenant_id", "severity", "variation", "timestamp")),
        *(alert[name] for name in ("event_id", "user_name", "group_saturated")),
        tuple(alert["matched_variations"]),
        tuple(alert["suspicion_reasons"]),
        *(alert["host"][name] for name in ("id", "os")),
        alert["service"]["id"],
        json.dumps([alert["process"][name] for name in PROCESS], sort_keys=True),
        alert["parent"]["name"],
        tuple(alert["destination"][name] for name in ("host", "ip", "port", "attribution", "matched")),
        tuple(alert["baseline"][name] for name in FIGURES),
        json.dumps(investigated(alert["investigation"]), sort_keys=True),
        json.dumps([alert[name] for name in ("first_event", "priority", "priority_parts")], sort_keys=True),
    )


def investigated(said: dict[str, Any]) -> dict[str, Any]:
    """An investigation without words that the oracle does not write: how many there are, and about what."""
    application, missing = said["application"], said["missing"]
    if isinstance(application["reasons"], int):
        return said
    return said | {
        "application": application | {"reasons": len(application["reasons"])},
        "missing": sorted(each["what"] for each in missing),
    }


@pytest.mark.parametrize("seed", SEEDS[:16])
def test_alerts_verdicts_repeats_and_counts_equal_the_oracles(seed: int) -> None:
    organisation = random_organisation(seed)
    expected = detect(organisation.records, organisation.options)
    found = run_records(organisation.records, configuration_of(organisation.options))
    assert Counter(map(comparable, found.alerts)) == Counter(map(comparable, expected.alerts)), organisation.story
    events = found.summary["events"]
    assert (events["read"], events["valid"], events["out_of_range"]) == (
        expected.read,
        expected.valid,
        expected.out_of_range,
    )
    assert events["dead_letter"] == dict(expected.dead_letters)
    assert found.summary["communications"] == expected.communications
    assert found.summary["communications_without_process"] == expected.communications_without_process
    assert found.summary["activities"] == len(expected.activities)
    assert +Counter(found.summary["verdicts"]) == +Counter(expected.verdicts)

    assert verdict_rows(found.verdicts) == oracle_rows(expected.activities)


def verdict_rows(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Rows of `verdicts/`, comparable with the oracle's activities."""
    names = ("tenant", "host", "program", "origin", "script", "service", "hour", "verdict", "duplicate_of")
    return Counter(tuple(row[name] for name in names) for row in rows)


def oracle_rows(activities: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """The oracle's activities, comparable with rows of `verdicts/`."""
    return Counter(
        (row["tenant"], row["host"], *row["program"], row["service"], row["hour"], row["verdict"], row["duplicate_of"])
        for row in activities
    )


def test_the_organisations_reach_every_verdict_and_variation() -> None:
    verdicts: Counter[str] = Counter()
    variations: Counter[str] = Counter()
    for seed in SEEDS:
        organisation = random_organisation(seed)
        expected = detect(organisation.records, organisation.options)
        verdicts += expected.verdicts
        variations += Counter(alert["variation"] for alert in expected.alerts)
    assert set(+verdicts) == {
        "training",
        "learning",
        "common_in_organisation",
        "common_on_host",
        "excepted",
        "duplicate",
        "rolled_up",
        "alert",
    }
    assert min(verdicts.values()) >= 50
    assert set(variations) == {"base", "suspicious_process", "uncommon_scripting_engine"}
