"""Object stores for every file of a backfill: servers of Cloud Storage, S3 and Azure over HTTP, the in-process engine.

Beside each run in a store stands one on local files: they find the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden
from google.cloud.storage.fileio import BlobReader

from tests.cloud.azure import Container
from tests.cloud.s3 import S3Bucket
from tests.cloud.storage import Bucket, GoogleBucket
from tests.organisations import random_organisation
from tests.running import Record, arrow_of, write_lines, write_parquet
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.sources.options import InputOptions

pytestmark = pytest.mark.cloud

OPTIONS = ["--activation-days", "3", "--training-days", "10", "--max-alerts-per-group", "3"]
DAYS = ["--start", "2026-04-05", "--end", "2026-04-12"]
AFTER = ["--start", "2026-04-12", "--end", "2026-04-16"]
WRITTEN = ("alerts", "verdicts", "dead_letter")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organisation in folders by day: Parquet in the mornings, JSON in the evenings, and a marker each."""
    folder = tmp_path_factory.mktemp("lake")
    records = random_organisation(4).records
    for day, some in by_day(records).items():
        (folder / f"dt={day}").mkdir()
        write_parquet(folder / f"dt={day}" / "am.parquet", some[::2])
        write_lines(folder / f"dt={day}" / "pm.jsonl.gz", [*some[1::2], {"event_time": f"{day}T23:00:00Z"}])
        (folder / f"dt={day}" / "_SUCCESS").touch()
    return folder


def by_day(records: Sequence[Record]) -> dict[str, list[Record]]:
    days: dict[str, list[Record]] = {}
    for record, time in zip(records, arrow_of(records).column("event_time").cast("int64").to_pylist(), strict=True):
        if time is not None and time > 0:
            days.setdefault(arrow_of([record]).column("event_time")[0].as_py().date().isoformat(), []).append(record)
    return days


STORES: dict[str, tuple[str, Callable[[], Bucket]]] = {
    "gs": ("storage", GoogleBucket),
    "s3": ("s3", S3Bucket),
    "abfs": ("azure", partial(Container, "abfs://{container}@{account}.dfs.core.windows.net")),
}
"""Scheme -> the server that has to run, and what makes a bucket there."""


@pytest.fixture(params=STORES)
def bucket(request: pytest.FixtureRequest) -> Bucket:
    """A bucket of each store."""
    server, make = STORES[request.param]
    request.getfixturevalue(server)
    return make()


@pytest.fixture
def uploaded(lake: Path, bucket: Bucket) -> Bucket:
    """A bucket that holds the lake."""
    for path in sorted(lake.rglob("*")):
        if path.is_file():
            bucket.put(f"lake/{path.relative_to(lake)}", path.read_bytes())
    return bucket


def backfill(lake: str, output: str, *options: str) -> int:
    given = ["--input", f"{lake}/dt={{date}}/*.parquet", "--input", f"{lake}/dt={{date}}/*.jsonl.gz", "--verdicts"]
    return main(["backfill", *given, "--output", output, "--require-marker", "_SUCCESS", *OPTIONS, *options])


def found_locally(folder: Path, lake: Path) -> dict[str, Counter[str]]:
    texts = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.json*")
        if path.parent.name in (*WRITTEN, folder.name)
    }
    return comparable(texts, str(lake))


def found_in(bucket: Bucket, folder: str) -> dict[str, Counter[str]]:
    texts = {name.removeprefix(f"{folder}/"): bucket.get(name) for name in bucket.names(f"{folder}/")}
    return comparable(texts, f"{bucket.url}/lake")


