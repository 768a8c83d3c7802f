"""BigQuery on this machine: `local-bigquery`, over HTTP and gRPC, with its Storage API; a dataset a test."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud.bigquery import Client, LoadJobConfig, SourceFormat

from tests.cloud.servers import free_port, serving
from uncommon_im.pipeline.bigquery.access import BigQueryAccess

PROJECT = "test-project"
ENVIRONMENT = Path(sys.prefix) / "bigquery-emulator"
"""`make test-cloud` makes it: the emulator needs another Python and another pyarrow than Beam."""


class BigQuery:
    """A dataset of the emulator."""

    def __init__(self, access: BigQueryAccess) -> None:
        self.access = access
        self.client: Client = access.client()
        self.dataset = f"{PROJECT}.d{uuid.uuid4().hex}"

    def __enter__(self) -> BigQuery:
        self.client.create_dataset(self.dataset)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.delete_dataset(self.dataset, delete_contents=True)
        self.client.close()

    @property
    def options(self) -> list[str]:
        """The options of the command that lead to the emulator."""
        endpoint, storage = self.access.endpoint, self.access.storage_endpoint
        return [f"--bigquery-endpoint={endpoint}", f"--bigquery-storage-endpoint={storage}", f"--project={PROJECT}"]

    def load(self, name: str, table: pa.Table) -> str:
        """Loads rows into a new table of the dataset; returns its full name."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        config = LoadJobConfig(source_format=SourceFormat.PARQUET)
        path = f"{self.dataset}.{name}"
        self.client.load_table_from_file(pa.BufferReader(sink.getvalue()), path, job_config=config).result()
        return path

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        return [dict(row) for row in self.client.query_and_wait(sql)]


@contextmanager
def bigquery_emulator(folder: Path) -> Iterator[BigQueryAccess]:
    """The emulator, with its data in a folder."""
    program = ENVIRONMENT / "bin" / "local-bigquery"
    assert program.exists(), f"{program} is missing: `make test-cloud` installs it"
    rest, storage = free_port(), free_port()
    command = [str(program), "--host", "127.0.0.1", "--port", str(rest), "--grpc-port", str(storage)]
    command += ["--project", PROJECT, "--data-dir", str(folder), "serve"]
    with serving(command, [rest, storage], {**os.environ, "HOME": str(ENVIRONMENT)}):
        yield BigQueryAccess(PROJECT, f"http://127.0.0.1:{rest}", f"http://127.0.0.1:{storage}")
