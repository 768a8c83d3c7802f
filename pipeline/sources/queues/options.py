"""The options of queues as a source: Pub/Sub, notifications of Cloud Storage, Kafka."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import address, addresses, require_resource, topic
from uncommon_im.pipeline.sources.files.options import FormatOptions
from uncommon_im.pipeline.storage.reach import listens, require_pubsub
from uncommon_im.schemas.documents import ConfigurationError, require

if TYPE_CHECKING:
    import apache_beam as beam

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KafkaOptions(
    Options, title="Kafka", about="Kafka is read on engines that run Java steps too, such as Flink and Dataflow."
):
    """How Kafka is read."""

    kafka_brokers: str | None = option(
        "Where Kafka is. --kafka-topic needs it.", metavar="HOST:PORT,...", parse=addresses
    )
    kafka_group: str = option("The consumer group.", "uncommon-im", "NAME")
    kafka_timestamps: str = option(
        "Who stamps the records of the topics. LogAppendTime: the broker, as they arrive. CreateTime: their producers.",
        "LogAppendTime",
        choices=("LogAppendTime", "CreateTime"),
    )
    kafka_consumer: tuple[str, ...] = option(
        "A setting of Kafka's consumer, such as one of authentication.", (), "KEY=VALUE"
    )
    kafka_expansion_service: str | None = option(
        "An expansion service that knows Beam's Kafka source. By default Beam starts its own.",
        metavar="HOST:PORT",
        parse=address,
    )

    def open(self, topics: tuple[str, ...]) -> beam.PTransform:
        """What reads the messages of topics.

        Raises:
            ConfigurationError: no broker is given, or a setting is none.
        """
        from uncommon_im.pipeline.sources.queues.kafka import ReadKafka

        if self.kafka_brokers is None:
            raise ConfigurationError("--kafka-topic needs --kafka-brokers: where the topic is")
        consumer = {}
        for number, setting in enumerate(self.kafka_consumer, 1):
            key, equals, value = setting.partition("=")
            # it is not shown: it may be a password
            require(key and equals, f"--kafka-consumer, number {number} of them: expected KEY=VALUE")
            consumer[key] = value
        return ReadKafka(
            self.kafka_brokers,
            topics,
            self.kafka_group,
            self.kafka_timestamps,
            consumer,
            self.kafka_expansion_service,
        )

    def require_reachable(self) -> None:
        """Raises `ConfigurationError` unless there is what expands the source; a broker may answer workers only."""
        service = self.kafka_expansion_service
        if service:
            require(listens(service), f"--kafka-expansion-service {service}: nothing listens there")
        else:
            java = os.environ.get("JAVA_HOME") or shutil.which("java")
            require(java, "--kafka-topic needs Java on this machine, or --kafka-expansion-service")
        brokers = (self.kafka_brokers or "").split(",")
        if not any(map(listens, brokers)):
            log.warning("--kafka-brokers %s: no broker answers this machine; do the workers reach one?", *brokers[:1])


@dataclass(frozen=True, kw_only=True)
class QueueOptions(Options, title="input"):
    """Which queue is read: exactly one of the first three."""

    pubsub_subscription: str | None = option(
        "Read the messages of this subscription. Each is a record, or lines of records.",
        metavar="projects/P/subscriptions/S",
        exclusive=True,
    )
    notifications_subscription: str | None = option(
        "Read the objects of Cloud Storage that the messages of this subscription announce.",
        metavar="projects/P/subscriptions/S",
        exclusive=True,
    )
    kafka_topic: tuple[str, ...] = option(
        "Read the values of this topic. Each is a record, or lines of records.", (), "NAME", exclusive=True, parse=topic
    )
    records: FormatOptions
    kafka: KafkaOptions

    def open(self) -> beam.PTransform:
        """What reads blocks of arrivals.

        Raises:
            ConfigurationError: the source is not named as it has to be.
        """
        from uncommon_im.pipeline.sources.queues.messages import MessagesToBlocks
        from uncommon_im.pipeline.sources.queues.pubsub import ReadNotifications, ReadPubSub

        if self.kafka_topic:
            return self.kafka.open(self.kafka_topic) | MessagesToBlocks()
        if self.pubsub_subscription is not None:
            require_resource("--pubsub-subscription", self.pubsub_subscription, "subscriptions")
            return ReadPubSub(self.pubsub_subscription) | MessagesToBlocks()
        require_resource("--notifications-subscription", self.notifications_subscription or "", "subscriptions")
        return ReadNotifications(self.notifications_subscription, options=self.records.reading())

    def require_reachable(self) -> None:
        """Makes sure that the queue can be reached, once all else is as it should be: it may take seconds.

        Raises:
            ConfigurationError: it cannot; says which option it is and the likely cause.
        """
        if self.kafka_topic:
            self.kafka.require_reachable()
        elif self.pubsub_subscription is not None:
            require_pubsub(f"--pubsub-subscription {self.pubsub_subscription}")
        else:
            require_pubsub(f"--notifications-subscription {self.notifications_subscription}")
