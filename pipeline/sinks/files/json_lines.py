"""Rows -> files of JSON lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io import WriteToText
from apache_beam.io.filesystems import FileSystems

from uncommon_im.transforms.rules.columns.json_lines import to_json


@dataclass
class WriteJsonLines(beam.PTransform):
    """Rows -> `OUTPUT/NAME/NAME-*.jsonl`; yields the files' names once they are complete.

    Each row is one line; a retried bundle leaves no second copy. The order of lines is not defined.

    Args:
        output: the run's folder.
        name: one of `runs.folder.FOLDERS`.
    """

    output: str
    name: str

    def expand(self, rows: beam.PCollection[dict[str, Any]]) -> beam.PCollection[str]:
        """Writes under a temporary name, then renames."""
        prefix = FileSystems.join(self.output, self.name, self.name)
        return (
            rows
            | "ToJson" >> beam.Map(to_json).with_output_types(str)
            | "Write" >> WriteToText(prefix, file_name_suffix=".jsonl")
        )
