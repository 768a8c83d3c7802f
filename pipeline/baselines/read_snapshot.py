"""A baseline snapshot as a source: what it holds, as blocks for the steps that need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.snapshot import METADATA, TABLES, Metadata
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.history import unpack
from uncommon_im.transforms.rules.columns.days import day_number

_ROWS: Final = 1 << 17


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that was found: its directory and what it says of itself."""

    path: str
    metadata: Metadata


def open_snapshot(path: str) -> Snapshot:
    """The snapshot in a directory on any file system.

    Raises:
        ConfigurationError: there is none, or it is not whole.
    """
    try:
        with open_binary(FileSystems.join(path, METADATA)) as stream:
            metadata = Metadata.parse(stream.read().decode("utf-8"), f"--baseline-in {path}")
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"--baseline-in {path}: no snapshot there ({METADATA} cannot be read): --baseline-out makes one"
        ) from None
    for name in (name for files in metadata.files.values() for name in files):
        if not FileSystems.exists(FileSystems.join(path, *name.split("/"))):
            raise ConfigurationError(f"--baseline-in {path}: {name} is missing: copy the whole directory")
    return Snapshot(path, metadata)


@dataclass
class ReadSnapshot(beam.PTransform):  # type: ignore[misc]
    """-> "sightings" by shard of subjects, "own_sightings" and "said" by shard of hosts, "coverage".

    Args:
        snapshot: `None`: nothing is read.
        shards: into how many shards blocks are cut.
    """

    snapshot: Snapshot | None
    shards: int

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        """A read a file."""
        files = self.snapshot.metadata.files if self.snapshot else {}
        named = [(table, name) for table in TABLES for name in files.get(table, ())]
        return (
            start
            | "ListFiles" >> beam.Create(named, reshuffle=False)
            | "SpreadFiles" >> beam.Reshuffle()
            | "ReadFiles"
            >> beam.FlatMap(_read, self.snapshot, self.shards).with_outputs(
                "sightings", "own_sightings", "said", "coverage"
            )
        )


def _read(named: tuple[str, str], snapshot: Snapshot, shards: int) -> Iterator[TaggedOutput]:
    table, name = named
    as_of = day_number(snapshot.metadata.as_of)
    for rows in read_parts(FileSystems.join(snapshot.path, *name.split("/"))):
        if table == "coverage":
            values: Mapping[str, list[Any]] = rows.to_pydict()
            days = zip(values["tenant"], values["day"], strict=True)
            yield TaggedOutput("coverage", dict(zip(days, values["events"], strict=True)))
            continue
        if table == "host_sightings":
            table_out, rows = "own_sightings", unpack(rows, as_of)
        else:
            table_out = table
        cut = blocks.subject_shards if table == "sightings" else blocks.host_shards
        for shard, block in blocks.cut(rows, cut(rows, shards)):
            yield TaggedOutput(table_out, (shard, block))


def read_parts(path: str) -> Iterator[pa.Table]:
    """The rows of a file, some at a time.

    Raises:
        UnreadableInput: it is cut or damaged.
    """
    try:
        with open_binary(path) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(_ROWS):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableInput(
            f"{path}: cannot be read: {' '.join(str(error).split())}: copy the snapshot again"
        ) from None
