"""Clients of BigQuery, for sources and sinks alike: where it answers, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import grpc
from google.api_core.exceptions import (
    Forbidden,
    GoogleAPICallError,
    GoogleAPIError,
    RetryError,
    Unauthenticated,
    Unauthorized,
)
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.bigquery import Client
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport
from requests.exceptions import RequestException

from uncommon_im.pipeline.bigquery.outages import say_outages
from uncommon_im.pipeline.storage.reach import google_credentials, require_answer
from uncommon_im.schemas.documents import ConfigurationError, require

API_ERRORS: Final = (GoogleAPIError, GoogleAuthError, RequestException)
"""Whatever the clients raise once they have given up."""
_ANY_SIZE: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
"""What the client library asks of the channels that it opens itself."""


@dataclass(frozen=True)
class BigQueryAccess:
    """How BigQuery is reached. Small and picklable: workers make their own clients of it.

    An endpoint of `https://` (Private Service Connect, a region's own) is asked with the default credentials. One of
    `http://` is an emulator: it is sent none.

    Args:
        project: pays for jobs and read sessions; `None`: that of the default credentials.
        endpoint: URL of the REST API; `None`: Google's.
        storage_endpoint: URL of the Storage API (gRPC); `None`: Google's.
    """

    project: str | None = None
    endpoint: str | None = None
    storage_endpoint: str | None = None

    def check(self) -> None:
        """Raises `ConfigurationError` unless endpoints are URLs of one kind: all of Google's, or all an emulator's."""
        for option, url in (
            ("--bigquery-endpoint", self.endpoint),
            ("--bigquery-storage-endpoint", self.storage_endpoint),
        ):
            parts = urlsplit(url or "https://default")
            require(
                parts.scheme in ("http", "https") and parts.netloc and parts.path in ("", "/"),
                f"{option} {url}: expected https://HOST, or http://HOST:PORT of an emulator",
            )
        require(
            is_plain(self.endpoint) == is_plain(self.storage_endpoint),
            "--bigquery-endpoint and --bigquery-storage-endpoint: of an emulator (http://) give both",
        )

    def client(self) -> Client:
        """A client of the REST API: jobs, datasets, tables, streaming inserts. What it waits out is logged.

        Raises:
            ConfigurationError: there are no credentials.
        """
        try:
            if not is_plain(self.endpoint):
                google_credentials()  # the library would look for them for long
            client = Client(
                project=self.project,
                credentials=AnonymousCredentials() if is_plain(self.endpoint) else None,  # type: ignore[no-untyped-call]
                client_options={"api_endpoint": self.endpoint} if self.endpoint else None,
            )
        except (DefaultCredentialsError, OSError) as error:
            raise _no_access(error) from None
        say_outages(client._http)  # the library has no other name for its session
        return client

    def reached_client(self, named: str) -> Client:
        """The same, for whoever asks first: it makes sure that there is an answer, for which the client waits minutes.

        Args:
            named: what needs it: the option and its value.

        Raises:
            ConfigurationError: there are no credentials, or BigQuery does not answer.
        """
        client = self.client()
        require_answer(named, self.endpoint or "https://bigquery.googleapis.com")
        return client

    def read_client(self) -> BigQueryReadClient:
        """A client of the Storage Read API.

        Raises:
            ConfigurationError: there are no credentials.
        """
        if self.storage_endpoint and is_plain(self.storage_endpoint):
            channel = grpc.insecure_channel(urlsplit(self.storage_endpoint).netloc, _ANY_SIZE)
            return BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))
        host = {"api_endpoint": urlsplit(self.storage_endpoint).netloc} if self.storage_endpoint else None
        try:
            google_credentials()
            return BigQueryReadClient(client_options=host)
        except DefaultCredentialsError as error:
            raise _no_access(error) from None


def is_plain(url: str | None) -> bool:
    """True for an endpoint without TLS, to which no credentials are sent."""
    return url is not None and url.startswith("http://")


def refused(error: Exception) -> bool:
    """True if BigQuery was reached, but does not let this caller in, whoever tries again."""
    return isinstance(error, (Forbidden, Unauthorized, Unauthenticated, GoogleAuthError))


def reason_of(error: Exception) -> str:
    """What an error of the API says, in one line; of tries that were given up, what the last of them met."""
    if isinstance(error, RetryError) and error.cause:
        return f"{str(error.message).rstrip('.')}, the last try: {reason_of(error.cause)}"
    said = error.errors if isinstance(error, GoogleAPICallError) else None
    text = said[0].get("message") if said and isinstance(said[0], dict) else getattr(error, "message", None) or error
    return " ".join(str(text).split()) or type(error).__name__


def _no_access(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"BigQuery: no credentials: {reason_of(error)}: log in with `gcloud auth application-default login`, or run as "
        "a service account; of a project that is not its own give --project"
    )
