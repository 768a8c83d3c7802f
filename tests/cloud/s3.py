"""S3 on this machine: the server of moto, over HTTP; a bucket a test."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from tests.cloud.servers import free_port, serving
from tests.cloud.storage import Bucket


class S3Bucket(Bucket):
    """A bucket of the server that AWS_ENDPOINT_URL names, which boto3 obeys."""

    def __init__(self) -> None:
        self._client = boto3.client("s3")
        self._name = f"b{uuid.uuid4().hex}"
        self._client.create_bucket(Bucket=self._name)

    @property
    def url(self) -> str:
        return f"s3://{self._name}"

    def put(self, name: str, content: bytes) -> str:
        self._client.put_object(Bucket=self._name, Key=name, Body=content)
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self._name, Key=name)["Body"].read())

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._name, Key=name)

    def names(self, prefix: str = "") -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
        return sorted(each["Key"] for page in pages for each in page.get("Contents", ()))


@contextmanager
def s3_server() -> Iterator[str]:
    """The server, with credentials that it takes."""
    port = free_port()
    program = str(Path(sys.prefix) / "bin" / "moto_server")
    with serving([program, "-H", "127.0.0.1", "-p", str(port)], [port]), pytest.MonkeyPatch.context() as patch:
        url = f"http://127.0.0.1:{port}"
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "of-a-test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield url
