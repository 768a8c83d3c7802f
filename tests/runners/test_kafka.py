"""Kafka through Beam's cross-language transform on Flink: every record is read, at its arrival, and leads to alerts."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apache_beam as beam
import pytest

from tests.oracle import detect
from tests.organisations import random_organisation
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.runners.equality import lateness_of
from tests.runners.kafka import PARTITIONS, Job, Kafka, Published, engine_for_one_job, job, kafka
from tests.running import Found, configuration_of, read_rows, run_records
from tests.transforms.rules.stream.driving import on_time
from uncommon_im.pipeline.cli.commands.stream import StreamOptions
from uncommon_im.pipeline.cli.commands.streaming import StreamRun
from uncommon_im.pipeline.cli.main import parse
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sinks.files.stream_files import WriteBundleFiles
from uncommon_im.pipeline.sources.queues.kafka import ReadKafka
from uncommon_im.pipeline.sources.queues.messages import Message
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US

pytestmark = pytest.mark.runners


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@contextmanager
def reading(broker: Kafka, topic: str, group: str, folder: Path) -> Iterator[tuple[Job, Path]]:
    """A job that writes the messages of a topic to files in the folder that this yields beside it."""
    expansion, output = f"localhost:{broker.expansion}", folder / group

    def build(pipeline: beam.Pipeline) -> None:
        messages = pipeline | ReadKafka(broker.brokers, [topic], group, expansion_service=expansion)
        rows = messages | beam.Map(row_of)
        _ = rows | WriteBundleFiles(str(output), "messages")

    with job(folder / "flink", build) as running:
        yield running, output


def row_of(message: Message) -> list[object]:
    return [message.source, message.arrival, message.data.decode()]


def messages_in(output: Path) -> Counter[Published]:
    """What was written, as Kafka has it: arrivals in whole ms."""
    found: Counter[Published] = Counter()
    for source, arrival, data in read_rows(str(output), "messages"):  # type: ignore[misc]  # each row is a list
        assert arrival % 1000 == 0
        found[Published(source, arrival // 1000, data.encode())] += 1
    return found


def values(first: int, count: int) -> list[tuple[int, int, bytes | None]]:
    """Records of a topic whose broker stamps them; every hundredth is a tombstone."""
    return [
        (number % PARTITIONS, 0, None if number % 100 == 7 else b'{"number": %d}' % number)
        for number in range(first, first + count)
    ]


def with_value(content: Counter[Published]) -> Counter[Published]:
    return Counter({published: times for published, times in content.items() if published.value is not None})


def test_flink_reads_every_record_of_three_partitions_once_when_it_arrived_and_while_the_topic_is_busy(
    broker: Kafka, tmp_path: Path
) -> None:
    broker.create("busy", "LogAppendTime")
    begin = int(time.time() * 1000)
    broker.publish("busy", values(0, 3000))
    with reading(broker, "busy", "counting", tmp_path) as (running, output):
        running.wait_until(lambda: messages_in(output).total() >= 2970)
        publishing = threading.Thread(target=broker.publish, args=("busy", values(3000, 6000), 400))
        publishing.start()
        time.sleep(10)
        assert publishing.is_alive()
        while_busy = messages_in(output).total()
        publishing.join()
        running.wait_until(lambda: messages_in(output).total() >= 8910)
        time.sleep(3)  # more checkpoints: nothing is read twice
    found, content = messages_in(output), broker.content("busy")
    assert content.total() == 9000
    assert found == with_value(content)
    assert found.total() == 8910
    assert while_busy > 2970 + 1000
    assert all(begin <= published.arrival <= time.time() * 1000 for published in found)


def test_a_second_job_of_the_group_on_flink_goes_on_where_the_first_has_committed(
    broker: Kafka, tmp_path: Path
) -> None:
    broker.create("resumed", "LogAppendTime")
    broker.publish("resumed", values(0, 900))
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with reading(broker, "resumed", "again", tmp_path / "one") as (running, one):
        running.wait_until(lambda: messages_in(one).total() >= 891)
        running.wait_until(lambda: broker.committed("resumed", "again") == 900)
    first = broker.content("resumed")
    broker.publish("resumed", values(900, 600))
    with reading(broker, "resumed", "again", tmp_path / "two") as (running, two):
        running.wait_until(lambda: messages_in(two).total() >= 594)
        time.sleep(3)
    assert messages_in(one) == with_value(first)
    assert messages_in(two) == with_value(broker.content("resumed") - first)


def test_a_topic_that_producers_stamp_is_refused_on_flink_unless_that_is_said(broker: Kafka, tmp_path: Path) -> None:
    broker.create("stamped", "CreateTime")
    broker.publish("stamped", [(0, 1_772_323_200_000, b"{}")])
    expansion = f"localhost:{broker.expansion}"
    with engine_for_one_job(tmp_path / "flink") as engine:
        pipeline = beam.Pipeline(options=engine.streaming())
        _ = pipeline | ReadKafka(broker.brokers, ["stamped"], "refused", expansion_service=expansion)
        with pytest.raises(RuntimeError, match="not enabled on Kafka for the topic 'stamped'"):
            pipeline.run().wait_until_finish()


@pytest.mark.parametrize("seed", [3])
def test_the_stream_over_kafka_on_flink_gives_the_backfills_and_the_oracles_alerts(
    seed: int, broker: Kafka, tmp_path: Path
) -> None:
    organisation, topic = random_organisation(seed), f"organisation-{seed}"
    options, lateness = organisation.options, lateness_of(organisation.options)
    arrivals = sorted(on_time(organisation, seed, 600 * SECOND_US, times=2), key=lambda arrival: arrival[1])
    # an idle partition's watermark is the clock
    assert arrivals[-1][1] + 3 * DAY_US < time.time() * SECOND_US, "this machine's clock is before the organisation's"
    chooser = random.Random(seed)
    broker.create(topic, "CreateTime")
    broker.publish(
        topic,
        [(chooser.randrange(PARTITIONS), at // 1000, json.dumps(record).encode()) for record, at in arrivals],
    )
    source = ["--kafka-topic", topic, "--kafka-brokers", broker.brokers, "--kafka-timestamps", "CreateTime"]
    source += ["--kafka-expansion-service", f"localhost:{broker.expansion}"]
    _, given, _, _ = parse(["stream", *source, "--output", str(tmp_path)])
    assert isinstance(given, StreamOptions)
    expected = detect(organisation.records, options)
    of_oracle = oracle_rows(expected.activities)

    def build(pipeline: beam.Pipeline) -> None:
        run = StreamRun(configuration_of(options), lateness, Sinks(str(tmp_path)), given.queue.records.reading())
        run.build(pipeline | "ReadBlocks" >> given.queue.open())

    with job(tmp_path / "flink", build) as running:
        running.wait_until(lambda: not of_oracle - verdict_rows(read_rows(str(tmp_path), "verdicts")), 600)
        time.sleep(3)
    alerts, found_verdicts, dead = (read_rows(str(tmp_path), name) for name in ("alerts", "verdicts", "dead_letter"))
    found = Found(alerts, found_verdicts, dead, {})
    assert found.alerts
    # what is run again after a failure of the engine is written again: none is lost, none is another one
    assert set(map(comparable, found.alerts)) == set(map(comparable, expected.alerts)), organisation.story
    assert set(found.facts) == set(run_records(organisation.records, configuration_of(options)).facts)
    assert set(verdict_rows(found.verdicts)) == set(of_oracle)
