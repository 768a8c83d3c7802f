"""`uncommon-im send`, and sending after a backfill and a replay, to a stub that keeps the documented contracts.

The backfill runs in process (`FnApiRunner`), the replay without an engine.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.sinks.delivery.alerts import alert, ids
from tests.pipeline.sinks.delivery.receiver import BULK, HEC, HOOK, TOKEN, Receiver, receiver, status
from tests.pipeline.sinks.delivery.test_delivery import in_spool
from tests.running import read_rows, write_lines
from uncommon_im.pipeline.cli.commands.stream import StreamOptions
from uncommon_im.pipeline.cli.main import main, parse
from uncommon_im.pipeline.options.beam import beam_options
from uncommon_im.transforms.rules.alerts.formats import text_of

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as state:
        yield state


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def run(tmp_path: Path) -> str:
    """A run's folder with six native alerts in two files."""
    folder = tmp_path / "run" / "alerts"
    folder.mkdir(parents=True)
    for number in range(2):
        lines = "".join(text_of(alert(3 * number + n), "native") + "\n" for n in range(3))
        (folder / f"alerts-{number:05}-of-00002.jsonl").write_text(lines)
    return str(tmp_path / "run")


def secret(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(f"{text}\n")
    return str(path)


def to(server: Receiver, tmp_path: Path, path: str = HOOK) -> list[str]:
    """Options of sending there, with a file for what is secret."""
    url, token = secret(tmp_path, "url", server.url + path), secret(tmp_path, "token", TOKEN)
    place = ["--alerts-url-file", url, "--alerts-token-file", token, "--alerts-rate", "1000"]
    return [*place, "--alerts-spool", str(tmp_path / "spool")]


def test_a_run_is_sent_and_what_is_refused_is_sent_again_from_the_spool(
    run: str, server: Receiver, spool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuses = ids(2)
    assert main(["send", "--run", run, *to(server, tmp_path)]) == 1
    said = capsys.readouterr()
    assert f"5 alerts sent to {server.url}, 1 left in {spool}" in said.out
    assert "1 of which were refused" in said.err
    assert (server.indexed, in_spool(spool)) == (ids(0, 1, 3, 4, 5), [*ids(2)])
    (row,) = [json.loads(line) for path in spool.iterdir() for line in path.read_text().splitlines()]
    assert (row["refused"], row["reason"]) == (True, "HTTP 422: unprocessable")
    server.refuses = set()
    assert main(["send", *to(server, tmp_path)]) == 0
    assert (server.indexed, list(spool.iterdir())) == (ids(*range(6)), [])
    assert main(["send", *to(server, tmp_path)]) == 0, "an empty spool is done"


def test_a_server_that_is_away_is_told_by_status_75_and_nothing_is_lost(
    run: str, spool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Receiver("http://127.0.0.1:9")
    assert main(["send", "--run", run, *to(away, tmp_path), "--alerts-attempts", "1"]) == 75
    assert set(in_spool(spool)) == ids(*range(6))
    assert main(["send", *to(away, tmp_path), "--alerts-attempts", "1"]) == 75
    assert set(in_spool(spool)) == ids(*range(6))
    assert "`uncommon-im send` with the same --alerts- options sends them again" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "path"), [("splunk", HEC), ("elastic", BULK)])
@pytest.mark.parametrize("alert_format", ["native", "ecs", "splunk-hec", "ocsf", "compact"])
def test_a_native_run_is_sent_in_any_format(
    kind: str, path: str, alert_format: str, run: str, server: Receiver, tmp_path: Path
) -> None:
    sent = ["send", "--run", run, "--alerts-to", kind, "--alert-format", alert_format, *to(server, tmp_path, path)]
    assert main(sent) == 0
    assert server.indexed == ids(*range(6))


def test_a_run_of_another_format_is_refused_by_file_and_line(
    run: str, server: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(run, "alerts", "alerts-00001-of-00002.jsonl")
    path.write_text(text_of(alert(9), "ocsf") + "\n")
    assert main(["send", "--run", run, "--alert-format", "ecs", *to(server, tmp_path)]) == 2
    assert f"{path}, line 1: neither an alert in the format ecs nor a native one" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["backfill", "replay"])
def test_a_run_sends_its_alerts_once_it_is_complete(command: str, server: Receiver, tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", [EVENT, EVENT | {"host_id": "h2", "process_name": "wget"}])
    server.faults = [status(503), status(500)]
    options = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "out"), "--activation-days", "0"]
    sent = [*to(server, tmp_path, BULK), "--alerts-to", "elastic", "--alert-format", "ecs"]
    assert main([command, *options, *sent]) == 0
    written = read_rows(str(tmp_path / "out"), "alerts")
    assert len(written) == 2
    assert sorted(server.bodies, key=str) == sorted(written, key=str)
    assert server.indexed == {row["event"]["id"] for row in written}


