"""Alerts to a Pub/Sub topic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from google.cloud import pubsub

from uncommon_im.transforms.rules.alerts.formats import NATIVE, text_of
from uncommon_im.transforms.rules.columns.json_lines import to_json

_SECONDS: Final = 300
"""How long a bundle waits for a message to be taken; then the engine tries the bundle again."""
_MOST_BYTES: Final = 9_000_000
"""Of an alert's data: Pub/Sub takes requests of 10,000,000 bytes."""
_MOST_ATTRIBUTE_BYTES: Final = 1024
"""Of an attribute, and of an ordering key."""
_CUT_CHARACTERS: Final = 10_000


@dataclass
class PublishAlerts(beam.PTransform):
    """Alerts -> messages; yields the ids of those that Pub/Sub has taken.

    The data is the alert, in the format that is asked for; "tenant", "severity", "service" and "alert_id" are
    attributes, for subscriptions to filter by. The tenant is the ordering key: a subscription that orders by it
    delivers a tenant's messages as they were published, which is in no order of event time. At least once: an alert
    that the engine tries again, or that another job finds again, is published again under the same `alert_id`.
    Consumers deduplicate by that.

    Values that are longer than Pub/Sub takes are cut: whatever a record holds, it does not block the stream.

    Beam's own `WriteToPubSub` is not used: on Dataflow it is replaced by a sink that knows no ordering key.

    Args:
        topic: `projects/P/topics/T`.
        alert_format: one of `ALERT_FORMATS`.
    """

    topic: str
    alert_format: str = NATIVE

    def expand(self, alerts: beam.PCollection[dict[str, Any]]) -> beam.PCollection[str]:
        """One message per alert: flood control keeps them few."""
        return alerts | "Publish" >> beam.ParDo(_Publish(self.topic, self.alert_format)).with_output_types(str)


def attributes_of(alert: dict[str, Any]) -> dict[str, str]:
    """The attributes of an alert's message."""
    values = {
        "tenant": alert["tenant_id"],
        "severity": alert["severity"],
        "service": alert["service"]["id"],
        "alert_id": alert["alert_id"],
    }
    return {name: value.encode()[:_MOST_ATTRIBUTE_BYTES].decode(errors="ignore") for name, value in values.items()}


def data_of(text: str) -> bytes:
    """The data of an alert's message: the alert, with its long texts cut if it is too large."""
    data = text.encode()
    if len(data) <= _MOST_BYTES or text.startswith("CEF:"):  # lines of CEF are cut as they are made
        return data
    return to_json(_cut(json.loads(text))).encode()


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_CUT_CHARACTERS]
    if isinstance(value, list):
        return [_cut(item) for item in value]
    return {name: _cut(item) for name, item in value.items()} if isinstance(value, dict) else value


class _Publish(beam.DoFn):
    def __init__(self, topic: str, alert_format: str) -> None:
        self._topic, self._alert_format = topic, alert_format

    def setup(self) -> None:
        ordering = pubsub.types.PublisherOptions(enable_message_ordering=True)
        self._publisher = pubsub.PublisherClient(publisher_options=ordering)

    def start_bundle(self) -> None:
        self._sent: list[Future[str]] = []

    def process(self, alert: dict[str, Any]) -> Iterator[str]:
        attributes = attributes_of(alert)
        data = data_of(text_of(alert, self._alert_format))
        self._sent.append(self._publisher.publish(self._topic, data, ordering_key=attributes["tenant"], **attributes))
        yield attributes["alert_id"]

    def finish_bundle(self) -> None:
        """Raises what publishing raised: a bundle is done once all of it is taken."""
        for sent in self._sent:
            sent.result(_SECONDS)

    def teardown(self) -> None:
        self._publisher.stop()
