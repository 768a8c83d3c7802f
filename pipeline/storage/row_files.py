"""Rows -> files of JSON lines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join
from typing import Any, BinaryIO

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from uncommon_im.pipeline.storage.changing import create
from uncommon_im.transforms.rules.alerts.formats import line_of


@dataclass
class WriteJsonLines(beam.PTransform):
    """Rows -> files `FOLDER/*.jsonl` of rows, one a line, one file per bundle; yields the paths of complete files.

    A row is a JSON object, or a line of text as it is.

    A bundle that is retried writes another file: only those whose paths are yielded count, and in them each row is
    once. The order of lines is not defined.

    Args:
        folder: where nobody reads before it is known which files count.
    """

    folder: str

    def expand(self, rows: beam.PCollection[dict[str, Any] | str]) -> beam.PCollection[str]:
        """Rows leave memory as they come."""
        return rows | "Write" >> beam.ParDo(_WriteBundle(self.folder)).with_output_types(str)


class _WriteBundle(beam.DoFn):
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = ""
        self._stream: BinaryIO | None = None

    def start_bundle(self) -> None:
        self._stream = None

    def process(self, row: dict[str, Any] | str) -> Iterator[str]:
        if self._stream is None:
            self._path = join(self._folder, f"{uuid.uuid4().hex}.jsonl")
            self._stream = create(self._path)
        self._stream.write(f"{line_of(row)}\n".encode())
        yield from ()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._stream is not None:
            self._stream.close()
            yield WindowedValue(self._path, GlobalWindow().max_timestamp(), [GlobalWindow()])

    def teardown(self) -> None:
        if self._stream is not None:
            self._stream.close()