def test_a_backfill_that_is_killed_while_it_sends_has_its_alerts_sent_again_from_its_folder(
    server: Receiver, tmp_path: Path
) -> None:
    write_lines(tmp_path / "events.jsonl", [EVENT | {"host_id": f"h{n}", "process_name": f"p{n}"} for n in range(8)])
    options = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "out"), "--activation-days", "0"]
    command = [sys.executable, "-m", "uncommon_im.pipeline.cli.main", "backfill", *options, *to(server, tmp_path)]
    with subprocess.Popen([*command, "--alerts-rate", "2"], stdout=subprocess.DEVNULL) as process:
        while not server.requests and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    alert_ids = {row["alert_id"] for row in read_rows(str(tmp_path / "out"), "alerts")}
    assert len(alert_ids) == 8
    assert 0 < len(server.indexed) < 8
    assert main(["send", "--run", str(tmp_path / "out"), *to(server, tmp_path)]) == 0
    assert server.indexed == alert_ids


def test_a_backfill_whose_server_is_away_is_done_and_says_where_the_alerts_are(
    spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_lines(tmp_path / "events.jsonl", [EVENT])
    options = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "out"), "--activation-days", "0"]
    sent = [*to(Receiver("http://127.0.0.1:9"), tmp_path), "--alerts-attempts", "1"]
    with caplog.at_level(logging.WARNING):
        assert main(["backfill", *options, *sent]) == 0
    assert f"1 alerts were not taken by http://127.0.0.1:9: they are in {spool}" in caplog.text
    assert HOOK not in caplog.text
    (row,) = read_rows(str(tmp_path / "out"), "alerts")
    assert in_spool(spool) == [row["alert_id"]]


def test_a_plan_says_where_alerts_would_be_sent_and_sends_none(
    server: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "events.jsonl", [EVENT])
    options = ["--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "out"), "--dry-run"]
    assert main(["backfill", *options, *to(server, tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"and send the alerts to {server.url}" in said
    assert HOOK not in said
    assert server.requests == 0


def test_a_graph_that_is_sent_to_workers_holds_no_secret(server: Receiver, tmp_path: Path) -> None:
    import apache_beam as beam

    source = ["--pubsub-subscription", "projects/project-1/subscriptions/events"]
    _, given, _, _ = parse(["stream", *source, *to(server, tmp_path)])
    assert isinstance(given, StreamOptions)
    pipeline = beam.Pipeline()
    given.open(beam_options([])).build(pipeline | beam.Create([b""]))
    graph = pipeline.to_runner_api().SerializeToString()
    assert b"DeliverAlerts" in graph
    assert TOKEN.encode() not in graph
    assert HOOK.encode() not in graph


SPOOL = ("--alerts-spool", "spool")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing says where alerts are sent"),
        (SPOOL, "--alerts-spool: nothing says where alerts are sent"),
        (("--alerts-url", "https://h/x"), "--alerts-url needs --alerts-spool"),
        (("--alerts-url", "https://h/x", "--alerts-kafka-topic", "t", *SPOOL), "are both given"),
        (("--alerts-kafka-topic", "t", *SPOOL), "needs --alerts-kafka-brokers"),
        (("--alerts-url", "https://hooks.example/s3cr3tpath", "--alerts-to", "slack", *SPOOL), "put it into a file"),
        (("--alerts-url", "https://me:s3cr3t@h/x", *SPOOL), "put it into a file"),
        (("--alerts-url", "ftp://h/s3cr3t", *SPOOL), "expected a URL: https://HOST/PATH"),
        (("--alerts-url-file", "not-there", *SPOOL), "--alerts-url-file not-there: cannot be read: No such file"),
        (("--alerts-url", "https://h/x", "--alerts-token-file", "empty", *SPOOL), "--alerts-token-file empty"),
        (("--alerts-url", "https://h/x", "--alerts-token-env", "NO_SUCH_NAME", *SPOOL), "NO_SUCH_NAME: it is empty"),
        (
            ("--alerts-url", "https://h/x", "--alerts-ca", "bad.j2", *SPOOL),
            "--alerts-ca bad.j2: no certificates in PEM",
        ),
        (
            ("--alerts-url", "https://h/x", "--alerts-to", "elastic", "--alert-format", "cef", *SPOOL),
            "elastic takes JSON",
        ),
        (
            ("--alerts-url", "https://h/x", "--alerts-to", "jira", "--alert-format", "ecs", *SPOOL),
            "a template is given native alerts",
        ),
        (
            ("--alerts-url", "https://h/x", "--alerts-to", "splunk", "--alerts-template", "bad.j2", *SPOOL),
            "has a form of its own",
        ),
        (("--alerts-url", "https://h/x", "--alerts-template", "bad.j2", *SPOOL), "no template of Jinja"),
        (
            ("--alerts-kafka-topic", "t", "--alerts-kafka-brokers", "h:1", "--alerts-kafka-settings", "wrong", *SPOOL),
            "--alerts-kafka-settings, line 2: expected KEY=VALUE",
        ),
        (
            ("--alerts-kafka-topic", "t", "--alerts-kafka-brokers", "h:1", "--alerts-kafka-settings", "odd", *SPOOL),
            "Kafka's client takes a setting for none",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line_without_secrets(
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "bad.j2").write_text("{% if %}")
    (tmp_path / "wrong").write_text("sasl.username=u\ns3cr3t\n")
    (tmp_path / "odd").write_text("no.such.setting=s3cr3t\n")
    assert main(["send", *options]) == 2
    (line,) = [each for each in capsys.readouterr().err.splitlines() if each.startswith("uncommon-im: ")]
    assert said in line
    assert "s3cr3t" not in line
