"""Kafka on this machine, and what runs Beam's Java transform that reads it: an expansion service and a Java worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import apache_beam as beam
import pytest
from apache_beam.io import kafka as beam_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.runners.flink import Flink, flink, free_port, running, wait_for

PARTITIONS: Final = 3
EXPANSION: Final = Path(sys.prefix) / "kafka"
BROKER: Final = Path(sys.prefix) / "kafka-broker"
_QUIET: Final = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_EXPANSION_JAVA: Final = ("java", "-Xmx384m", _QUIET, "-cp", f"{EXPANSION}/*")
_CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qg"
_LATER_FIELDS: Final = (
    "redistribute",
    "redistribute_num_keys",
    "allow_duplicates",
    "dynamic_read_poll_interval_seconds",
    "consumer_factory_fn_class",
    "consumer_factory_fn_params",
)
"""What a request of Beam 2.77 has and KafkaIO of 2.56, which the tests run, does not know."""
_BROKER_CONFIGURATION: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:{controller}
listeners=PLAINTEXT://localhost:{port},CONTROLLER://localhost:{controller}
advertised.listeners=PLAINTEXT://localhost:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
"""


class Published(NamedTuple):
    """A record as the broker has it: where it is, when it arrived there (ms) and its value."""

    source: str
    arrival: int
    value: bytes | None


@dataclass(frozen=True)
class Kafka:
    """A broker and an expansion service that run.

    Args:
        folder: of their logs and data.
        port: of the broker.
        expansion: port of the expansion service.
        worker: port at which the expansion service says that Java workers are had.
    """

    folder: Path
    port: int
    expansion: int
    worker: int

    @property
    def brokers(self) -> str:
        return f"localhost:{self.port}"

    def create(self, topic: str, timestamps: str) -> None:
        """Makes a topic of three partitions that keeps everything."""
        settings = {"message.timestamp.type": timestamps, "retention.ms": "-1"}
        new = NewTopic(topic, PARTITIONS, 1, config=settings)
        admin = AdminClient({"bootstrap.servers": self.brokers})  # lives until the topic is there
        admin.create_topics([new])[topic].result(30)

    def publish(self, topic: str, records: Iterable[tuple[int, int, bytes | None]], rate: float | None = None) -> int:
        """Publishes (partition, ms, value), a number of them a second or as fast as can be; returns how many."""
        producer, number, begin = Producer({"bootstrap.servers": self.brokers}), 0, time.monotonic()
        for number, (partition, stamp, value) in enumerate(records, 1):
            while producer_is_full(producer) or (rate and time.monotonic() < begin + number / rate):
                producer.poll(0.01)
            producer.produce(topic, value=value, partition=partition, timestamp=stamp)
        assert producer.flush(30) == 0, "the broker does not take all records"
        return number

    def content(self, topic: str) -> Counter[Published]:
        """All records of a topic, read by a plain consumer."""
        consumer = self._consumer("content")
        try:
            partitions = [TopicPartition(topic, number, 0) for number in range(PARTITIONS)]
            left = sum(consumer.get_watermark_offsets(partition, 30)[1] for partition in partitions)
            consumer.assign(partitions)
            found: Counter[Published] = Counter()
            while left:
                message = consumer.poll(30)
                assert message is not None, "the broker is silent"
                assert message.error() is None
                source = f"{topic}-{message.partition()}@{message.offset()}"
                found[Published(source, message.timestamp()[1], message.value())] += 1
                left -= 1
            return found
        finally:
            consumer.close()

    def committed(self, topic: str, group: str) -> int:
        """How many records a group has committed to have read."""
        consumer = self._consumer(group)
        try:
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            return sum(max(0, partition.offset) for partition in consumer.committed(partitions, 30))
        finally:
            consumer.close()

    @contextmanager
    def java_worker(self) -> Iterator[None]:
        """What starts Java workers, for one job: that of 2.56 starts none after one has failed."""
        external = {"environment_type": "EXTERNAL", "environment_config": f"localhost:{self.worker}"}
        options = json.dumps({f"beam:option:default_{name}:v1": value for name, value in external.items()})
        command = [*_EXPANSION_JAVA, "org.apache.beam.fn.harness.ExternalWorkerService"]
        with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
            patch.setenv("PIPELINE_OPTIONS", options)
            stack.enter_context(running(command, self.folder / "java-worker.log"))
            wait_for(self.worker, self.folder)
            yield

    def _consumer(self, group: str) -> Consumer:
        return Consumer({"bootstrap.servers": self.brokers, "group.id": group, "enable.auto.commit": "false"})


