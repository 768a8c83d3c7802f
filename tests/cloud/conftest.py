"""The emulators that the tests here run on, and a subscription, a dataset or a bucket a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from drongo.services.pubsub.emulator import PubSubEmulator

from tests.cloud.azure import azurite
from tests.cloud.bigquery import BigQuery, bigquery_emulator
from tests.cloud.proxy import Proxy, proxying
from tests.cloud.queue import Queue
from tests.cloud.s3 import s3_server
from tests.cloud.servers import free_port, serving
from tests.cloud.storage import Bucket, GoogleBucket, storage_emulator
from uncommon_im.pipeline.bigquery.access import BigQueryAccess
from uncommon_im.pipeline.bigquery.tables import Dataset

JARS = Path("/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib")
"""Where the Debian package google-cloud-cli-pubsub-emulator has Google's own."""


@pytest.fixture(scope="session", params=["drongo", "official"])
def emulator(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an emulator that runs; the client library finds it by PUBSUB_EMULATOR_HOST."""
    yield from (_drongo if request.param == "drongo" else _official)()


@pytest.fixture(autouse=True)
def large_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients take answers of any size, as they do from Google: for emulators they leave gRPC's limit of 4 MiB."""
    channel = grpc.insecure_channel
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    monkeypatch.setattr(grpc, "insecure_channel", lambda target, options=None: channel(target, options or unlimited))


@pytest.fixture
def queue(emulator: str) -> Iterator[Queue]:
    """A topic, and a subscription to it."""
    with Queue(emulator) as made:
        yield made


@pytest.fixture(scope="session")
def bigquery_access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BigQueryAccess]:
    """How to reach an emulator of BigQuery."""
    with bigquery_emulator(tmp_path_factory.mktemp("bigquery")) as access:
        yield access


@pytest.fixture
def bigquery(bigquery_access: BigQueryAccess) -> Iterator[BigQuery]:
    """A dataset."""
    with BigQuery(bigquery_access) as dataset:
        yield dataset


@pytest.fixture
def tables(bigquery: BigQuery) -> BigQuery:
    """A dataset with the tables that runs write to."""
    Dataset(bigquery.access, bigquery.dataset).apply(bigquery.client)
    return bigquery


@pytest.fixture
def shaky(tables: BigQuery) -> Iterator[Proxy]:
    """What stands before that dataset, for runs; the tests themselves reach it directly."""
    assert tables.access.endpoint is not None
    with proxying(tables.access.endpoint) as proxy:
        tables.access = replace(tables.access, endpoint=proxy.url)
        yield proxy


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """An emulator of Cloud Storage that the client libraries find."""
    with storage_emulator() as url:
        yield url


@pytest.fixture
def bucket(storage: str) -> Bucket:
    """A bucket."""
    return GoogleBucket()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A server of S3 that boto3 finds, and its address."""
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def azure() -> Iterator[str]:
    """A server of Azure's blobs that its SDK finds, and its connection string."""
    with azurite() as connection:
        yield connection


def _drongo() -> Iterator[str]:
    server = PubSubEmulator()
    server.start()
    yield "drongo"
    server.stop()


def _official() -> Iterator[str]:
    jars = sorted(JARS.glob("cloud-pubsub-emulator-*-all.jar"))
    if not jars or shutil.which("java") is None:
        pytest.skip("Google's emulator is not here: it takes java and google-cloud-cli-pubsub-emulator")
    port = free_port()
    command = ["java", "-Xmx256m", "-jar", str(jars[-1]), "--host=127.0.0.1", f"--port={port}"]
    with serving(command, [port]), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
        yield "official"
