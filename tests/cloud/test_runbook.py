"""The queries of the runbook, on `local-bigquery` over the tables that the project makes: BigQuery takes each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cloud.bigquery import BigQuery
from uncommon_im.pipeline.bigquery.tables import Dataset

pytestmark = pytest.mark.cloud

RUNBOOK = Path(__file__).parents[2] / "docs" / "operations" / "runbook.md"
QUERIES = re.findall(r'bq query .*?"(SELECT .*?)"\n', RUNBOOK.read_text(), re.DOTALL)


def test_the_runbook_asks_bigquery_something() -> None:
    assert len(QUERIES) == RUNBOOK.read_text().count("bq query") >= 4


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_of_the_runbook_runs(query: str, bigquery: BigQuery) -> None:
    Dataset(bigquery.access, bigquery.dataset).apply(bigquery.client)
    text = query.replace("\\`", "`").replace("$DATA.uncommon_im", bigquery.dataset)
    assert "$" not in text
    assert bigquery.query(text) == []
