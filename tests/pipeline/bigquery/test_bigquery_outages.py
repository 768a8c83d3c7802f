"""What is said while BigQuery does not answer: the client library's requests to servers of this process. No engine."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from google.api_core.exceptions import DeadlineExceeded, NotFound, RetryError, ServiceUnavailable
from google.cloud.bigquery.retry import DEFAULT_RETRY

from uncommon_im.pipeline.bigquery.access import BigQueryAccess, reason_of
from uncommon_im.pipeline.bigquery.outages import storage_retry

PATIENT = DEFAULT_RETRY.with_delay(0.01, 0.02)
CUT = 0
"""Instead of a status: the connection is cut."""
BODY = b'{"datasetReference": {"projectId": "payer", "datasetId": "d"}}'


@contextmanager
def answering(*statuses: int) -> Iterator[BigQueryAccess]:
    """BigQuery's REST API, which gives these answers in this order."""
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = left.pop(0)
            if status == CUT:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield BigQueryAccess("payer", url, url)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "uncommon_im")


def test_each_try_that_fails_is_said_and_that_bigquery_answers_again(caplog: pytest.LogCaptureFixture) -> None:
    with answering(CUT, 503, 429, 200, 500, 200) as access, access.client() as client:
        client.get_dataset("payer.d", retry=PATIENT)
        client.get_dataset("payer.d", retry=PATIENT)
    assert caplog.messages == [
        "BigQuery does not answer (try 1, 0 s after the first): ConnectionError",
        "BigQuery does not answer (try 2, 0 s after the first): HTTP 503",
        "BigQuery does not answer (try 3, 0 s after the first): HTTP 429",
        "BigQuery answers again, after 0 s",
        "BigQuery does not answer (try 1, 0 s after the first): HTTP 500",
        "BigQuery answers again, after 0 s",
    ]


def test_what_bigquery_answers_is_no_outage_even_if_it_is_no(caplog: pytest.LogCaptureFixture) -> None:
    with answering(200, 404) as access, access.client() as client:
        client.get_dataset("payer.d")
        with pytest.raises(NotFound):
            client.get_dataset("payer.d")
    assert caplog.messages == []


def test_tries_that_are_given_up_say_what_the_last_of_them_met() -> None:
    with answering(*[503] * 100) as access, access.client() as client, pytest.raises(RetryError) as failed:
        client.get_dataset("payer.d", retry=PATIENT.with_timeout(0.1))
    assert reason_of(failed.value).startswith("Timeout of 0.1s exceeded, the last try: GET http://127.0.0.1:")


def test_the_storage_api_is_waited_for_and_that_is_said_but_nothing_else_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = iter([ServiceUnavailable("away"), DeadlineExceeded("slow"), NotFound("gone")])
    tries = storage_retry("bigquery://p.d.t").with_delay(0.01, 0.02)

    def call() -> None:
        raise next(failing)

    with pytest.raises(NotFound):
        tries(call)()
    assert caplog.messages == [
        "bigquery://p.d.t: BigQuery does not answer, another try follows: 503 away",
        "bigquery://p.d.t: BigQuery does not answer, another try follows: 504 slow",
    ]
