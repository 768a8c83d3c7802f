"""What a stream learned as a source: the days before a day boundary, as blocks for a snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.baselines.read_snapshot import OUTPUTS, Snapshot
from uncommon_im.pipeline.errors import NotReady
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.table_folder import ReadTables, TableFolder
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.learned import COMPLETE, LEARNED, STREAM, StreamMetadata
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.subjects import NO_HOST
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA
from uncommon_im.transforms.rules.columns.days import DAY_US, day_number
from uncommon_im.transforms.rules.instances.keeping import kept_starts

_FILE: Final = re.compile(rf"(?P<day>\d{{4}}-\d{{2}}-\d{{2}})/(?:(?P<table>\w+)-\d{{5}}\.parquet|{COMPLETE})$")
"""The name of a file in the directory; without a table it says that its day is complete."""


@dataclass(frozen=True)
class Learned:
    """What a stream learned, as far as its directory has it.

    Args:
        path: the directory.
        metadata: of the stream.
        files: table -> names of the files of the days that count.
    """

    path: str
    metadata: StreamMetadata
    files: dict[str, list[str]]


def open_learned(path: str, as_of: date, baseline: Snapshot | None) -> Learned:
    """What a stream learned in the days before `as_of`, and after a snapshot.

    Raises:
        ConfigurationError: there is nothing, or days are missing; says what to do.
        NotReady: a day is not complete yet.
        UnreadableInput: the file system refuses it, or does not answer.
    """
    missing = f"--sightings {path}: no stream wrote there ({STREAM} cannot be read)"
    metadata = StreamMetadata.parse(TableFolder(path, STREAM).read_metadata(missing), path)
    listed = [_FILE.match(name) for name in list_folder(path, option="--sightings")]
    files = [(date.fromisoformat(file["day"]), file["table"], file[0]) for file in listed if file]
    newest = max((day for day, table, _ in files if table is None), default=None)
    if newest is None or newest + timedelta(days=1) < as_of:
        problem = f"--as-of {as_of}: the stream has not completed the day before"
        if newest is None:
            raise NotReady(f"{problem}; none is")
        raise NotReady(f"{problem}; the newest that it has is {newest}: take --as-of {newest + timedelta(days=1)}")
    _check_gap(path, as_of, metadata, baseline)
    first = baseline.metadata.as_of if baseline else date.min
    counted = {
        name: [file for day, table, file in files if table == name and _before(first, name) <= day < as_of]
        for name in LEARNED
    }
    return Learned(path, metadata, counted)


def _before(first: date, table: str) -> date:
    """The day from which files of a table may hold what became known from `first` on.

    Steps take some milliseconds after the end of a day: what they say in these may be of the next (`WriteLearned`). A
    snapshot that holds the day before has the rest of such a file: merging it again changes nothing.
    """
    return first - timedelta(days=1) if table in ("sightings", "said") and first > date.min else first


def _check_gap(path: str, as_of: date, metadata: StreamMetadata, baseline: Snapshot | None) -> None:
    since = metadata.started_from
    if baseline is None:
        oldest = as_of - timedelta(days=metadata.limits.training_days)
        require(
            since is None or since <= oldest,
            f"--sightings {path}: the stream started from the snapshot of {since}: give that one with --baseline-in",
        )
        return
    taken = baseline.metadata.as_of
    require(
        since is None or taken >= since,
        f"--baseline-in {baseline.path}: taken at {taken}; the stream started from that of {since}: days are missing",
    )
    require(taken <= as_of, f"--baseline-in {baseline.path}: taken at {taken}, after --as-of {as_of}")
    require(
        (baseline.metadata.identity_digest, baseline.metadata.service_digests)
        == (metadata.identity_digest, metadata.service_digests),
        f"--baseline-in {baseline.path}: another catalogue or time zone than the stream's: subjects would have other "
        "names",
    )


def read_learned(learned: Learned, as_of: date, shards: int) -> ReadTables:
    """-> "sightings" by shard of subjects, "own_sightings", "said" and "starts" by shard of hosts, "coverage".

    Args:
        learned: what is read.
        as_of: what became known on this day or later is left out, and alerts about events of this day or later.
        shards: into how many shards blocks are cut.
    """
    folder = TableFolder(learned.path, STREAM, "the stream's directory is damaged: take the snapshot from the events")
    read = partial(_read, folder=folder, as_of=day_number(as_of), shards=shards)
    return ReadTables(learned.files, read, OUTPUTS)


def _read(table: str, name: str, folder: TableFolder, as_of: int, shards: int) -> Iterator[TaggedOutput]:
    for rows in folder.read(name):
        if table in ("said", "starts"):
            of_hosts = kept_starts(rows) if table == "starts" else _said_before(rows, as_of)
            for block in blocks.cut(of_hosts, blocks.host_shards(of_hosts, shards)):
                yield TaggedOutput(table, block)
            continue
        known = rows.filter(pa.array(rows.column("known").to_numpy() < as_of))
        if table == "coverage":
            for row in known.to_pylist():
                yield TaggedOutput("coverage", {(row["tenant"], row["day"]): row["events"]})
            continue
        sightings = known.select(SIGHTING_SCHEMA.names)
        for block in blocks.cut(sightings, blocks.subject_shards(sightings, shards)):
            yield TaggedOutput("sightings", block)
        own = sightings.filter(pc.not_equal(sightings.column("host"), NO_HOST))
        for block in blocks.cut(own, blocks.host_shards(own, shards)):
            yield TaggedOutput("own_sightings", block)


def _said_before(rows: pa.Table, as_of: int) -> pa.Table:
    """Alerts about events of before a day; a stream that goes on from that day raises the others itself."""
    return rows.filter(pa.array(rows.column("time").to_numpy() < as_of * DAY_US))
