"""Azure's blobs on this machine: Azurite, over HTTP; a container a test."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.cloud.servers import free_port, serving
from tests.cloud.storage import Bucket

PROGRAM = Path(sys.prefix) / "azurite" / "node_modules" / ".bin" / "azurite-blob"
ACCOUNT = "acmelogs"
KEY = b64encode(b"of a test that makes its own key").decode()


class Container(Bucket):
    """A container of the server that AZURE_STORAGE_CONNECTION_STRING names.

    Args:
        form: of its path.
    """

    def __init__(self, form: str = "az://{container}") -> None:
        self.name = f"c{uuid.uuid4().hex}"
        self.form = form
        service = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
        self.client = service.create_container(self.name)

    @property
    def url(self) -> str:
        return self.form.format(container=self.name, account=ACCOUNT)

    @property
    def nowhere(self) -> str:
        return self.form.format(container=f"{self.name}-none", account=ACCOUNT)

    def put(self, name: str, content: bytes) -> str:
        self.client.upload_blob(name, content, overwrite=True)
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes:
        return bytes(self.client.download_blob(name).readall())

    def delete(self, name: str) -> None:
        self.client.delete_blob(name)

    def names(self, prefix: str = "") -> list[str]:
        return sorted(self.client.list_blob_names(name_starts_with=prefix))


@contextmanager
def azurite() -> Iterator[str]:
    """The server, and the connection string of an account of its own."""
    if not PROGRAM.exists() or shutil.which("node") is None:
        pytest.skip("Azurite is not here: it takes node and npm")
    port = free_port()
    command = [str(PROGRAM), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence"]
    command += ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]  # the SDK may be newer
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    with serving(command, [port], environment), pytest.MonkeyPatch.context() as patch:
        connection = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        patch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
        yield connection
