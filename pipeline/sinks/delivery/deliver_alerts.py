"""A stream's alerts to other systems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from uncommon_im.pipeline.sinks.delivery.delivery import RETRIED, SENT, SPOOLED, Delivery
from uncommon_im.pipeline.sinks.delivery.options import Delivering
from uncommon_im.transforms.rules.alerts.formats import Document, document_of
from uncommon_im.transforms.stream.keyed_step import NAMESPACE


@dataclass
class DeliverAlerts(beam.PTransform):
    """Alerts -> another system; yields the ids of those that it took or that are in the spool.

    At least once: a bundle is done once each of its alerts is taken or in the spool. A bundle that the engine tries
    again is sent again under the same `alert_id`. Each worker's process has its own rate.

    Args:
        delivering: where alerts go, and the spool.
        alert_format: one of `ALERT_FORMATS`.
    """

    delivering: Delivering
    alert_format: str

    def expand(self, alerts: beam.PCollection[dict[str, Any]]) -> beam.PCollection[str]:
        """A request for some alerts of a bundle: flood control keeps them few."""
        return alerts | "Deliver" >> beam.ParDo(_Deliver(self.delivering, self.alert_format)).with_output_types(str)


class _Deliver(beam.DoFn):
    def __init__(self, delivering: Delivering, alert_format: str) -> None:
        self._delivering, self._alert_format = delivering, alert_format
        self._counters = {
            SENT: Metrics.counter(NAMESPACE, "delivery.sent"),
            RETRIED: Metrics.counter(NAMESPACE, "delivery.retried"),
            SPOOLED: Metrics.counter(NAMESPACE, "delivery.spooled"),
        }

    def setup(self) -> None:
        self._delivery = Delivery(self._delivering.target, self._delivering.spool, self._count)

    def start_bundle(self) -> None:
        self._documents: list[Document] = []

    def process(self, alert: dict[str, Any]) -> Iterator[str]:
        self._documents.append(document_of(alert, self._alert_format))
        yield alert["alert_id"]

    def finish_bundle(self) -> None:
        self._delivery.send(self._documents)

    def teardown(self) -> None:
        self._delivery.close()

    def _count(self, name: str, number: int) -> None:
        self._counters[name].inc(number)
