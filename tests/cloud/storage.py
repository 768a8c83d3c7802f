"""Cloud Storage on this machine: `gcp-storage-emulator`, over HTTP; a bucket a test."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.cloud.servers import free_port, serving

PROJECT = "test-project"


class Bucket(Protocol):
    """A bucket of some store, behind the back of what is tested."""

    @property
    def url(self) -> str:
        """Its path, without a slash at the end."""

    @property
    def nowhere(self) -> str:
        """The path of a bucket that is not there."""
        return f"{self.url}-none"

    def put(self, name: str, content: bytes) -> str:
        """Writes an object; returns its path."""

    def get(self, name: str) -> bytes:
        """The content of an object."""

    def delete(self, name: str) -> None:
        """Deletes an object."""

    def names(self, prefix: str = "") -> list[str]:
        """Names of objects, sorted."""


class GoogleBucket(Bucket):
    """A bucket of the emulator that STORAGE_EMULATOR_HOST names, which the client libraries and Beam obey."""

    def __init__(self) -> None:
        self._client = storage.Client(project=PROJECT, credentials=AnonymousCredentials())
        self._bucket = self._client.create_bucket(f"b{uuid.uuid4().hex}")

    @property
    def url(self) -> str:
        """`gs://` and its name."""
        return f"gs://{self._bucket.name}"

    def put(self, name: str, content: bytes) -> str:
        """Writes an object; returns its URL."""
        self._bucket.blob(name).upload_from_string(content)
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes:
        """The content of an object."""
        return self._bucket.blob(name).download_as_bytes()

    def delete(self, name: str) -> None:
        """Deletes an object."""
        self._bucket.blob(name).delete()

    def names(self, prefix: str = "") -> list[str]:
        """Names of objects, sorted."""
        return sorted(blob.name for blob in self._client.list_blobs(self._bucket, prefix=prefix))


@contextmanager
def storage_emulator() -> Iterator[str]:
    """The emulator; nobody asks for credentials while it is there, for Beam would try 23 seconds to find some."""
    port = free_port()
    program = str(Path(sys.prefix) / "bin" / "gcp-storage-emulator")
    command = [program, "start", "--host", "127.0.0.1", "--port", str(port), "--in-memory", "--quiet"]
    with serving(command, [port]), pytest.MonkeyPatch.context() as patch:
        url = f"http://127.0.0.1:{port}"
        patch.setenv("STORAGE_EMULATOR_HOST", url)
        patch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), PROJECT))
        yield url
