"""What a stream learned as a source: the days before a day boundary, as blocks for a snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.baselines.read_snapshot import Snapshot, read_parts
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.learned import COMPLETE, LEARNED, STREAM, StreamMetadata
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.subjects import NOBODY
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA
from uncommon_im.transforms.rules.columns.days import day_number

OUTPUTS: Final = ("sightings", "own_sightings", "said", "coverage")
_DAY: Final = re.compile(r"/(\d{4}-\d{2}-\d{2})/")


@dataclass(frozen=True)
class Learned:
    """What a stream learned, as far as its directory has it.

    Args:
        path: the directory.
        metadata: of the stream.
        files: table -> files of the days that count.
    """

    path: str
    metadata: StreamMetadata
    files: dict[str, list[str]]


def open_learned(path: str, as_of: date, baseline: Snapshot | None) -> Learned:
    """What a stream learned in the days before `as_of`, and after a snapshot.

    Raises:
        ConfigurationError: there is nothing, a day is not complete yet, or days are missing; says what to do.
    """
    try:
        with open_binary(FileSystems.join(path, STREAM)) as stream:
            metadata = StreamMetadata.parse(stream.read().decode(), path)
        pattern = FileSystems.join(path, "*", "*")
        found = [match.path for match in FileSystems.match([pattern])[0].metadata_list]
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"--sightings {path}: no stream wrote there ({STREAM} cannot be read)") from None
    by_day = [(date.fromisoformat(day[1]), file) for file in found if (day := _DAY.search(file))]
    complete = [day for day, file in by_day if file.endswith(f"/{COMPLETE}")]
    newest = max(complete, default=None)
    require(
        newest is not None and newest + timedelta(days=1) >= as_of,
        f"--as-of {as_of}: the stream has not completed the day before; "
        + (f"the newest that it has is {newest}: take --as-of {newest + timedelta(days=1)}" if newest else "none is"),
    )
    _check_gap(path, as_of, metadata, baseline)
    first = baseline.metadata.as_of if baseline else date.min
    counted = [file for day, file in by_day if first <= day < as_of]
    tables = {table: sorted(file for file in counted if f"/{table}-" in file) for table in LEARNED}
    return Learned(path, metadata, tables)


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


@dataclass
class ReadLearned(beam.PTransform):  # type: ignore[misc]
    """-> "sightings" by shard of subjects, "own_sightings" and "said" by shard of hosts, "coverage".

    Args:
        learned: what is read.
        as_of: what became known on this day or later is left out.
        shards: into how many shards blocks are cut.
    """

    learned: Learned
    as_of: date
    shards: int

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        """A read a file."""
        named = [(table, file) for table, files in self.learned.files.items() for file in files]
        read = beam.FlatMap(_read, day_number(self.as_of), self.shards)
        return (
            start
            | "ListFiles" >> beam.Create(named, reshuffle=False)
            | "SpreadFiles" >> beam.Reshuffle()
            | "ReadFiles" >> read.with_outputs(*OUTPUTS)
        )


def _read(named: tuple[str, str], as_of: int, shards: int) -> Iterator[TaggedOutput]:
    table, file = named
    for rows in read_parts(file):
        if table == "said":
            for shard, block in blocks.cut(rows, blocks.host_shards(rows, shards)):
                yield TaggedOutput("said", (shard, block))
            continue
        known = rows.filter(pa.array(rows.column("known").to_numpy() < as_of))
        if table == "coverage":
            for row in known.to_pylist():
                yield TaggedOutput("coverage", {(row["tenant"], row["day"]): row["events"]})
            continue
        shown = known.select(SIGHTING_SCHEMA.names)
        for shard, block in blocks.cut(shown, blocks.subject_shards(shown, shards)):
            yield TaggedOutput("sightings", (shard, block))
        own = shown.filter(pc.not_equal(shown.column("host"), NOBODY))
        for shard, block in blocks.cut(own, blocks.host_shards(own, shards)):
            yield TaggedOutput("own_sightings", (shard, block))
