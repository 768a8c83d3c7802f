"""Pub/Sub to files and back, on each emulator: every message accounted for, the alerts those of the backfill.

Beam's local engine acknowledges what it pulls before it works on it, so that a message is delivered again is shown by
publishing it again; and its watermark is the clock, so event time is proven on Prism and Flink.
"""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.cloud.queue import COUNTED, SECONDS, Queue, running, wait_for
from tests.oracle import Options
from tests.running import Record, configuration_of, read_rows, run_records, write_lines, write_parquet
from uncommon_im.pipeline import stream
from uncommon_im.pipeline.sources.queues.messages import MessagesToBlocks
from uncommon_im.pipeline.sources.queues.pubsub import ReadNotifications, ReadPubSub
from uncommon_im.transforms.rules.stream.lateness import Lateness

pytestmark = pytest.mark.cloud

LATENESS = 20
OPTIONS = ("--activation-days", "0", "--lateness", str(LATENESS), "--verdicts")
FACTS = ("run_id", "activity", "late")
POISON = (b"{nope", b"[1]", b"\xff\xfe", b"\x1f\x8bno gzip", b"9" * 5000)


def organisation() -> list[Record]:
    """What a few hosts do now: some of it rare, some not, most of it nothing that counts."""
    now = datetime.now(UTC) + timedelta(seconds=10)  # so that it takes a slow machine 30 s to be late
    records = []
    for number in range(120):
        host = number % 12
        program = ("chrome.exe", f"courier{host % 4}.exe", "curl.exe", "python.exe")[number // 12 % 4]
        server = ("api.telegram.org", "hooks.slack.com", f"h{number}.example.com")[number % 3]
        event = {"event_time": now.isoformat(), "event_id": f"e{number}", "host_id": f"pc{host}", "os": "windows"}
        records.append(event | {"process_name": program, "remote_host": server, "event_type": "network"})
    return records


def text_of(records: list[Record]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


def facts(alerts: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps({k: v for k, v in alert.items() if k not in FACTS}, sort_keys=True) for alert in alerts)


def of_backfill(records: list[Record]) -> Counter[str]:
    found = run_records(records, configuration_of(Options(activation_days=0)))
    assert len(found.alerts) > 5
    return facts(found.alerts)


def test_every_message_is_accounted_for_and_the_alerts_are_those_of_the_backfill(queue: Queue, tmp_path: Path) -> None:
    records = organisation()
    megabytes = 5 if queue.emulator == "official" else 3  # drongo's server takes no messages above 4 MiB
    for record in records[80:]:
        record["process_command_line"] = "x" * (megabytes * 1_000_000 // 40)
    large = text_of(records[80:])
    assert len(large) > megabytes * 1_000_000
    source = ReadPubSub(queue.subscription) | MessagesToBlocks()
    with Queue(queue.emulator) as alerts:
        options = ("--output", str(tmp_path), "--alerts-topic", alerts.topic, *OPTIONS)
        with running(queue, source, *options):
            singles = [json.dumps(record).encode() for record in records[:40]]
            queue.publish(*singles, text_of(records[40:60]), gzip.compress(text_of(records[60:80])), *POISON, large)
            wait_for(lambda: COUNTED["events.read"] == len(records) + len(POISON))
            assert COUNTED["events.valid"] == len(records)
            queue.publish(*singles, *POISON)  # delivered again
            wait_for(lambda: COUNTED["events.read"] == len(records) + len(singles) + len(POISON) * 2)
            expected = of_backfill(records)
            wait_for(lambda: len(read_rows(str(tmp_path), "alerts")) == expected.total())
        published = alerts.pull(expected.total())
    assert COUNTED["events.valid"] == len(records) + len(singles)
    assert COUNTED["events.dead_letter.malformed"] == len(POISON) * 2
    letters = read_rows(str(tmp_path), "dead_letter")
    assert len(letters) == len({letter["source"] for letter in letters}) == len(POISON) * 2
    assert all(letter["source"].startswith(f"{queue.subscription}#") for letter in letters)
    assert facts(read_rows(str(tmp_path), "alerts")) == expected
    check_published(published, read_rows(str(tmp_path), "alerts"))


def check_published(messages: list[Any], alerts: list[dict[str, Any]]) -> None:
    """Each alert is a message with its attributes, under the ordering key of its tenant."""
    by_id = {alert["alert_id"]: alert for alert in alerts}
    assert sorted(message.attributes["alert_id"] for message in messages) == sorted(by_id)
    for message in messages:
        alert = by_id[message.attributes["alert_id"]]
        assert json.loads(message.data) == alert
        assert message.ordering_key == message.attributes["tenant"] == "default"
        assert message.attributes["service"] == alert["service"]["id"]
        assert message.attributes["severity"] == alert["severity"]


def test_findings_are_published_with_the_attributes_of_their_alerts_and_without_secrets(queue: Queue) -> None:
    """The stream's sinks, fed with what a backfill found, on the in-process engine (`FnApiRunner`)."""
    secret = "correcthorsebattery"
    event = organisation()[2] | {"process_command_line": f"curl -u bob:{secret} x", "remote_host": "api.telegram.org"}
    configuration = replace(configuration_of(Options(activation_days=0)), redact=False, alert_format="ocsf")
    (alert,) = run_records([event], replace(configuration, alert_format="native")).alerts
    with beam.Pipeline(FnApiRunner()) as pipeline:
        (alerts, none) = (pipeline | name >> beam.Create(rows) for name, rows in (("A", [alert]), ("N", [])))
        found = stream.Detection(alerts, none, none, none, none, none, none, ())
        stream.write(found, stream.Sinks(None, queue.topic), replace(configuration, redact=True), Lateness())
    (message,) = queue.pull(1)
    finding = json.loads(message.data)
    assert (finding["class_uid"], finding["finding_info"]["uid"]) == (2004, alert["alert_id"])
    assert finding["actor"]["process"]["cmd_line"] == "curl -u bob:[redacted:password] x"
    assert secret not in message.data.decode()
    assert dict(message.attributes) == {
        "alert_id": alert["alert_id"],
        "tenant": "default",
        "severity": alert["severity"],
        "service": "telegram",
    }


def test_objects_are_read_when_they_are_notified_of_whatever_became_of_them(queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    records = organisation()
    write_lines(tmp_path / "bucket" / "a.jsonl.gz", records[:50])
    write_parquet(tmp_path / "bucket" / "b.parquet", records[50:100])
    write_lines(tmp_path / "bucket" / "c.jsonl", records[100:])  # its first generation held something else
    source = ReadNotifications(queue.subscription, f"{tmp_path}/")
    with running(queue, source, "--output", str(tmp_path / "out"), *OPTIONS):
        for name, generation in NOTICES:
            notify(queue, name, generation)
        notify(queue, "a.jsonl.gz", 1, "OBJECT_DELETE")
        queue.publish(b"not a notification")
        expected = of_backfill(records)
        wait_for(lambda: COUNTED.items() >= COUNTS.items())
        wait_for(lambda: len(read_rows(str(tmp_path / "out"), "alerts")) == expected.total())
    assert facts(read_rows(str(tmp_path / "out"), "alerts")) == expected
    gone, malformed = sorted(letter["source"] for letter in read_rows(str(tmp_path / "out"), "dead_letter"))
    assert gone == f"{tmp_path}/bucket/gone.jsonl#7"
    assert malformed.startswith(f"{queue.subscription}#")


NOTICES = (("a.jsonl.gz", 1), ("a.jsonl.gz", 1), ("b.parquet", 1), ("c.jsonl", 1), ("c.jsonl", 2), ("gone.jsonl", 7))
COUNTS = {
    "events.valid": 50 * 2 + 50 + 20 * 2,
    "events.dead_letter.malformed": 2,
}


def notify(queue: Queue, name: str, generation: int, event: str = "OBJECT_FINALIZE") -> None:
    """Publishes what Cloud Storage would."""
    given = {"eventType": event, "bucketId": "bucket", "objectId": name, "objectGeneration": str(generation)}
    queue.publish(json.dumps({"kind": "storage#object", "name": name}).encode(), payloadFormat="JSON_API_V1", **given)


def test_the_command_runs_until_it_is_interrupted_and_goes_on_in_its_folder(queue: Queue, tmp_path: Path) -> None:
    for run in (1, 2):
        with command(queue, tmp_path) as process, queue.beating():
            queue.publish(b"{nope")
            wait_for_letters(tmp_path, run, process)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, said
        assert said.splitlines()[-1].endswith(
            "docs/how-to/restart.md says how a new stream judges what was not judged yet"
        )


INTERRUPTIBLE = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
"""A shell starts what runs in its background with interrupts ignored, and children inherit that."""


@contextmanager
def command(queue: Queue, output: Path) -> Iterator[subprocess.Popen[str]]:
    """The stream as a process; killed at the end if it still runs."""
    code = INTERRUPTIBLE + "from uncommon_im.pipeline.cli.main import main; sys.exit(main(sys.argv[1:]))"
    options = ["stream", "--pubsub-subscription", queue.subscription, "--output", str(output)]
    process = subprocess.Popen([sys.executable, "-c", code, *options], stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_letters(output: Path, number: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + SECONDS
    while len(read_rows(str(output), "dead_letter")) < number:
        assert process.poll() is None, "the stream has ended"
        assert time.monotonic() < end, "the stream does not get there"
        time.sleep(0.2)
