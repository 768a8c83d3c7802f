"""What an analyst does next about an alert: questions with ready queries (specification, first page and section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from uncommon_im.transforms.rules.alerts import bigquery_queries, xql_queries
from uncommon_im.transforms.rules.alerts.alert import Alert
from uncommon_im.transforms.rules.alerts.query_subject import Asked

_STEPS: Final = (
    (
        "Is the application legitimate?",
        "One name with several signers, folders or digests is none to trust; what many hosts have had for long is.",
        bigquery_queries.images,
        xql_queries.images,
    ),
    (
        "What is its parent process?",
        "A parent that starts it on no other host, or a document, a mail or a script behind it, needs an explanation.",
        bigquery_queries.parents,
        xql_queries.parents,
    ),
    (
        "Is the time of the communication unusual?",
        "People chat when they work: an hour at which nobody else does points to a schedule or to a stranger.",
        bigquery_queries.hours,
        xql_queries.hours,
    ),
    (
        "What else did the process and its host do around the time?",
        "Half an hour before and after: what came in, what was started and looked up, how much went out.",
        bigquery_queries.around,
        xql_queries.around,
    ),
    (
        "Who else communicates like this?",
        "The program with the service on other hosts and for other users: a roll-out, or an outbreak.",
        bigquery_queries.others,
        xql_queries.others,
    ),
)


def with_steps(alert: Mapping[str, Any]) -> Alert:
    """An alert as it leaves: what is rolled up needs no steps, so they are written last."""
    return {**alert, "steps": steps_of(alert)}


def steps_of(alert: Mapping[str, Any]) -> list[dict[str, str]]:
    """The `steps` of an alert: question, why to ask it, and the query in BigQuery's SQL and in XQL.

    Queries are made of the alert's host, process name, digest, destination and time: of nothing that holds secrets.
    """
    asked = Asked.of(alert)
    return [
        {"question": question, "why": why, "bigquery_sql": in_sql(asked), "xql": in_xql(asked)}
        for question, why, in_sql, in_xql in _STEPS
    ]
