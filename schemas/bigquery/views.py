"""The views of a dataset: each alert once, and the cases that alerts make; and their DDL.

`cases` puts alerts together as `uncommon-im cases` does, the transitive part of the rule included: a recursion goes on
until no case can grow. What differs:

- Of an alert that is there several times it takes the row of `alerts_latest`.
- Upper and lower case of a program's name are as `LOWER` of BigQuery has them.
- BigQuery limits a recursion to 500 rounds, of which a chain of shared groups takes one a group. A longer chain is an
  error of the query, never another answer. So is what does not fit in a row: the programs of shared groups.
- `related`, `users`, `variations` and the words of `spread` are left out.

A view has no order. `place` is the column to order by: 1 is the case to open first.
"""

from __future__ import annotations

from typing import Final

LATEST: Final = "alerts_latest"
"""The view of alerts in which each is there once, however often a stream has written it."""
CASES: Final = "cases"
"""The view of alerts put together."""

_LATEST_SQL: Final = """SELECT * FROM `{dataset}.alerts`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY alert_id ORDER BY activity.events DESC, run_id DESC, content_digest
) = 1"""

_CASES_SQL: Final = r"""WITH RECURSIVE counted AS (
  -- The same tenant, program and service are one link, named by the least of its alerts. Code counts by its kind.
  SELECT
    *,
    COALESCE(priority, 0) AS points,
    CASE severity WHEN 'High' THEN 3 WHEN 'Medium' THEN 2 WHEN 'Low' THEN 1 WHEN 'Informational' THEN 0 ELSE -1 END
      AS severity_rank,
    MIN(alert_id) OVER (
      PARTITION BY tenant_id, LOWER(process.name), process.origin, service.id, IF(
        REGEXP_CONTAINS(process.script, r'^[^|]*[|](script:|module(:|\z))'),
        process.script,
        REGEXP_REPLACE(process.script, r'(?s)^([^|]*[|][^:]*):.*', r'\1')
      )
    ) AS link
  FROM `{dataset}.alerts_latest`
),
shared AS (
  -- Only a group that several links share makes one case of them.
  SELECT group_id, link
  FROM counted
  GROUP BY group_id, link
  QUALIFY COUNT(*) OVER (PARTITION BY group_id) > 1
),
rounds AS (
  -- Each round gives a link the least label of its groups, until none changes. One row has all links: a recursion may
  -- not aggregate its rows, but it may aggregate inside of a row.
  SELECT ARRAY_AGG(STRUCT(group_id AS group_id, link AS link, link AS label, TRUE AS moved)) AS edges
  FROM shared
  UNION ALL
  SELECT ARRAY(
    SELECT AS STRUCT group_id AS group_id, link AS link, label AS label, label < label_before AS moved
    FROM (
      SELECT group_id, link, label_before, MIN(label_of_group) OVER (PARTITION BY link) AS label
      FROM (
        SELECT
          edge.group_id AS group_id,
          edge.link AS link,
          edge.label AS label_before,
          MIN(edge.label) OVER (PARTITION BY edge.group_id) AS label_of_group
        FROM UNNEST(round.edges) AS edge
      )
    )
  ) AS edges
  FROM rounds AS round
  WHERE EXISTS (SELECT 1 FROM UNNEST(round.edges) AS edge WHERE edge.moved)
),
labels AS (
  SELECT DISTINCT edge.link AS link, edge.label AS label
  FROM rounds AS round
  CROSS JOIN UNNEST(round.edges) AS edge
  WHERE NOT EXISTS (SELECT 1 FROM UNNEST(round.edges) AS other WHERE other.moved)
),
found AS (
  SELECT
    ARRAY_AGG(alert_id ORDER BY timestamp, alert_id) AS alert_ids,
    ARRAY_AGG(
      STRUCT(
        alert_id AS alert_id, tenant_id AS tenant_id, points AS points, process AS process, service AS service
      )
      ORDER BY points DESC, severity_rank DESC, COALESCE(activity.bytes_sent, 0) DESC, timestamp, alert_id
      LIMIT 1
    )[OFFSET(0)] AS urgent,
    ARRAY_AGG(severity ORDER BY severity_rank DESC, timestamp, alert_id LIMIT 1)[OFFSET(0)] AS severity,
    MAX(severity_rank) AS severity_rank,
    COUNT(*) AS alerts,
    COUNT(DISTINCT host.id) AS hosts,
    MIN(timestamp) AS first,
    MAX(timestamp) AS last,
    SUM(activity.bytes_sent) AS bytes_sent,
    SUM(activity.bytes_received) AS bytes_received,
    LOGICAL_OR(group_saturated) AS group_saturated
  FROM counted
  LEFT JOIN labels USING (link)
  GROUP BY COALESCE(label, link)
)
SELECT
  ROW_NUMBER() OVER (
    ORDER BY urgent.points DESC, severity_rank DESC, COALESCE(bytes_sent, 0) DESC, first, alert_ids[OFFSET(0)]
  ) AS place,
  alert_ids[OFFSET(0)] AS case_id,
  urgent.tenant_id AS tenant_id,
  urgent.points AS priority,
  severity,
  urgent.process.name AS program,
  urgent.process.origin AS origin,
  urgent.process.script AS script,
  urgent.service.id AS service_id,
  urgent.service.name AS service,
  alerts,
  hosts,
  first,
  last,
  bytes_sent,
  bytes_received,
  group_saturated,
  urgent.alert_id AS open_first,
  alert_ids
FROM found"""


def latest_ddl(dataset: str) -> str:
    """The statement that makes the view `alerts_latest` of a dataset (`PROJECT.DATASET`)."""
    what = "alerts, each alert_id once: of its rows the one with most events"
    return _view(dataset, LATEST, what, _LATEST_SQL)


def cases_ddl(dataset: str) -> str:
    """The statement that makes the view `cases` of a dataset (`PROJECT.DATASET`), which has to have `alerts_latest`."""
    what = "alerts put together: one program and service of a tenant, over hosts and days. ORDER BY place: worst first"
    return _view(dataset, CASES, what, _CASES_SQL)


def view_ddls(dataset: str) -> list[str]:
    """The statements that make all views of a dataset (`PROJECT.DATASET`), in an order in which they can be run."""
    return [latest_ddl(dataset), cases_ddl(dataset)]


def _view(dataset: str, name: str, what: str, sql: str) -> str:
    body = sql.replace("{dataset}", dataset)
    return f"CREATE OR REPLACE VIEW `{dataset}.{name}`\nOPTIONS (description = '{what}')\nAS\n{body}"