def comparable(texts: dict[str, bytes], lake: str) -> dict[str, Counter[str]]:
    """Rows by what they are, without what differs from run to run; "summary" is one row."""
    rows: dict[str, Counter[str]] = {name: Counter() for name in (*WRITTEN, "summary")}
    for name, text in texts.items():
        if name.startswith(".uncommon-im/"):
            continue
        if name == "summary.json":
            rows["summary"][json.dumps(json.loads(text), sort_keys=True)] += 1
            continue
        for line in text.decode().splitlines():
            row: dict[str, Any] = json.loads(line.replace(lake, "LAKE"))
            row.pop("run_id", None)
            rows[name.partition("/")[0]][json.dumps(row, sort_keys=True)] += 1
    return rows


def test_daily_runs_in_a_bucket_find_what_they_find_in_folders(lake: Path, uploaded: Bucket, tmp_path: Path) -> None:
    url = uploaded.url
    for base, name in ((str(tmp_path), str(lake)), (url, f"{url}/lake")):
        assert backfill(name, f"{base}/first", *DAYS, "--baseline-out", f"{base}/snapshots/1") == 0
        onward = ["--baseline-in", f"{base}/snapshots/1", "--baseline-out", f"{base}/snapshots/2"]
        assert backfill(name, f"{base}/second", *AFTER, *onward) == 0
    for run in ("first", "second"):
        expected = found_locally(tmp_path / run, lake)
        assert all(expected.values()), {name: rows.total() for name, rows in expected.items()}
        assert found_in(uploaded, run) == expected
    local, remote = (json.loads(text) for text in (snapshot(tmp_path), uploaded.get("snapshots/2/metadata.json")))
    assert (local["rows"], local["tenants"]) == (remote["rows"], remote["tenants"])


