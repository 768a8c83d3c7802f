"""A baseline snapshot as a source: what it holds, as blocks for the steps that need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from posixpath import join
from typing import Final

import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.storage.listing import exists
from uncommon_im.pipeline.storage.table_folder import ReadTables, TableFolder
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.snapshot import METADATA, Metadata
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.history import unpack
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.baseline.unlearning import NOTHING, Unlearning
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.instances.keeping import kept_starts

OUTPUTS: Final = ("sightings", "own_sightings", "said", "starts", "coverage")


@dataclass(frozen=True)
class Snapshot:
    """A snapshot: its directory and what it says of itself.

    Args:
        path: the directory.
        metadata: what it says.
        unlearning: what is left out when it is read.
    """

    path: str
    metadata: Metadata
    unlearning: Unlearning = NOTHING

    @property
    def folder(self) -> TableFolder:
        """Its files."""
        return TableFolder(self.path, METADATA, "copy the snapshot again")

    def coverage(self) -> Coverage:
        """The days with telemetry that it knows."""
        files = (rows for name in self.metadata.files["coverage"] for rows in self.read("coverage", name))
        return {day: events for rows in files for day, events in _coverage(rows).items()}

    def read(self, table: str, name: str) -> Iterator[pa.Table]:
        """The rows of a table's file, without what is left out."""
        for rows in self.folder.read(name):
            if table == "sightings":
                yield self.unlearning.sightings(rows)
            elif table == "host_sightings":
                yield self.unlearning.masks(rows, day_number(self.metadata.as_of))
            else:
                yield rows


def open_snapshot(path: str) -> Snapshot:
    """The snapshot in a directory on any file system.

    Raises:
        ConfigurationError: there is none, or it is not whole.
        UnreadableInput: the file system refuses it, or does not answer.
    """
    missing = f"--baseline-in {path}: no snapshot there ({METADATA} cannot be read): --baseline-out makes one"
    metadata = Metadata.parse(TableFolder(path, METADATA).read_metadata(missing), f"--baseline-in {path}")
    for name in (name for files in metadata.files.values() for name in files):
        require(
            exists(join(path, name), "--baseline-in"),
            f"--baseline-in {path}: {name} is missing: copy the whole directory",
        )
    return Snapshot(path, metadata)


def read_snapshot(snapshot: Snapshot | None, shards: int) -> ReadTables:
    """-> "sightings" by shard of subjects, "own_sightings", "said" and "starts" by shard of hosts, "coverage".

    Args:
        snapshot: `None`: nothing is read.
        shards: into how many shards blocks are cut.
    """
    files = snapshot.metadata.files if snapshot else {}
    return ReadTables(files, partial(_read, snapshot=snapshot, shards=shards), OUTPUTS, spread=bool(files))


def _read(table: str, name: str, snapshot: Snapshot | None, shards: int) -> Iterator[TaggedOutput]:
    assert snapshot is not None, "without one there are no files"
    as_of = day_number(snapshot.metadata.as_of)
    for rows in snapshot.read(table, name):
        if table == "coverage":
            yield TaggedOutput("coverage", _coverage(rows))
        elif table == "sightings":
            for block in blocks.cut(rows, blocks.subject_shards(rows, shards)):
                yield TaggedOutput("sightings", block)
        else:
            output, own = _of_hosts(table, rows, as_of)
            for block in blocks.cut(own, blocks.host_shards(own, shards)):
                yield TaggedOutput(output, block)


def _coverage(rows: pa.Table) -> Coverage:
    tenants, days, events = (rows.column(name).to_pylist() for name in ("tenant", "day", "events"))
    return dict(zip(zip(tenants, days, strict=True), events, strict=True))


def _of_hosts(table: str, rows: pa.Table, as_of: int) -> tuple[str, pa.Table]:
    """(output, rows) of a table that goes by hosts."""
    if table == "said":
        return "said", rows
    return ("starts", kept_starts(rows)) if table == "instances" else ("own_sightings", unpack(rows, as_of))
