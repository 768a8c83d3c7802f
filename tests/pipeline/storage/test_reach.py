"""What is said, and how soon, if remote file systems, BigQuery, Pub/Sub or Kafka cannot be reached."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import google.auth
import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from google.cloud import storage

from tests.running import write_lines
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.storage import reach
from uncommon_im.schemas.documents import ConfigurationError

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}
LOG_IN = "log in with `gcloud auth application-default login`"


class Refusing(AnonymousCredentials):
    """Credentials that have expired."""

    def before_request(self, *_: object) -> None:
        raise RefreshError("Token has been expired or revoked.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent() -> Iterator[str]:
    """HOST:PORT of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(params=[200, 401, 403, 404])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """HOST:PORT of a server that gives each request a status, and that status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", request.param
        server.shutdown()


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise DefaultCredentialsError("nothing found")

    monkeypatch.setattr(google.auth, "default", none)
    for name in ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)


def at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Cloud Storage answers somebody without credentials at another place."""
    options = {"api_endpoint": f"http://{address}"}
    client = storage.Client(project="-", credentials=AnonymousCredentials(), client_options=options)
    monkeypatch.setattr(storage.Client, "create_anonymous_client", lambda: client)


def backfill(tmp_path: Path, *options: str) -> list[str]:
    write_lines(tmp_path / "a.jsonl", [EVENT])
    return ["backfill", "--input", str(tmp_path / "a.jsonl"), "--output", str(tmp_path / "run"), *options]


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("uncommon-im: ")


PATHS = ["--input", "--output", "--baseline-in", "--baseline-out", "--exceptions", "--services", "--detector"]


