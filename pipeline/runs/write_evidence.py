"""The evidence of a run as a sink: Parquet files first, the metadata last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import join
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsIter
from msgspec.structs import replace

from uncommon_im.pipeline.storage.table_folder import TableFolder
from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.evidence import FOLDER, METADATA, RARE_ACTIVITY_SCHEMA, EvidenceMetadata
from uncommon_im.schemas.snapshot import SAID_SCHEMA
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.columns.days import day_of
from uncommon_im.transforms.rules.verdicts.verdict import Activation


@dataclass
class WriteEvidence(beam.PTransform):
    """{"activities", "said"} by shard of hosts, one "coverage" -> `OUTPUT/evidence`; yields its path once it is whole.

    A file per table and shard; a retried step writes the same file again.

    Args:
        output: the run's folder.
        metadata: `days` are filled in.
        judged_days: day numbers of the first judged day and of the day after the last.
    """

    output: str
    metadata: EvidenceMetadata
    judged_days: tuple[int, int]

    def expand(self, inputs: Mapping[str, beam.PCollection[Any]]) -> beam.PCollection[str]:
        """Brings the blocks of a shard together, and waits for all files."""
        folder = TableFolder(join(self.output, FOLDER), METADATA)
        files = [
            inputs[name]
            | f"Typed_{name}" >> beam.Map(lambda block: block).with_output_types(tuple[int, bytes])
            | f"Join_{name}" >> beam.GroupByKey()
            | f"Write_{name}" >> beam.Map(_write_shard, name, schema, folder)
            for name, schema in (("activities", RARE_ACTIVITY_SCHEMA), ("said", SAID_SCHEMA))
        ]
        written = [AsIter(names) for names in files]
        return (
            inputs["coverage"]
            | "Days" >> beam.Map(active_days, self.metadata.detector.limits, self.judged_days)
            | "WriteMetadata" >> beam.Map(_finish, folder, self.metadata, *written)
        )


def active_days(coverage: Coverage, limits: Limits, judged_days: tuple[int, int]) -> list[int]:
    """The judged days on which a tenant delivered and the detector was active for it, in order."""
    activation = Activation(coverage, limits)
    first, last = judged_days
    return sorted(
        {
            day
            for tenant, day in coverage
            if first <= day < last and activation.days(tenant, day, "") >= limits.activation_days
        }
    )


def _write_shard(joined: tuple[int, Iterable[bytes]], name: str, schema: pa.Schema, folder: TableFolder) -> str:
    shard, parts = joined
    return folder.write(name, shard, blocks.decode(parts, schema))


def _finish(days: list[int], folder: TableFolder, metadata: EvidenceMetadata, *written: Iterable[str]) -> str:
    return folder.finish(replace(metadata, days=tuple(map(day_of, days))).to_json())