@pytest.mark.parametrize("bucket", ["gs"], indirect=True)
def test_days_in_a_bucket_look_after_themselves(uploaded: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    url, late = uploaded.url, "lake/dt=2026-04-06/late.jsonl.gz"
    uploaded.put(late, uploaded.get("lake/dt=2026-04-06/pm.jsonl.gz"))
    first, last = "2026-04-05", "2026-04-06"
    assert backfill(f"{url}/lake", f"{url}/whole", "--start", first, "--end", "2026-04-07") == 0
    content = uploaded.get(late)
    uploaded.delete(late)
    files = [word for ending in ("parquet", "jsonl.gz") for word in ("--lake", f"{url}/lake/dt={{date}}/*.{ending}")]
    folders = ["--state", f"{url}/state", "--output", f"{url}/days", "--keep-snapshots", "2"]
    until = ["--first-day", first, "--until", last, "--require-marker", "_SUCCESS", "--verdicts"]
    daily = ["daily", *files, *folders, *until, *OPTIONS]
    said = []
    for content_of_late in (None, None, content):
        if content_of_late:
            uploaded.put(late, content_of_late)
        capsys.readouterr()
        assert main(daily) == 0
        said.append(capsys.readouterr().out.splitlines())
    assert [line[:10] for line in said[0]] == ["the first ", first, last]
    assert said[1] == [f"{last}: nothing to do: all days until then are judged"]
    assert said[2][0].startswith(f"{last}: 1 files came late, such as {url}/{late}")
    rows, whole = [found_in(uploaded, f"days/{day}") for day in (first, last)], found_in(uploaded, "whole")
    assert rows[0]["verdicts"] + rows[1]["verdicts"] == whole["verdicts"]
    assert rows[0]["dead_letter"] + rows[1]["dead_letter"] == whole["dead_letter"]
    kept = {name.split("/")[2] for name in uploaded.names("state/snapshots/")}
    assert kept == {last, "2026-04-07"}
    assert set(uploaded.names("state/.uncommon-im/")) == {"state/.uncommon-im/daily.json"}


def test_evidence_in_a_bucket_says_what_it_says_in_a_folder(
    lake: Path, uploaded: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for base, name in ((str(tmp_path), str(lake)), (uploaded.url, f"{uploaded.url}/lake")):
        assert backfill(name, f"{base}/run", *DAYS, "--max-host-days", "0", "--evidence") == 0
        for command in ("tune", "review"):
            capsys.readouterr()
            assert main([command, f"{base}/run", "--json"]) == 0
            told.append(json.loads(capsys.readouterr().out))
    local_tune, local_review, tune, review = told
    assert local_tune["details"]["verdicts"]["alert"] > 0
    assert local_review["programs"]
    assert (tune["grid"], tune["details"]) == (local_tune["grid"], local_tune["details"])
    assert review["programs"] == local_review["programs"]
    assert main(["tune", f"{uploaded.url}/none"]) == 2
    assert "no evidence/metadata.json there" in capsys.readouterr().err


def snapshot(folder: Path) -> bytes:
    return (folder / "snapshots" / "2" / "metadata.json").read_bytes()


def test_a_rerun_replaces_its_folder_and_its_snapshot_and_changes_nothing(
    uploaded: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (f"{uploaded.url}/lake", f"{uploaded.url}/run", *DAYS, "--baseline-out", f"{uploaded.url}/snapshot")
    assert backfill(*command) == 0
    first, names = found_in(uploaded, "run"), uploaded.names("run/")
    files = len(uploaded.names("snapshot/"))
    uploaded.put("run/alerts/of-another-run.jsonl", b'{"alert_id": "x"}\n')
    assert backfill(*command) == 2
    assert f"{uploaded.url}/run/alerts/of-another-run.jsonl is in the way" in capsys.readouterr().err
    uploaded.delete("run/alerts/of-another-run.jsonl")
    assert backfill(*command) == 0
    assert found_in(uploaded, "run") == first
    assert uploaded.names("run/") == names
    assert len(uploaded.names("snapshot/")) == files
    assert not [name for name in uploaded.names() if "temp" in name or "can-be-written" in name]


def test_simulated_telemetry_in_a_bucket_is_that_in_a_folder_and_replaces_the_telemetry_before(
    bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--hosts", "3", "--seed", "5", "--days")
    assert main(["simulate", "--output", f"{bucket.url}/made", *size, "3"]) == 0
    for output in (str(tmp_path / "made"), f"{bucket.url}/made"):
        assert main(["simulate", "--output", output, *size, "2"]) == 0
    local = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.glob("*/**/[!.]*")
        if path.is_file()
    }
    mark = "made/.uncommon-im/simulation.json"
    assert len(local) == 4
    assert bucket.names() == sorted(local)
    assert {name: bucket.get(name) for name in local if name != mark} == {
        name: text for name, text in local.items() if name != mark
    }
    said = f"in {bucket.url}/made/events/*.parquet, labels in {bucket.url}/made/labels.jsonl\n"
    assert said in capsys.readouterr().out
    assert main(["simulate", "--output", f"{bucket.nowhere}/made", *size, "2"]) == 2
    assert f"--output {bucket.nowhere}/made" in capsys.readouterr().err


def test_documents_in_a_bucket_configure_a_run_and_one_that_is_missing_is_said(
    bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {
        "event_time": "2026-03-01T10:00:00Z",
        "host_id": "h",
        "process_name": "p",
        "remote_host": "chat.corp.example",
    }
    documents = {
        "services": b"services: [{id: mattermost, hosts: {exact: [chat.corp.example]}}]",
        "exceptions": b"[{process_name: p, reason: ours}]",
        "detector": b"limits: {activation_days: 0}",
    }
    command = ["backfill", "--input", bucket.put("events.jsonl", json.dumps(event).encode())]
    command += ["--output", f"{bucket.url}/run", "--verdicts"]
    for option, document in documents.items():
        command += [f"--{option}", bucket.put(f"{option}.yaml", document)]
    assert main(command) == 0
    (row,) = (json.loads(name) for name in found_in(bucket, "run")["verdicts"])
    assert (row["service"], row["verdict"]) == ("mattermost", "excepted")
    bucket.delete("services.yaml")
    capsys.readouterr()
    assert main(command) == 2
    assert f"{bucket.url}/services.yaml: cannot be read: " in capsys.readouterr().err


def test_a_day_without_its_marker_stops_the_run(uploaded: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    uploaded.delete("lake/dt=2026-04-06/_SUCCESS")
    assert backfill(f"{uploaded.url}/lake", f"{uploaded.url}/run", *DAYS) == 75
    said = f"--require-marker: {uploaded.url}/lake/dt=2026-04-06/_SUCCESS is missing: the folder is not complete yet"
    assert said in capsys.readouterr().err
    assert uploaded.names("run/") == []


@pytest.mark.parametrize("gone", ["am.parquet", "pm.jsonl.gz"])
@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_an_object_that_is_gone_when_it_is_read_is_said_and_doubles_nothing(
    policy: str,
    gone: str,
    uploaded: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = InputOptions.find
    name = f"dt=2026-04-06/{gone}"

    def deleted_after_listing(*arguments: Any) -> Any:
        inputs = listed(*arguments)
        uploaded.delete(f"lake/{name}")
        return inputs

    monkeypatch.setattr(InputOptions, "find", deleted_after_listing)
    lake, output = f"{uploaded.url}/lake", f"{uploaded.url}/run"
    status = backfill(lake, output, *DAYS, "--on-bad-file", policy)
    if policy == "fail":
        assert status == 1
        assert f"{lake}/{name}: cannot be read from record 1 on: " in capsys.readouterr().err.splitlines()[-1]
        assert uploaded.names("run/") == []
        return
    assert status == 0
    skipped = found_in(uploaded, "run")
    (letter,) = [row for row in map(json.loads, skipped["dead_letter"]) if row["source"] == f"LAKE/{name}"]
    assert "cannot be read from record 1 on" in letter["detail"]
    monkeypatch.setattr(InputOptions, "find", listed)
    assert backfill(lake, f"{uploaded.url}/without", *DAYS) == 0
    without = found_in(uploaded, "without")
    assert (skipped["alerts"], skipped["verdicts"]) == (without["alerts"], without["verdicts"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--input", "{url}/none*.parquet", "--output", "{url}/run"], "--input {url}/none*.parquet: matches no file"),
        (["--input", "{file}", "--output", "{nowhere}/run"], "--output {nowhere}/run/alerts: cannot be looked up: "),
        (
            ["--input", "{file}", "--output", "{url}/run", "--end", "2026-04-06", "--baseline-out", "{nowhere}/b"],
            "--baseline-out {nowhere}/b",
        ),
        (
            ["--input", "{file}", "--output", "{url}/run", "--baseline-in", "{url}/none"],
            "--baseline-in {url}/none: no snapshot there (metadata.json cannot be read)",
        ),
    ],
)
def test_what_is_not_there_or_cannot_be_written_is_said_before_anything_runs(
    options: list[str], said: str, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    file = bucket.put("events.jsonl", b"{}\n")
    assert (
        main(["backfill", *(option.format(url=bucket.url, nowhere=bucket.nowhere, file=file) for option in options)])
        == 2
    )
    assert said.format(url=bucket.url, nowhere=bucket.nowhere) in capsys.readouterr().err
    assert bucket.names() == ["events.jsonl"]


def test_a_file_system_that_refuses_is_no_damaged_file(
    storage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = GoogleBucket()
    file = bucket.put("events.jsonl", b"{}\n")
    read = BlobReader.read

    def refuse(self: Any, *arguments: Any) -> Any:
        if self._blob.name == "events.jsonl":
            raise Forbidden("no storage.objects.get")
        return read(self, *arguments)

    monkeypatch.setattr(BlobReader, "read", refuse)
    command = ["backfill", "--input", file, "--output", f"{bucket.url}/run", "--on-bad-file", "skip"]
    assert main(command) == 1
    assert f"{file}: cannot be read now: Forbidden: 403 no storage.objects.get" in capsys.readouterr().err
    assert bucket.names() == ["events.jsonl"]
