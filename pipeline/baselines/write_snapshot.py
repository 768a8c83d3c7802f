"""A baseline snapshot as a sink: Parquet files first, the metadata that makes them a snapshot last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import AsList
from msgspec.structs import replace

from uncommon_im.pipeline.baselines.snapshot_folder import SnapshotFolder
from uncommon_im.pipeline.storage.table_folder import TableFolder
from uncommon_im.schemas.snapshot import (
    COVERAGE_SCHEMA,
    HOST_SIGHTING_SCHEMA,
    INSTANCE_SCHEMA,
    METADATA,
    SAID_SCHEMA,
    TABLES,
    Metadata,
)
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA
from uncommon_im.transforms.rules.columns.days import day_number

_SCHEMAS: Final = {
    "sightings": SIGHTING_SCHEMA,
    "host_sightings": HOST_SIGHTING_SCHEMA,
    "said": SAID_SCHEMA,
    "instances": INSTANCE_SCHEMA,
}


@dataclass(frozen=True)
class WrittenFile:
    """A file of a snapshot: its table, its name in the directory, its rows and their tenants."""

    table: str
    name: str
    rows: int
    tenants: frozenset[str]


@dataclass
class WriteSnapshot(beam.PTransform):
    """{"sightings", "host_sightings", "said", "instances"} by shard, "coverage" -> a snapshot; yields its path.

    A run that dies leaves the old snapshot whole. A retried step writes the same file again.

    Args:
        path: the snapshot's directory, which is claimed (`SnapshotFolder`).
        metadata: what is known before: `rows`, `files` and `tenants` are filled in.
        after: what must have happened before the snapshot counts.
    """

    path: str
    metadata: Metadata
    after: list[beam.PCollection[str]]

    def expand(self, inputs: Mapping[str, beam.PCollection[tuple[int, bytes]]]) -> beam.PCollection[str]:
        """A file per table and shard."""
        written = [
            inputs[table] | f"Write_{table}" >> beam.Map(_write_block, table, self.path, self.metadata.run_id)
            for table in _SCHEMAS
        ]
        written.append(inputs["coverage"] | "Write_coverage" >> beam.Map(_write_coverage, self.path, self.metadata))
        files = written | "AllFiles" >> beam.Flatten()
        barrier = [AsList(done) for done in self.after] or [AsList(files)]  # Beam wants starred arguments to be some
        return (
            files.pipeline
            | "Once" >> beam.Create([self.path])
            | "WriteMetadata" >> beam.Map(_finish, self.metadata, AsList(files), *barrier)
        )


def _write_block(block: tuple[int, bytes], table: str, path: str, run_id: str) -> WrittenFile:
    shard, data = block
    return _write(blocks.decode([data], _SCHEMAS[table]), table, shard, path, run_id)


def _write_coverage(coverage: Coverage, path: str, metadata: Metadata) -> WrittenFile:
    as_of, window = day_number(metadata.as_of), metadata.limits.training_days
    rows = [
        {"tenant": tenant, "day": day, "events": events}
        for (tenant, day), events in coverage.items()
        if as_of - window <= day < as_of
    ]
    return _write(pa.Table.from_pylist(rows, COVERAGE_SCHEMA), "coverage", 0, path, metadata.run_id)


def _write(table: pa.Table, name: str, shard: int, path: str, run_id: str) -> WrittenFile:
    file = TableFolder(path, METADATA).write(f"{run_id}/{name}", shard, table)
    return WrittenFile(name, file, table.num_rows, frozenset(pc.unique(table.column("tenant")).to_pylist()))


def _finish(path: str, metadata: Metadata, files: list[WrittenFile], *after: Iterable[str]) -> str:
    names: defaultdict[str, list[str]] = defaultdict(list)
    rows: defaultdict[str, int] = defaultdict(int)
    for file in sorted(files, key=lambda file: file.name):
        names[file.table].append(file.name)
        rows[file.table] += file.rows
    whole = replace(
        metadata,
        tenants=sorted(frozenset[str]().union(*(file.tenants for file in files))),
        files={table: names[table] for table in TABLES},
        rows={table: rows[table] for table in TABLES},
    )
    SnapshotFolder(path).commit(whole)
    return path
