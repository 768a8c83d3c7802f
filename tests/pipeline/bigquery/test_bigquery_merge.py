"""What is asked of BigQuery, by the client library's own requests: for what its emulator cannot show. No engine."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client
from requests import Request, Response

from uncommon_im.pipeline.bigquery.access import BigQueryAccess
from uncommon_im.pipeline.bigquery.merge import Merge, merge_sql
from uncommon_im.pipeline.bigquery.tables import BigQueryFailed, Dataset
from uncommon_im.schemas.bigquery.tables import TABLES
from uncommon_im.transforms.rules.alerts.table_rows import Scope

DATASET = Dataset(BigQueryAccess("payer"), "p.d")
SCOPE = Scope(date(2026, 3, 20), date(2026, 3, 21), ("acme", "globex"))


class Session:
    """Answers the client as BigQuery does when all goes well; keeps what it was asked."""

    is_mtls = False

    def __init__(self, failing: str | None = None) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._failing = failing

    def request(self, method: str, url: str, data: bytes | str | None = None, **_: Any) -> Response:
        path, body = url.partition("/bigquery/v2/")[2].partition("?")[0], json.loads(data or "{}")
        self.asked.append((method, path, body))
        if self._failing is not None and self._failing in json.dumps(body):
            return _response(400, {"error": {"message": "no", "errors": [{"message": "no", "reason": "invalid"}]}})
        if method == "POST" and path.endswith("/jobs"):
            body = body | {"status": {"state": "DONE"}, "statistics": {"query": {}}}
        elif "/queries/" in path:
            body = {"jobComplete": True, "totalRows": "0", "jobReference": {"projectId": "payer", "jobId": "j"}}
        return _response(200, body)

    def close(self) -> None:
        """Nothing is open."""

    @property
    def client(self) -> Client:
        return Client("payer", AnonymousCredentials(), _http=self)  # type: ignore[no-untyped-call]

    def jobs(self, kind: str) -> list[dict[str, Any]]:
        """The configurations of the jobs of a kind, in order."""
        begun = [body["configuration"] for method, path, body in self.asked if (method, path[-5:]) == ("POST", "/jobs")]
        return [configuration[kind] for configuration in begun if kind in configuration]


def _response(status: int, body: dict[str, Any]) -> Response:
    response = Response()
    response.request = Request("POST", "https://bigquery").prepare()
    response.status_code, response._content = status, json.dumps(body).encode()
    response.headers["Content-Type"] = "application/json"
    return response


def run(session: Session, **staged: list[str | bytes]) -> None:
    Merge(DATASET, "key", SCOPE, 60).run(session.client, staged)


def test_staged_objects_are_loaded_where_they_are_ten_thousand_a_job() -> None:
    session, uris = Session(), [f"gs://bucket/alerts-{number}.jsonl" for number in range(10_001)]
    run(session, alerts=list(uris))
    first, second = session.jobs("load")
    assert first["sourceUris"] + second["sourceUris"] == uris
    assert len(first["sourceUris"]) == 10_000
    assert first["sourceFormat"] == "NEWLINE_DELIMITED_JSON"
    assert first["destinationTable"]["tableId"].startswith("staging_alerts_")
    assert [field["name"] for field in first["schema"]["fields"]] == TABLES["alerts"].columns


def test_staging_tables_expire_and_are_deleted() -> None:
    session = Session()
    run(session, alerts=["gs://bucket/a"], verdicts=["gs://bucket/v"])
    made = [body for method, path, body in session.asked if method == "POST" and path.endswith("/tables")]
    gone = [path.rpartition("/")[2] for method, path, _ in session.asked if method == "DELETE"]
    assert sorted(body["tableReference"]["tableId"] for body in made) == sorted(gone)
    assert all(int(body["expirationTime"]) > 1_700_000_000_000 for body in made)


def test_all_tables_are_loaded_before_the_first_merge_and_merged_with_the_summary_last() -> None:
    session = Session()
    run(session, **{name: [f"gs://bucket/{name}"] for name in ("summaries", "alerts", "verdicts", "dead_letters")})
    kinds = [next(iter(body["configuration"])) for _, path, body in session.asked if path.endswith("/jobs")]
    assert kinds == ["load"] * 4 + ["query"] * 4
    merged = [job["query"].partition("`p.d.")[2].partition("`")[0] for job in session.jobs("query")]
    assert merged == ["dead_letters", "verdicts", "alerts", "summaries"]


def test_a_merge_is_told_the_days_and_tenants_of_the_run_as_parameters() -> None:
    session = Session()
    run(session, alerts=["gs://bucket/a"])
    (job,) = session.jobs("query")
    given = {each["name"]: each for each in job["queryParameters"]}
    assert given["first"]["parameterValue"]["value"] == "2026-03-20 00:00:00+00:00"
    assert given["end"]["parameterValue"]["value"] == "2026-03-21 00:00:00+00:00"
    assert given["tenants"]["parameterType"] == {"type": "ARRAY", "arrayType": {"type": "STRING"}}
    assert [each["value"] for each in given["tenants"]["parameterValue"]["arrayValues"]] == ["acme", "globex"]
    assert given["run_key"]["parameterValue"]["value"] == "key"


@pytest.mark.parametrize(
    ("failing", "far"), [("sourceUris", "no table has been"), ("MERGE `p.d.v", "dead_letters are")]
)
def test_a_failure_says_what_has_been_changed_and_staging_is_deleted(failing: str, far: str) -> None:
    session = Session(failing)
    with pytest.raises(BigQueryFailed, match=rf"^BigQuery: .*p\.d\.(dead_letters|verdicts): no; {far}.*: run the same"):
        run(session, dead_letters=["gs://bucket/d"], verdicts=["gs://bucket/v"])
    assert len([path for method, path, _ in session.asked if method == "DELETE"]) == 2


def test_only_rows_that_a_run_speaks_for_are_deleted_and_partitions_are_pruned_by_constants() -> None:
    days = "T.`timestamp` >= @first AND T.`timestamp` < @end AND T.`tenant_id` IN UNNEST(@tenants)"
    text = merge_sql(TABLES["alerts"], "p.d.alerts", "p.d.s")
    assert f"\nON T.alert_id = S.alert_id AND {days}\n" in text
    assert text.endswith(f"\nWHEN NOT MATCHED BY SOURCE AND {days} THEN DELETE")
    letters = merge_sql(TABLES["dead_letters"], "p.d.dead_letters", "p.d.s")
    assert letters.endswith("\nWHEN NOT MATCHED BY SOURCE AND T.run_key = @run_key THEN DELETE")
    assert "ROW_NUMBER() OVER (PARTITION BY content_digest) AS copy" in letters
    assert "ROW_NUMBER" not in text


def test_a_matched_row_is_written_only_if_it_says_something_else() -> None:
    text = merge_sql(TABLES["summaries"], "p.d.summaries", "p.d.s")
    assert "WHEN MATCHED AND T.content_digest != S.content_digest THEN UPDATE SET `first_day` = S.`first_day`" in text
    assert "`run_key` = S.`run_key`," not in text