def producer_is_full(producer: Producer) -> bool:
    return len(producer) > 50_000


@contextmanager
def kafka(folder: Path) -> Iterator[Kafka]:
    """Starts a broker and an expansion service; stops them at the end.

    Raises:
        AssertionError: they are not installed, or do not start.
    """
    assert all(jars.is_dir() for jars in (EXPANSION, BROKER)), "Kafka is not installed: make kafka"
    port, controller, worker, expansion = (free_port() for _ in range(4))
    settings = folder / "server.properties"
    settings.write_text(_BROKER_CONFIGURATION.format(port=port, controller=controller, folder=folder))
    java = ["java", "-Xmx384m", _QUIET, "-cp", f"{BROKER}/*"]
    formatting = [*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(settings)]
    formatted = subprocess.run(formatting, capture_output=True, text=True, check=False)
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    broker = [*java, "kafka.Kafka", str(settings)]
    service = [*_EXPANSION_JAVA, "org.apache.beam.sdk.expansion.service.ExpansionService", str(expansion)]
    service += ["--experiments=use_deprecated_read"]
    service += ["--defaultEnvironmentType=EXTERNAL", f"--defaultEnvironmentConfig=localhost:{worker}"]
    with (
        running(broker, folder / "broker.log"),
        running(service, folder / "expansion.log"),
        pytest.MonkeyPatch.context() as patch,
    ):
        for listening in (port, expansion):
            wait_for(listening, folder)
        patch.setattr(beam_kafka, "ReadFromKafkaSchema", request_as_in_2_56)
        yield Kafka(folder, port, expansion, worker)


@contextmanager
def engine_of(broker: Kafka, folder: Path) -> Iterator[Flink]:
    """Flink for one job: Beam 2.56 does not cancel a job that its own cluster runs, so it ends with that."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch, broker.java_worker():
        patch.setenv("CLASSPATH", f"{EXPANSION}/*")
        with flink(folder) as running:
            yield running


@contextmanager
def job(
    broker: Kafka, folder: Path, build: Callable[[beam.Pipeline], object], checkpointing: int = 250
) -> Iterator[None]:
    """A stream that runs until the end of the block, and is killed then; `checkpointing`: ms between checkpoints."""
    with engine_of(broker, folder) as engine:
        pipeline = beam.Pipeline(options=engine.streaming(f"--checkpointing_interval={checkpointing}"))
        build(pipeline)
        result = pipeline.run()
        yield
        result.cancel()


def request_as_in_2_56(**fields: Any) -> Any:
    """A request to read Kafka without the fields that came later; none of them is used.

    Beam 2.77 sends them also when they are not, and KafkaIO of 2.56 refuses what it does not know.
    """
    assert not any(fields[name] for name in _LATER_FIELDS)
    return _REQUEST(**{name: value for name, value in fields.items() if name not in _LATER_FIELDS})


_REQUEST: Final[Any] = typing.NamedTuple(  # type: ignore[misc]  # made of what Beam declares
    "ReadFromKafkaSchema",
    [
        (name, kind)
        for name, kind in beam_kafka.ReadFromKafkaSchema.__annotations__.items()
        if name not in _LATER_FIELDS
    ],
)
