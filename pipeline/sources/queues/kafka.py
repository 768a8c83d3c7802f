"""Kafka as a source, through Beam's own transform, which is written in Java and expanded by a service beside us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import apache_beam as beam
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.metrics import Metrics

from uncommon_im.pipeline.sources.queues.messages import Message
from uncommon_im.transforms.stream.keyed_step import NAMESPACE

TIMESTAMPS: Final = ("LogAppendTime", "CreateTime")
"""What a topic may stamp its records with (`message.timestamp.type`)."""


@dataclass
class ReadKafka(beam.PTransform):
    """Topics -> `Message`s that arrived when Kafka stamped them, in ms.

    At least once: every record's value is one message; a record that is read again is the same message, with the same
    arrival and source (`TOPIC-PARTITION@OFFSET`), and teaches and alerts nothing new. Records without a value
    (tombstones) are skipped and counted as `kafka.tombstones`. Keys and headers are not looked at.

    Where to go on is in the engine's checkpoints. Offsets are committed to the group after each of them, and tell where
    a job without a checkpoint begins: at what the group committed, or at the earliest record. Such a job reads again
    what came after the last checkpoint; `kafka-consumer-groups --reset-offsets --to-datetime` takes it further back.

    The watermark is that of the partition that is furthest behind. With `LogAppendTime` the broker's clock stamps
    records as it takes them, so that none is ever behind the watermark: how late a record is includes the way to the
    broker. The job fails if a topic is not set to it. With `CreateTime` producers stamp them: what a producer held
    back does not count as late, and a record that was created before one that was already read of its partition comes
    behind the watermark, where activities may be judged already.

    Args:
        brokers: `HOST:PORT`, separated by commas.
        topics: their names.
        group: the consumer group.
        timestamps: one of `TIMESTAMPS`: how all of the topics stamp records.
        consumer: further settings of Kafka's Java consumer, such as those of authentication.
        expansion_service: `HOST:PORT` of the service that knows the transform; `None`: Beam fetches and runs its own.
    """

    brokers: str
    topics: Sequence[str]
    group: str
    timestamps: str = TIMESTAMPS[0]
    consumer: Mapping[str, str] = field(default_factory=dict)
    expansion_service: str | None = None

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[Message]:
        """Reads, and keeps of each record what is needed."""
        read = ReadFromKafka(
            consumer_config={
                "auto.offset.reset": "earliest",
                **self.consumer,
                "bootstrap.servers": self.brokers,
                "group.id": self.group,
                "enable.auto.commit": "false",
            },
            topics=list(self.topics),
            key_deserializer=ReadFromKafka.byte_array_deserializer,
            value_deserializer=ReadFromKafka.byte_array_deserializer,
            commit_offset_in_finalize=True,
            timestamp_policy=self.timestamps,
            with_metadata=True,
            expansion_service=self.expansion_service,
        )
        return start | "ReadTopics" >> read | "ToMessage" >> beam.ParDo(_ToMessage()).with_output_types(Message)


class _ToMessage(beam.DoFn):
    def __init__(self) -> None:
        self._tombstones = Metrics.counter(NAMESPACE, "kafka.tombstones")

    def process(self, record: Any) -> Iterator[Message]:
        if record.value is None:
            self._tombstones.inc()
        else:
            source = f"{record.topic}-{record.partition}@{record.offset}"
            yield Message(record.value, record.timestamp * 1000, source)
