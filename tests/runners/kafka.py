"""Kafka on this machine, and what runs Beam's Java transform that reads it: an expansion service and Java workers."""

from __future__ import annotations

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
from apache_beam.runners.runner import PipelineResult, PipelineState
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.runners.flink import Flink, flink, free_port, logs_in, running, wait_for, worker_pool

PARTITIONS: Final = 3
EXPANSION: Final = Path(sys.prefix) / "kafka"
BROKER: Final = Path(sys.prefix) / "kafka-broker"
_QUIET: Final = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_JAVA_WORKER: Final = Path(__file__).with_name("java-worker.sh")
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
    """A record as the broker has it: where it is, when it arrived there (ms), its value and its key."""

    source: str
    arrival: int
    value: bytes | None
    key: bytes | None = None


@dataclass(frozen=True)
class Kafka:
    """A broker and an expansion service that run.

    Args:
        port: of the broker.
        expansion: port of the expansion service.
    """

    port: int
    expansion: int

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

    def size(self, topic: str) -> int:
        """How many records a topic has."""
        consumer = self._consumer("size")
        try:
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            return sum(consumer.get_watermark_offsets(partition, 30)[1] for partition in partitions)
        finally:
            consumer.close()

    def content(self, topic: str) -> Counter[Published]:
        """All records of a topic, read by a plain consumer."""
        consumer = self._consumer("content")
        try:
            consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
            left = self.size(topic)
            found: Counter[Published] = Counter()
            while left:
                message = consumer.poll(30)
                assert message is not None, "the broker is silent"
                assert message.error() is None
                source = f"{topic}-{message.partition()}@{message.offset()}"
                found[Published(source, message.timestamp()[1], message.value(), message.key())] += 1
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

    def _consumer(self, group: str) -> Consumer:
        return Consumer({"bootstrap.servers": self.brokers, "group.id": group, "enable.auto.commit": "false"})


def producer_is_full(producer: Producer) -> bool:
    return len(producer) > 50_000


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Starts a broker alone, and stops it at the end; its port.

    Raises:
        AssertionError: it is not installed, or does not start.
    """
    assert BROKER.is_dir(), "Kafka is not installed: make kafka"
    port, controller = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(_BROKER_CONFIGURATION.format(port=port, controller=controller, folder=folder))
    java = ["java", "-Xmx384m", _QUIET, "-cp", f"{BROKER}/*"]
    formatting = [*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(settings)]
    formatted = subprocess.run(formatting, capture_output=True, text=True, check=False)
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    with running([*java, "kafka.Kafka", str(settings)], folder / "broker.log"):
        wait_for(port, folder)
        yield port


@contextmanager
def kafka(folder: Path) -> Iterator[Kafka]:
    """Starts a broker, an expansion service and a pool of Java workers; stops them at the end.

    Each worker is a process of its own: Beam's own service of Java workers, of 2.56, starts none after one has failed,
    and a job that Flink takes up again would wait for ever.

    Raises:
        AssertionError: they are not installed, or do not start.
    """
    assert EXPANSION.is_dir(), "Kafka is not installed: make kafka"
    worker, expansion = free_port(), free_port()
    service = ["java", "-Xmx384m", _QUIET, "org.apache.beam.sdk.expansion.service.ExpansionService", str(expansion)]
    service += ["--experiments=use_deprecated_read"]
    service += ["--defaultEnvironmentType=EXTERNAL", f"--defaultEnvironmentConfig=localhost:{worker}"]
    workers = [*worker_pool(worker), f"--container_executable={_JAVA_WORKER}"]
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("CLASSPATH", f"{EXPANSION}/*")
        patch.setattr(beam_kafka, "ReadFromKafkaSchema", request_as_in_2_56)
        port = stack.enter_context(broker(folder))
        stack.enter_context(running(service, folder / "expansion.log"))
        stack.enter_context(running(workers, folder / "java-workers.log"))
        for listening in (expansion, worker):
            wait_for(listening, folder)
        yield Kafka(port, expansion)


@contextmanager
def engine_for_one_job(folder: Path) -> Iterator[Flink]:
    """Flink for one job: Beam 2.56 does not cancel a job that its own cluster runs, so it ends with that."""
    folder.mkdir()
    with flink(folder) as running:
        yield running


@dataclass(frozen=True)
class Job:
    """A stream that runs on Flink.

    Args:
        folder: of the engine's logs.
        result: what Beam knows of it.
    """

    folder: Path
    result: PipelineResult

    def wait_until(self, done: Callable[[], bool], seconds: float = 120) -> None:
        """Waits until something has come about.

        Raises:
            AssertionError: the job has ended, or the time is over; says what the engine's logs say.
        """
        end = time.monotonic() + seconds
        while not done():
            state = self.result.state
            assert not PipelineState.is_terminal(state), f"the job is {state}:\n{logs_in(self.folder)}"
            assert time.monotonic() < end, f"it does not come about:\n{logs_in(self.folder)}"
            time.sleep(0.2)


@contextmanager
def job(folder: Path, build: Callable[[beam.Pipeline], object], checkpointing: int = 250) -> Iterator[Job]:
    """A stream that runs until the end of the block, and is killed then; `checkpointing`: ms between checkpoints."""
    with engine_for_one_job(folder) as engine:
        pipeline = beam.Pipeline(options=engine.streaming(f"--checkpointing_interval={checkpointing}"))
        build(pipeline)
        result = pipeline.run()
        yield Job(folder, result)
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
