"""How BigQuery is reached, without BigQuery: endpoints, and which of them are sent credentials."""

from __future__ import annotations

import google.auth
import pytest
from google.api_core.exceptions import Forbidden
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError

from uncommon_im.pipeline.bigquery.access import BigQueryAccess, reason_of
from uncommon_im.schemas.documents import ConfigurationError

PRIVATE = BigQueryAccess("p", "https://bigquery-x.p.googleapis.com", "https://bigquerystorage-x.p.googleapis.com")
EMULATOR = BigQueryAccess("p", "http://127.0.0.1:9050", "http://127.0.0.1:9060")


class Credentials(AnonymousCredentials):
    """Those of somebody."""


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Credentials:
    given = Credentials()
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (given, "home"))
    return given


def test_an_emulator_is_sent_no_credentials(credentials: Credentials) -> None:
    client = EMULATOR.client()
    assert client._credentials is not credentials
    assert EMULATOR.endpoint == client._connection.API_BASE_URL
    assert EMULATOR.read_client().transport._credentials is not credentials


def test_private_endpoints_are_asked_with_the_default_credentials(credentials: Credentials) -> None:
    client = PRIVATE.client()
    assert client._credentials is credentials
    assert PRIVATE.endpoint == client._connection.API_BASE_URL
    assert PRIVATE.read_client().transport.host == "bigquerystorage-x.p.googleapis.com:443"


def test_without_endpoints_it_is_googles_and_the_project_that_of_the_credentials(credentials: Credentials) -> None:
    access = BigQueryAccess()
    assert access.client().project == "home"
    assert access.read_client().transport.host == "bigquerystorage.googleapis.com:443"


def test_without_credentials_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise DefaultCredentialsError("nothing found")

    monkeypatch.setattr(google.auth, "default", none)
    for make in (BigQueryAccess("p").client, BigQueryAccess("p").read_client):
        with pytest.raises(ConfigurationError, match=r"no credentials: .*nothing found.* `gcloud auth"):
            make()


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (
            BigQueryAccess(endpoint="localhost:9050", storage_endpoint="http://h:1"),
            "--bigquery-endpoint localhost:9050",
        ),
        (BigQueryAccess(endpoint="https://h/bigquery/v2"), "expected https://HOST"),
        (BigQueryAccess(storage_endpoint="grpc://h:1"), "--bigquery-storage-endpoint grpc://h:1"),
        (BigQueryAccess(endpoint="http://h:1"), "give both"),
        (BigQueryAccess(endpoint="https://h", storage_endpoint="http://h:1"), "give both"),
    ],
)
def test_endpoints_that_are_none_are_refused(access: BigQueryAccess, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        access.check()


@pytest.mark.parametrize("access", [PRIVATE, EMULATOR, BigQueryAccess()])
def test_endpoints_of_one_kind_are_taken(access: BigQueryAccess) -> None:
    access.check()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Forbidden("GET https://h/x: Access Denied", errors=[{"message": "Access\n Denied", "reason": "no"}]),
            "Access Denied",
        ),
        (Forbidden("plain"), "plain"),
        (ValueError("other"), "other"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_reason_is_what_bigquery_says_in_one_line(error: Exception, said: str) -> None:
    assert reason_of(error) == said
