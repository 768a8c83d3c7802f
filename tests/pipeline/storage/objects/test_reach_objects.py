"""What is said of S3 and Azure without credentials, without an account, and without an answer; no server is needed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from tests.pipeline.storage.test_reach import backfill, refused
from uncommon_im.pipeline.storage import reach_objects
from uncommon_im.pipeline.storage.objects import azure
from uncommon_im.pipeline.storage.objects.addresses import parse_address
from uncommon_im.pipeline.storage.objects.azure import AzureStore
from uncommon_im.pipeline.storage.reach import require_reachable
from uncommon_im.schemas.documents import ConfigurationError

SECRET = "b2YgYSB0ZXN0"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """An environment that says nothing of either cloud."""
    import os

    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_s3_without_credentials_is_said_in_a_line(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, backfill(tmp_path, "--input", "s3://b/x.jsonl"))
    assert line.startswith(
        "--input s3://b/x.jsonl: no credentials of AWS: Unable to locate credentials: log in with `aws"
    )


def test_a_profile_that_is_not_there_is_said(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "analyst")
    assert "The config profile (analyst) could not be found" in refused(
        capsys, backfill(tmp_path, "--output", "s3://b/run")
    )


def test_an_account_that_nothing_names_is_said(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, backfill(tmp_path, "--input", "az://logs/x.jsonl"))
    assert line == (
        "--input az://logs/x.jsonl: no storage account: set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING, "
        "or write abfs://logs@ACCOUNT.dfs.core.windows.net/..."
    )


def test_a_damaged_connection_string_is_said(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "what is this")
    line = refused(capsys, backfill(tmp_path, "--input", "az://logs/x.jsonl"))
    assert line.startswith("--input AZURE_STORAGE_CONNECTION_STRING: ")


def test_azure_without_credentials_is_said_in_a_line(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise ClientAuthenticationError("nothing gave a token.\nAttempted credentials:\n...")

    monkeypatch.setattr(DefaultAzureCredential, "get_token", none)
    path = "abfss://logs@acme.dfs.core.windows.net/x.jsonl"
    line = refused(capsys, backfill(tmp_path, "--input", path))
    assert line.startswith(f"--input {path}: no credentials of Azure: nothing gave a token.: log in with `az login`")


@pytest.mark.parametrize("path", ["s3://b/x", "az://b/x"])
def test_a_store_that_never_answers_is_not_waited_for(path: str, silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach_objects, "SECONDS", 0.2)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent)
    connection = f"AccountName=acme;AccountKey={SECRET};BlobEndpoint={silent}/acme"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
    began = time.monotonic()
    with pytest.raises(ConfigurationError, match=rf"^--input {path}: {silent}\S* does not answer"):
        require_reachable([("--input", path)])
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("environment", "path", "url", "kind"),
    [
        (
            {"AZURE_STORAGE_ACCOUNT": "acme"},
            "az://c/x",
            "https://acme.blob.core.windows.net/",
            "DefaultAzureCredential",
        ),
        (
            {"AZURE_STORAGE_ACCOUNT_NAME": "acme", "AZURE_STORAGE_ACCOUNT_KEY": SECRET},
            "abfs://c/x",
            "https://acme.blob.core.windows.net/",
            "SharedKeyCredentialPolicy",
        ),
        (
            {"AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": SECRET},
            "abfss://c@acme.dfs.core.usgovcloudapi.net/x",
            "https://acme.blob.core.usgovcloudapi.net/",
            "DefaultAzureCredential",
        ),
        (
            {"AZURE_STORAGE_KEY": SECRET},
            "azfs://acme/c/x",
            "https://acme.blob.core.windows.net/",
            "SharedKeyCredentialPolicy",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=other;AccountKey={SECRET}"},
            "azfs://acme/c/x",
            "https://acme.blob.core.windows.net/",
            "DefaultAzureCredential",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=acme;AccountKey={SECRET}"},
            "azfs://acme/c/x",
            "https://acme.blob.core.windows.net/",
            "SharedKeyCredentialPolicy",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=acme;AccountKey={SECRET}"},
            "abfs://c@acme.dfs.core.chinacloudapi.cn/x",
            "https://acme.blob.core.chinacloudapi.cn/",
            "DefaultAzureCredential",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=acme;AccountKey={SECRET};BlobEndpoint=http://h:1/acme"},
            "abfs://c@acme.dfs.core.windows.net/x",
            "http://h:1/acme/",
            "SharedKeyCredentialPolicy",
        ),
    ],
)
def test_the_account_and_the_credentials_are_those_that_belong_to_the_path(
    environment: dict[str, str], path: str, url: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    service = AzureStore({}).service(parse_address(path))
    assert service.url == url
    assert type(service.credential).__name__ == kind
    assert AzureStore({}).service(parse_address(path)) is service, "clients are kept"
    assert azure.BlobServiceClient is type(service)
