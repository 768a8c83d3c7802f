"""What S3 and Azure do that Cloud Storage does not: odd keys, marks of folders, forms of paths, and how they refuse."""

from __future__ import annotations

import gc
import io
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import boto3
import pytest
import requests
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from tests.cloud.azure import ACCOUNT, KEY, Container
from tests.cloud.s3 import S3Bucket
from tests.cloud.servers import free_port
from tests.cloud.storage import Bucket
from tests.running import write_parquet
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.storage.changing import create, delete, delete_folder, move, write_whole
from uncommon_im.pipeline.storage.listing import exists, list_files, list_folder
from uncommon_im.pipeline.storage.opening import open_binary

pytestmark = pytest.mark.cloud

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}
ODD = ["a b", "a#b", "a[1]", "a%20b", "a+b", "a&b=c", "ä€", "a?b", "a*b", "a'b\"c", "a;b,c", "a@b", "{a}"]
DAY = ["--start", "2026-03-01", "--end", "2026-03-02"]


@pytest.fixture(params=["s3", "azure"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    request.getfixturevalue(request.param)
    return S3Bucket() if request.param == "s3" else Container()


def lines(count: int = 1) -> bytes:
    return "".join(f"{json.dumps(EVENT | {'process_name': f'p{number}'})}\n" for number in range(count)).encode()


def backfill(file: str, output: str, *options: str) -> int:
    return main(["backfill", "--input", file, "--output", output, "--activation-days", "0", *options])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line of standard error that is no log."""
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("uncommon-im: ")]
    return line.removeprefix("uncommon-im: ")


@pytest.mark.parametrize("odd", ODD)
def test_a_key_with_odd_characters_is_listed_read_written_moved_and_deleted(odd: str, bucket: Bucket) -> None:
    first, second = f"{bucket.url}/{odd}/x {odd}.jsonl", f"{bucket.url}/{odd}/moved"
    for decoy in ("a1/x", "ab/x", "a/x", "a b c/x", "axb/x"):
        bucket.put(decoy, b"another")
    write_whole(first, b"content")
    assert bucket.get(f"{odd}/x {odd}.jsonl") == b"content"
    assert exists(first)
    assert list_folder(f"{bucket.url}/{odd}") == [f"x {odd}.jsonl"]
    assert first in [file.path for file in list_files(f"{bucket.url}/*/*.jsonl")]
    with open_binary(first) as stream:
        assert stream.read() == b"content"
    move({first: second})
    assert not exists(first)
    delete([second])
    delete([second])  # it is gone already
    write_whole(second, b"")
    assert bucket.get(f"{odd}/moved") == b""
    delete_folder(f"{bucket.url}/{odd}")
    assert len(bucket.names()) == 5


def test_a_run_reads_keys_with_odd_characters_and_writes_beside_them(bucket: Bucket) -> None:
    for odd in ODD:
        bucket.put(f"lake {odd}/eventDay=20260301/{odd}.jsonl", lines())
    run = f"{bucket.url}/run #1 [a]%20"
    assert backfill(f"{bucket.url}/lake */eventDay={{date:%Y%m%d}}/*.jsonl", run, *DAY) == 0
    assert json.loads(bucket.get("run #1 [a]%20/summary.json"))["events"]["read"] == len(ODD)
    assert backfill(f"{bucket.url}/lake */eventDay={{date:%Y%m%d}}/*.jsonl", run, *DAY) == 0  # the run is replaced
    assert not [name for name in bucket.names() if "can-be-written" in name or "/.uncommon-im/2" in name]


def test_a_container_is_the_same_under_every_form_of_its_path(azure: str, tmp_path: Path) -> None:
    container = Container()
    forms = ["az://{container}", "abfs://{container}", "azfs://{account}/{container}"]
    forms += [f"{scheme}://{{container}}@{{account}}.dfs.core.windows.net" for scheme in ("abfs", "abfss")]
    urls = [form.format(container=container.name, account=ACCOUNT) for form in forms]
    services = b"services: [{id: mattermost, hosts: {exact: [chat.corp.example]}}]"
    for number, url in enumerate(urls):
        write_whole(f"{url}/lake/{number}.jsonl", lines())
        write_whole(f"{url}/services.yaml", services)
        assert list_files(f"{url}/lake/*")[number] == (f"{url}/lake/{number}.jsonl", len(lines()))
        assert len(list_folder(f"{url}/lake")) == number + 1
        given = ["--services", f"{url}/services.yaml", "--exceptions", f"{urls[0]}/none.yaml"]
        assert backfill(f"{url}/lake/*.jsonl", str(tmp_path / "run"), *given[:2], "--dry-run") == 0
        assert backfill(f"{url}/lake/*.jsonl", str(tmp_path / "run"), *given, "--dry-run") == 2
    assert container.names("lake/") == [f"lake/{number}.jsonl" for number in range(5)]


def test_large_objects_are_written_in_parts_and_read_from_anywhere(bucket: Bucket) -> None:
    content = os.urandom(1 << 20) * 21
    with create(f"{bucket.url}/large") as stream:
        for start in range(0, len(content), 3 << 20):
            stream.write(content[start : start + (3 << 20)])
    assert bucket.get("large") == content
    with open_binary(f"{bucket.url}/large") as read:
        assert read.seek(-7, io.SEEK_END) == len(content) - 7
        assert read.read() == content[-7:]
        assert read.read() == b""
        read.seek(5 << 20)
        assert read.read(10) == content[5 << 20 : (5 << 20) + 10]
        read.seek(0)
        assert read.read() == content
    move({f"{bucket.url}/large": f"{bucket.url}/moved"})
    assert bucket.names() == ["moved"]


def test_what_an_error_leaves_half_written_is_never_there(bucket: Bucket) -> None:
    with suppress(ZeroDivisionError), create(f"{bucket.url}/half") as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    create(f"{bucket.url}/open").write(b"never closed")
    gc.collect()
    assert bucket.names() == []


def test_marks_of_folders_are_no_files(bucket: Bucket) -> None:
    bucket.put("lake/", b"")
    bucket.put("lake/d=01/", b"")
    bucket.put("lake/d=01/a.jsonl", lines())
    if isinstance(bucket, Container):  # Data Lake Storage lists its folders among blobs
        bucket.client.upload_blob("lake/d=01/folder.jsonl", b"", metadata={"hdi_isfolder": "true"})
    assert list_folder(f"{bucket.url}/lake") == ["d=01/a.jsonl"]
    assert [path for path, _ in list_files(f"{bucket.url}/lake/**")] == [f"{bucket.url}/lake/d=01/a.jsonl"]


def test_more_objects_than_one_answer_lists_are_all_listed_and_deleted(bucket: Bucket) -> None:
    if isinstance(bucket, Container):
        pytest.skip("an answer of Azure lists 5,000: Azurite takes long to make them")
    for number in range(1_005):
        bucket.put(f"many/{number}", b"")
    assert len(list_folder(f"{bucket.url}/many")) == 1_005
    delete_folder(f"{bucket.url}/many")
    assert bucket.names() == []


def test_a_report_of_a_run_in_a_store_is_written_here(bucket: Bucket, tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", [EVENT])
    bucket.put("a.parquet", (tmp_path / "a.parquet").read_bytes())
    assert backfill(f"{bucket.url}/a.parquet", f"{bucket.url}/run", *DAY) == 0
    assert main(["report", f"{bucket.url}/run", "--output", str(tmp_path / "report.html")]) == 0
    assert "curl" in (tmp_path / "report.html").read_text()


def test_two_runs_at_once_on_a_store_are_one_too_many(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    owner = {
        "run_id": "other",
        "staging": ".uncommon-im/other",
        "process": "u@m, process 1",
        "machine": "m",
        "since": "2026-03-01T10:00:00Z",
    }
    lease = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    bucket.put("run/.uncommon-im/run-other.lock", json.dumps(owner | {"until": lease}).encode())
    file = bucket.put("a.jsonl", lines())
    assert backfill(file, f"{bucket.url}/run") == 2
    assert f"--output {bucket.url}/run: run other of u@m, process 1 has been writing there since" in said(capsys)
    ended = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    bucket.put("run/.uncommon-im/run-other.lock", json.dumps(owner | {"until": ended}).encode())
    assert backfill(file, f"{bucket.url}/run") == 0
    assert not [name for name in bucket.names() if name.endswith(".lock")]


def test_a_key_of_beams_options_rules_over_the_environment(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = S3Bucket()
    file = bucket.put("a.jsonl", lines())
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert backfill(file, f"{bucket.url}/run", f"--s3_endpoint_url={s3}") == 0


@pytest.fixture
def guarded(s3: str) -> Iterator[S3Bucket]:
    """A bucket of a server that asks who we are from now on, and knows nobody yet."""
    bucket = S3Bucket()
    bucket.put("a.jsonl", lines())
    requests.post(f"{s3}/moto-api/reset-auth", data=b"2", timeout=10)  # the next two calls are free
    iam = boto3.client("iam")
    user = f"nobody-{uuid.uuid4().hex}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        yield bucket
    requests.post(f"{s3}/moto-api/reset-auth", data=b"inf", timeout=10)


def test_s3_that_refuses_a_user_is_said(guarded: S3Bucket, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert backfill(f"{guarded.url}/a.jsonl", str(tmp_path / "run")) == 2
    line = said(capsys)
    assert line.startswith(f"--input {guarded.url}/a.jsonl: cannot be looked up: ")
    assert "403" in line


def test_s3_that_does_not_know_the_credentials_is_said(
    guarded: S3Bucket, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWN00")
    assert backfill(f"{guarded.url}/a.jsonl", str(tmp_path / "run")) == 2
    line = said(capsys)
    assert line.startswith(f"--input {guarded.url}/a.jsonl: S3 refuses the credentials: ")
    assert "InvalidAccessKeyId" in line
    assert "aws sso login" in line


def shared(container: Container, permission: ContainerSasPermissions) -> str:
    """A connection string that opens a container so far."""
    until = datetime.now(UTC) + timedelta(hours=1)
    signature = generate_container_sas(ACCOUNT, container.name, account_key=KEY, permission=permission, expiry=until)
    given = os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    endpoint = dict(part.split("=", 1) for part in given.split(";") if part)["BlobEndpoint"]
    return f"BlobEndpoint={endpoint};SharedAccessSignature={signature}"


def test_azure_that_refuses_the_key_is_said(
    azure: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = Container()
    wrong = azure.replace(KEY, KEY[::-1].strip("=") + "=")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", wrong)
    assert backfill(f"{container.url}/a.jsonl", str(tmp_path / "run")) == 2
    line = said(capsys)
    assert line.startswith(f"--input {container.url}/a.jsonl: Azure refuses the credentials: ")
    assert "Server failed to authenticate the request" in line
    assert KEY not in line


def test_a_shared_access_signature_opens_what_it_says_and_no_more(
    azure: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = Container()
    file = container.put("a.jsonl", lines())
    everything = shared(container, ContainerSasPermissions(read=True, write=True, create=True, list=True, delete=True))
    reading = shared(container, ContainerSasPermissions(read=True, list=True))
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", everything)
    assert backfill(file, f"{container.url}/run") == 0
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", reading)
    assert backfill(file, str(tmp_path / "run")) == 0
    assert backfill(file, f"{container.url}/other") == 2
    line = said(capsys)
    assert line.startswith(f"--output {container.url}/other: cannot be written: 403 ")
    assert quote("sig=") not in line


def test_a_key_or_a_signature_of_the_environment_opens_an_account_at_another_endpoint(
    azure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = Container()
    file = container.put("a.jsonl", lines())
    endpoint = dict(part.split("=", 1) for part in azure.split(";") if part)["BlobEndpoint"]
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    assert backfill(file, f"{container.url}/run", f"--blob_service_endpoint={endpoint}") == 0
    assert backfill(file, f"{container.url}/more", f"--azure_connection_string={azure}") == 0


@pytest.mark.parametrize("store", ["s3", "azure"])
def test_a_store_that_is_not_there_is_said_within_seconds(
    store: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(store)
    nowhere = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", nowhere)
    connection = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={nowhere}/{ACCOUNT};"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
    path = "s3://b/a.jsonl" if store == "s3" else "az://b/a.jsonl"
    began = time.monotonic()
    assert backfill(path, str(tmp_path / "run")) == 2
    assert time.monotonic() - began < 10
    line = said(capsys)
    assert line.startswith(f"--input {path}: {nowhere}")
    assert "does not answer (" in line
    assert "check the network" in line
