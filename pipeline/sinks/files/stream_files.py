"""Files of a stream: written whole before their bundle is committed, without windows, so that nothing is ever late."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from uncommon_im.pipeline.storage.whole_file import write_whole
from uncommon_im.transforms.rules.alerts.formats import NATIVE, text_of


@dataclass
class WriteAlertFiles(beam.PTransform):  # type: ignore[misc]
    """Alerts as JSON text -> `OUTPUT/alerts/ALERT_ID.jsonl`, one line each; yields their names.

    Idempotent by alert id: an alert that comes again, from a retry or from another job that writes to the same folder,
    replaces its file. A file is there whole or not at all. Late alerts are written like others.

    Args:
        output: the folder of the stream.
        alert_format: one of `ALERT_FORMATS`.
    """

    output: str
    alert_format: str = NATIVE

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, alerts: beam.PCollection[str]) -> beam.PCollection[str]:
        """A file an alert: flood control keeps them few."""
        return alerts | "Write" >> beam.Map(_write_alert, self.output, self.alert_format).with_output_types(str)


@dataclass
class WriteBundleFiles(beam.PTransform):  # type: ignore[misc]
    """JSON text -> `OUTPUT/NAME/NAME-*.jsonl`, a file a bundle.

    No line is lost: equal lines are so many, for two activities of an hour may get equal verdicts, and a record that
    comes twice makes two dead letters. A bundle that an engine retries after it was written repeats its lines.

    Args:
        output: the folder of the stream.
        name: of what is written.
    """

    output: str
    name: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, rows: beam.PCollection[str]) -> beam.PCollection[str]:
        """Files are named at random: a name made of the content would let equal bundles replace each other."""
        return rows | "Write" >> beam.ParDo(_WriteBundle(self.output, self.name)).with_output_types(str)


class _WriteBundle(beam.DoFn):  # type: ignore[misc]
    def __init__(self, output: str, name: str) -> None:
        self._output, self._name = output, name
        self._rows: list[str] = []

    def start_bundle(self) -> None:
        self._rows = []

    def process(self, row: str) -> Iterator[str]:
        self._rows.append(row)
        yield from ()

    def finish_bundle(self) -> None:
        if self._rows:
            content = "".join(f"{row}\n" for row in self._rows).encode()
            name = f"{self._name}-{uuid.uuid4().hex}.jsonl"
            write_whole(FileSystems.join(self._output, self._name, name), content)


def _write_alert(alert: str, output: str, alert_format: str) -> str:
    path = FileSystems.join(output, "alerts", f"{json.loads(alert)['alert_id']}.jsonl")
    write_whole(path, f"{text_of(alert, alert_format)}\n".encode())
    return path
