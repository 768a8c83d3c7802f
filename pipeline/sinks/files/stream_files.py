"""Files of a stream: written whole before their bundle is committed, without windows, so that nothing is ever late."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import join
from typing import Any

import apache_beam as beam

from uncommon_im.pipeline.storage.changing import write_whole
from uncommon_im.transforms.rules.alerts.formats import NATIVE, text_of
from uncommon_im.transforms.rules.columns.json_lines import to_json


@dataclass
class WriteAlertFiles(beam.PTransform):
    """Alerts -> `OUTPUT/alerts/ALERT_ID.jsonl`, one line each; yields their names.

    Idempotent by alert id: an alert that comes again, from a retry or from another job that writes to the same folder,
    replaces its file. A file is there whole or not at all. Late alerts are written like others.

    Args:
        output: the folder of the stream.
        alert_format: one of `ALERT_FORMATS`.
    """

    output: str
    alert_format: str = NATIVE

    def expand(self, alerts: beam.PCollection[dict[str, Any]]) -> beam.PCollection[str]:
        """One file per alert: flood control keeps them few."""
        return alerts | "Write" >> beam.Map(write_alert, self.output, self.alert_format).with_output_types(str)


@dataclass
class WriteBundleFiles(beam.PTransform):
    """Rows -> `OUTPUT/NAME/NAME-*.jsonl`, one file per bundle.

    No line is lost: equal ones are all kept, for two activities of an hour may get equal verdicts, and a record that
    comes twice makes two dead letters. A bundle that an engine retries after it was written repeats its lines.

    Args:
        output: the folder of the stream.
        name: of what is written.
    """

    output: str
    name: str

    def expand(self, rows: beam.PCollection[dict[str, Any]]) -> beam.PCollection[str]:
        """Files are named at random: a name made of the content would let equal bundles replace each other."""
        return rows | "Write" >> beam.ParDo(_WriteBundle(self.output, self.name)).with_output_types(str)


class _WriteBundle(beam.DoFn):
    def __init__(self, output: str, name: str) -> None:
        self._output, self._name = output, name
        self._lines: list[str] = []

    def start_bundle(self) -> None:
        self._lines = []

    def process(self, row: dict[str, Any]) -> Iterator[str]:
        self._lines.append(f"{to_json(row)}\n")
        yield from ()

    def finish_bundle(self) -> None:
        if self._lines:
            write_lines(self._lines, self._output, self._name)


def write_lines(lines: Iterable[str], output: str, name: str) -> None:
    """Lines with their ends -> one more file of the folder `OUTPUT/NAME`."""
    write_whole(join(output, name, f"{name}-{uuid.uuid4().hex}.jsonl"), "".join(lines).encode())


def write_alert(alert: dict[str, Any], output: str, alert_format: str) -> str:
    """An alert -> its file, in one of `ALERT_FORMATS`; the file's name."""
    path = join(output, "alerts", f"{alert['alert_id']}.jsonl")
    write_whole(path, f"{text_of(alert, alert_format)}\n".encode())
    return path
