"""Alerts to a topic of Kafka: each is written by all replicas before it counts as sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

from uncommon_im.pipeline.sinks.delivery.sending import Secret, Unsent
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.transforms.rules.alerts.formats import Document

log = logging.getLogger(__name__)

_TOGETHER: Final = 1_000
"""Alerts that are under way at a time."""
_SECONDS: Final = 60
"""How long the client tries to deliver an alert, which it sends again by itself."""
_REFUSALS: Final = ("MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "INVALID_MSG_SIZE")
"""Errors that an alert has for what it is."""


@dataclass(frozen=True)
class KafkaTarget:
    """A topic.

    Args:
        brokers: `HOST:PORT`, separated by commas.
        topic: its name.
        settings: a file of further settings of librdkafka's producer, one `KEY=VALUE` a line; lines with # say nothing.
        seconds: how long an alert is tried.
    """

    brokers: str
    topic: str
    settings: Secret | None = None
    seconds: int = _SECONDS

    def open(self, retried: Callable[[], None]) -> KafkaSender:
        """What sends there. Kafka's client tells nobody that it tries again, so `retried` is not called.

        Raises:
            ConfigurationError: the client is not installed, or takes a setting for none.
        """
        return KafkaSender(self)


class KafkaSender:
    """Sends alerts under their `alert_id` as key, so that a compacted topic keeps each once."""

    def __init__(self, target: KafkaTarget) -> None:
        """Makes the client, which connects by itself."""
        try:
            from confluent_kafka import KafkaError, KafkaException, Producer
        except ModuleNotFoundError:
            raise ConfigurationError(
                "--alerts-kafka-topic needs confluent_kafka, which is not installed: pip install 'uncommon-im[kafka]'"
            ) from None
        self._topic, self._failure = target.topic, KafkaException
        self._refusals = {getattr(KafkaError, name) for name in _REFUSALS if hasattr(KafkaError, name)}
        settings = {
            "log_level": 4,  # warnings, and what is worse
            **_settings(target.settings),
            "bootstrap.servers": target.brokers,
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": target.seconds * 1000,
        }
        self.failing = False
        self._open = partial(Producer, settings, logger=log)
        try:
            self._producer = self._open()
        except KafkaException as error:
            # what librdkafka says of a setting names it, and may quote its value
            reason = error.args[0].name() if error.args else "refused"
            raise ConfigurationError(
                f"--alerts-kafka-settings: Kafka's client takes a setting for none: {reason}"
            ) from None
        self._seconds = target.seconds

    def send(self, documents: Iterable[Document]) -> Iterator[Unsent]:
        """As `Sender` says."""
        rest, stopped = iter(documents), None
        self.failing = False
        while some := list(islice(rest, _TOGETHER)):
            unsent = [Unsent(each, stopped, False) for each in some] if stopped else self._send(some)
            stopped = stopped or next((each.reason for each in unsent if not each.refused), None)
            self.failing = stopped is not None
            yield from unsent

    def close(self) -> None:
        """Nothing is under way any more, once `send` is read to its end."""

    def _send(self, documents: list[Document]) -> list[Unsent]:
        unsent: dict[int, Unsent] = {n: Unsent(each, "no answer", False) for n, each in enumerate(documents)}
        fatal: list[bool] = []

        def told(number: int, error: Any, message: Any = None) -> None:
            if error is None:
                unsent.pop(number, None)
            else:
                unsent[number] = Unsent(documents[number], error.str(), error.code() in self._refusals)
                fatal.append(error.fatal())

        for number, each in enumerate(documents):
            try:
                self._produce(each, partial(told, number))
            except self._failure as error:
                told(number, error.args[0])
        self._producer.flush(self._seconds + 10)
        if any(fatal):  # an idempotent producer that has lost count takes nothing any more
            self._producer = self._open()
        return list(unsent.values())

    def _produce(self, document: Document, told: Callable[..., None]) -> None:
        key, value = document.alert_id.encode(), document.text.encode()
        try:
            self._producer.produce(self._topic, value, key, on_delivery=told)
        except BufferError:  # a setting keeps the client's queue shorter
            self._producer.flush(self._seconds + 10)
            self._producer.produce(self._topic, value, key, on_delivery=told)


def _settings(secret: Secret | None) -> dict[str, str]:
    settings = {}
    lines = secret.read().splitlines() if secret else []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        # it is not shown: it may be a password
        require(key.strip() and equals, f"--alerts-kafka-settings, line {number}: expected KEY=VALUE")
        settings[key.strip()] = value.strip()
    return settings
