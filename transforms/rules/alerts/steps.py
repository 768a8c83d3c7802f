"""What an analyst does next about an alert: questions with ready queries (specification, first page and section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts.alert import Alert
from uncommon_im.transforms.rules.alerts.queries import bigquery, xql
from uncommon_im.transforms.rules.alerts.queries.subject import QuerySubject

_STEPS: Final = (
    (
        "Is the application legitimate?",
        "Distrust a name with several signers, folders or digests. Trust what many hosts have had for a long time.",
        bigquery.images,
        xql.images,
    ),
    (
        "What is its parent process?",
        "A parent that starts it on no other host needs an explanation. So does a document, mail or script behind it.",
        bigquery.parents,
        xql.parents,
    ),
    (
        "Is the time of the communication unusual?",
        "People chat when they work. An hour at which nobody else does points to a schedule or to a stranger.",
        bigquery.hours,
        xql.hours,
    ),
    (
        "What else did the process and its host do around that time?",
        "The half hours before and after show what came in, what was started or looked up, and how much went out.",
        bigquery.around,
        xql.around,
    ),
    (
        "Who else communicates like this?",
        "The same program and service on other hosts or for other users points to a roll-out or an outbreak.",
        bigquery.others,
        xql.others,
    ),
)


def with_steps(alert: Mapping[str, Any]) -> Alert:
    """The alert with its steps. They are written last, because what is rolled up needs none."""
    return {**alert, "steps": steps_of(alert)}


def steps_of(alert: Mapping[str, Any]) -> list[dict[str, str]]:
    """The `steps` of an alert: question, why to ask it, and the query in BigQuery's SQL and in XQL.

    Queries are made only of the alert's host, process name, digest, destination and time: none of these holds secrets.
    """
    subject = QuerySubject.of(alert)
    return [
        {"question": question, "why": why, "bigquery_sql": in_sql(subject), "xql": in_xql(subject)}
        for question, why, in_sql, in_xql in _STEPS
    ]