@pytest.mark.parametrize("option", [*PATHS, "--temp_location"])
def test_of_every_option_with_a_path_it_says_that_the_network_may_be_the_cause(
    option: str, tmp_path: Path, no_credentials: None, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    at(monkeypatch, f"127.0.0.1:{free_port()}")
    said = refused(capsys, backfill(tmp_path, option, "gs://b/x"))
    assert said.startswith(f"{option} gs://b/x: Cloud Storage does not answer (ConnectionError): check the network")
    assert LOG_IN in said


@pytest.mark.parametrize("command", [["report"], ["tune"], ["review"]])
def test_runs_elsewhere_are_asked_for_too(
    command: list[str], no_credentials: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, f"127.0.0.1:{free_port()}")
    assert refused(capsys, [*command, "gs://b/run"]).startswith("DIR gs://b/run: Cloud Storage does not answer")


def test_a_server_that_never_answers_is_not_waited_for(
    silent: str, no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "SECONDS", 0.2)
    at(monkeypatch, silent)
    with pytest.raises(ConfigurationError, match=r"--input gs://b/x: Cloud Storage does not answer"):
        reach.require_reachable([("--input", "gs://b/x")])
    with pytest.raises(ConfigurationError, match=r"--x y: 127.0.0.1:\d+ does not answer"):
        reach.require_answer("--x y", f"http://{silent}")


def test_without_credentials_only_what_is_refused_names_them(
    answering: tuple[str, int], no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, status = answering
    at(monkeypatch, address)
    if status in (401, 403):
        with pytest.raises(ConfigurationError, match=r"--input gs://b/x: no credentials of Google Cloud: log in"):
            reach.require_reachable([("--input", "gs://b/x")])
    else:
        reach.require_reachable([("--input", "gs://b/x")])
    reach.require_answer("--x y", f"http://{address}")


def test_credentials_that_have_expired_are_named(
    answering: tuple[str, int], no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (Refusing(), "p"))
    with pytest.raises(ConfigurationError, match=r"Google refuses the credentials: Token has been expired or revoked"):
        reach.require_reachable([("--input", "gs://b/x")])


def test_credentials_that_nothing_gives_in_time_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    never = Event()
    monkeypatch.setattr(reach, "SECONDS", 0.1)
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: never.wait())
    with pytest.raises(DefaultCredentialsError, match=r"nothing gave any within 0\.1 s"):
        reach.google_credentials()
    never.set()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("hdfs://h/x", "hdfs:// needs hdfs, which is not installed: pip install 'apache-beam[hadoop]'"),
        ("s3://h/x", "s3:// needs boto3, which is not installed: pip install 'uncommon-im[aws]'"),
        ("azfs://h/c/x", "azfs:// needs azure.storage.blob, which is not installed: pip install 'uncommon-im[azure]'"),
        ("abfs://c/x", "abfs:// needs azure.storage.blob, which is not installed: pip install 'uncommon-im[azure]'"),
        (
            "ftp://h/x",
            "no file system is called ftp://: known are gs://, hdfs://, s3://, az://, abfs://, abfss://, azfs:// and ",
        ),
    ],
)
def test_a_file_system_that_is_not_installed_says_what_to_install(
    path: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("hdfs", "boto3", "azure.storage.blob"):
        monkeypatch.setitem(sys.modules, module, cast(Any, None))
    assert refused(capsys, backfill(tmp_path, "--input", path)).startswith(f"--input {path}: {said}")


def test_paths_of_this_machine_and_tables_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_ask_google", lambda *_: pytest.fail("asked"))
    reach.require_reachable([("--input", "/data/a:b/*"), ("--output", "C:\\run")])
    assert main(["lookup", "gs://t.me"]) == 0  # a host, however it is written


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--pubsub-subscription", "projects/proj-x/subscriptions/sub"], "--pubsub-subscription"),
        (["--notifications-subscription", "projects/proj-x/subscriptions/sub"], "--notifications-subscription"),
    ],
)
def test_a_stream_without_credentials_or_emulator_says_so(
    options: list[str],
    named: str,
    tmp_path: Path,
    no_credentials: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["stream", "--output", str(tmp_path / "out"), *options]
    assert refused(capsys, arguments).startswith(f"{named} {options[1]}: no credentials of Google Cloud: log in")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    assert "no Pub/Sub answers at PUBSUB_EMULATOR_HOST, 127.0.0.1:" in refused(capsys, arguments)


def test_an_emulator_of_pubsub_that_only_takes_connections_is_not_waited_for(
    silent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", silent)
    monkeypatch.setattr(reach, "SECONDS", 0.2)
    subscription = ["--pubsub-subscription", "projects/proj-x/subscriptions/sub"]
    said = refused(capsys, ["stream", "--output", str(tmp_path / "out"), *subscription])
    assert f"no Pub/Sub answers at PUBSUB_EMULATOR_HOST, {silent}" in said


@pytest.mark.parametrize("glued", [True, False])
def test_a_job_server_that_does_not_answer_is_named_before_anything_runs(
    glued: bool, silent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that only takes connections, and one that is not there; Beam would wait for both without end."""
    monkeypatch.setattr(reach, "SECONDS", 0.2)
    for address in (silent, f"127.0.0.1:{free_port()}"):
        endpoint = [f"--job_endpoint={address}"] if glued else ["--job_endpoint", address]
        said = refused(capsys, backfill(tmp_path, "--runner=PortableRunner", *endpoint))
        assert said.startswith(f"--job_endpoint {address}: no job server answers there: start the job server")
    assert not (tmp_path / "run").exists()


def test_a_flink_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    said = refused(capsys, backfill(tmp_path, "--runner=FlinkRunner", f"--flink_master={address}"))
    assert said.startswith(f"--flink_master {address}: no Flink listens there: start the cluster")


@pytest.mark.parametrize("flags", [["--job_endpoint=embed"], ["--flink_master=[auto]"], ["--flink_master"], []])
def test_engines_that_beam_starts_itself_are_not_asked_for(flags: list[str]) -> None:
    reach.require_engine(flags)


def test_a_job_server_that_answers_is_let_through() -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        reach.require_engine([f"--job_endpoint=127.0.0.1:{port}"])
    finally:
        server.stop(None)


def test_an_expansion_service_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    kafka = ["--kafka-topic", "t", "--kafka-brokers", address, "--kafka-expansion-service", address]
    said = refused(capsys, ["stream", "--output", str(tmp_path / "out"), *kafka, "--runner=PrismRunner"])
    assert said == f"--kafka-expansion-service {address}: nothing listens there"


@pytest.mark.parametrize("late", [False, True])
def test_a_question_is_answered_fails_or_is_given_up(late: bool) -> None:
    if late:
        with pytest.raises(reach.NoAnswer):
            reach.within(0.05, lambda: time.sleep(5))
    else:
        assert reach.within(50, lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            reach.within(50, lambda: 1 // 0)
