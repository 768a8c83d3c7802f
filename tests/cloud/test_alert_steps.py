"""The queries of alerts' steps on `local-bigquery`: each is taken, and finds what its alert speaks of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cloud.bigquery import BigQuery
from tests.organisations import random_organisation
from tests.running import arrow_of, configuration_of, run_records
from uncommon_im.transforms.rules.alerts.queries.bigquery import TABLE

pytestmark = pytest.mark.cloud

HOSTILE = 'pc "7" \\ o\'neil; -- /* `x` */'


def test_every_query_finds_its_alert_in_the_events_that_it_was_made_of(bigquery: BigQuery) -> None:
    organisation = random_organisation(5)
    moment = datetime.fromisoformat("2026-04-15T10:00:00+00:00")
    told: dict[str, Any] = {"host_id": HOSTILE, "process_name": "odd 'n\" %s", "remote_ip": "149.154.167.99"}
    hostile = told | {"event_time": moment.isoformat(), "process_pid": 7, "parent_process_name": "explorer.exe"}
    records = [*organisation.records, hostile]
    alerts = run_records(records, configuration_of(organisation.options)).alerts
    bigquery.load("xdr_events", arrow_of(records))
    (mine,) = (alert for alert in alerts if alert["host"]["id"] == HOSTILE)
    images, parents, hours, around, others = (ask(bigquery, step) for step in mine["steps"])
    assert [row["hosts"] for row in images] == [1]
    assert [(row["parent_process_name"], row["on_this_host"]) for row in parents] == [("explorer.exe", True)]
    zone = mine["investigation"]["time"]
    assert sum(row["events_of_this_host"] for row in hours if row["hour_of_day"] == zone["hour"]) == 1
    assert [row["this_process"] for row in around] == [True]
    assert abs(around[0]["event_time"] - moment) < timedelta(seconds=1)
    assert [row["host_id"] for row in others] == [HOSTILE]

    assert mine["destination"]["attribution"] == "ip_range"
    other = next(alert for alert in alerts if alert["destination"]["attribution"] == "domain")
    assert all(ask(bigquery, step) for step in other["steps"]), other


def ask(bigquery: BigQuery, step: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of a step's query over the test's dataset."""
    return bigquery.query(step["bigquery_sql"].replace(TABLE, f"`{bigquery.dataset}.xdr_events`"))
