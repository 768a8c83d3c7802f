"""Alerts to a real broker of Kafka: acknowledged, keyed by id, and in the spool if it does not take them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.pipeline.sinks.delivery.alerts import alert, ids
from tests.pipeline.sinks.delivery.test_delivery import in_spool
from tests.runners.flink import free_port
from tests.runners.kafka import Kafka, broker
from uncommon_im.pipeline.sinks.delivery.deliver_alerts import DeliverAlerts
from uncommon_im.pipeline.sinks.delivery.delivery import Delivered, Delivery
from uncommon_im.pipeline.sinks.delivery.kafka import KafkaTarget
from uncommon_im.pipeline.sinks.delivery.options import Delivering
from uncommon_im.pipeline.sinks.delivery.sending import Secret
from uncommon_im.transforms.rules.alerts.formats import Document, document_of

pytestmark = pytest.mark.runners


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with broker(tmp_path_factory.mktemp("kafka")) as port:
        yield Kafka(port, 0)


def keys(running: Kafka, topic: str) -> Counter[str]:
    """How often each key is in a topic."""
    return Counter(record.key.decode() for record in running.content(topic).elements() if record.key)


def test_a_stream_publishes_every_alert_under_its_id(running: Kafka, tmp_path: Path) -> None:
    """Beam's step runs in process (`FnApiRunner`)."""
    running.create("streamed", "CreateTime")
    delivering = Delivering(KafkaTarget(running.brokers, "streamed"), str(tmp_path), "Kafka")
    with beam.Pipeline(FnApiRunner()) as pipeline:
        alerts = pipeline | beam.Create([alert(n) for n in range(20)])
        _ = alerts | DeliverAlerts(delivering, "ecs")
    assert keys(running, "streamed") == Counter(ids(*range(20)))
    expected = {document_of(alert(n), "ecs").text.encode() for n in range(20)}
    assert {record.value for record in running.content("streamed")} == expected
    assert in_spool(tmp_path) == []


def test_an_alert_that_is_too_large_is_refused_and_costs_no_other(running: Kafka, tmp_path: Path) -> None:
    running.create("large", "CreateTime")
    documents = [Document(f"{n:032x}", "native", "x" * (3_000_000 if n == 1 else 10)) for n in range(3)]
    with Delivery(KafkaTarget(running.brokers, "large"), str(tmp_path)) as delivery:
        assert delivery.send(documents) == Delivered(2, 1, 1)
    assert (keys(running, "large"), in_spool(tmp_path)) == (Counter(ids(0, 2)), [*ids(1)])


def test_a_queue_that_a_setting_keeps_short_holds_no_alert_back(running: Kafka, tmp_path: Path) -> None:
    running.create("short", "CreateTime")
    settings = tmp_path / "settings"
    settings.write_text("# short\nqueue.buffering.max.messages=3\n")
    target = KafkaTarget(running.brokers, "short", Secret("--alerts-kafka-settings", file=str(settings)))
    with Delivery(target, str(tmp_path)) as delivery:
        assert delivery.send(Document(f"{n:032x}", "native", "x") for n in range(20)) == Delivered(20, 0, 0)
    assert keys(running, "short") == Counter(ids(*range(20)))


def test_what_no_broker_takes_is_in_the_spool_until_one_does(running: Kafka, tmp_path: Path) -> None:
    running.create("later", "CreateTime")
    documents = [document_of(alert(n), "native") for n in range(5)]
    away = KafkaTarget(f"localhost:{free_port()}", "later", seconds=2)
    with Delivery(away, str(tmp_path)) as delivery:
        assert delivery.send(documents) == Delivered(0, 5, 0)
    with Delivery(KafkaTarget(running.brokers, "later"), str(tmp_path)) as delivery:
        assert delivery.send_spooled() == Delivered(5, 0, 0)
    assert (keys(running, "later"), in_spool(tmp_path)) == (Counter(ids(*range(5))), [])


SENDS = """
import sys
from uncommon_im.pipeline.sinks.delivery.delivery import Delivery
from uncommon_im.pipeline.sinks.delivery.kafka import KafkaTarget
from uncommon_im.transforms.rules.alerts.formats import Document
brokers, spool = sys.argv[1:]
with Delivery(KafkaTarget(brokers, "killed"), spool) as delivery:
    delivery.send(Document(f"{n:032x}", "native", "x" * 1000) for n in range(20_000))
"""


def test_a_producer_that_is_killed_loses_nothing_once_it_is_run_again(running: Kafka, tmp_path: Path) -> None:
    running.create("killed", "CreateTime")
    command = [sys.executable, "-c", SENDS, running.brokers, str(tmp_path)]
    with Delivery(KafkaTarget(running.brokers, "killed"), str(tmp_path)) as delivery:
        delivery.send([Document(*ids(0), "native", "first")])  # then the topic is led
    kills = 0
    for _ in range(4):
        before = running.size("killed")
        with subprocess.Popen(command) as process:
            while running.size("killed") == before and process.poll() is None:
                time.sleep(0.01)
            kills += process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
    assert subprocess.run(command, check=False).returncode == 0
    found = keys(running, "killed")
    assert found.total() > len(found), "some were sent before a kill, and came twice"
    assert (set(found), in_spool(tmp_path)) == (ids(*range(20_000)), [])
    print(f"{kills} kills: 20000 alerts, {found.total()} records, {len(found)} by key, 0 lost")
