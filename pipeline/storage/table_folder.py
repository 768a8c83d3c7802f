"""Folders of Parquet files: the files first, then the metadata that says that all of them are there.

Snapshots, what a stream learns and the evidence of a run are such folders; `schemas` describes their tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import join
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.pvalue import TaggedOutput

from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.pipeline.storage.changing import write_whole
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError

_BATCH_ROWS: Final = 1 << 17


@dataclass(frozen=True)
class TableFolder:
    """A folder of Parquet files, on any file system.

    Args:
        path: the folder.
        metadata: name of the file that says that the others are all there.
        remedy: what to do about a damaged file, for messages.
    """

    path: str
    metadata: str
    remedy: str = ""

    def write(self, table: str, shard: int, rows: pa.Table) -> str:
        """Writes `TABLE-SHARD.parquet`, whole or not at all; returns its name in the folder.

        Rows are sorted: the same rows are the same file, in whatever order they came.
        """
        name = f"{table}-{shard:05}.parquet"
        sink = pa.BufferOutputStream()
        pq.write_table(rows.sort_by([(column, "ascending") for column in rows.column_names]), sink, compression="zstd")
        write_whole(join(self.path, name), sink.getvalue().to_pybytes())
        return name

    def finish(self, metadata: str) -> str:
        """Writes the text of the metadata, after all files; returns its path."""
        path = join(self.path, self.metadata)
        write_whole(path, metadata.encode())
        return path

    def read_metadata(self, missing: str) -> str:
        """The text of the metadata.

        Raises:
            ConfigurationError: there is none; `missing` says what to do.
            UnreadableInput: the file system refuses it, or does not answer.
        """
        try:
            with open_binary(join(self.path, self.metadata)) as stream:
                return stream.read().decode()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(missing) from None

    def read(self, name: str, schema: pa.Schema | None = None) -> Iterator[pa.Table]:
        """The rows of a file, some at a time.

        Args:
            name: of the file in the folder.
            schema: the columns that are read, and their types; `None`: all as they are.

        Raises:
            UnreadableInput: it is cut, damaged or of other columns; names it and says what to do.
        """
        path = join(self.path, name)
        try:
            with open_binary(path) as stream:
                for batch in pq.ParquetFile(stream).iter_batches(_BATCH_ROWS, columns=schema and schema.names):
                    rows = pa.Table.from_batches([batch])
                    yield rows.cast(schema) if schema else rows
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise UnreadableInput(f"{path}: cannot be read: {reason}: {self.remedy}") from None


@dataclass
class ReadTables(beam.PTransform):
    """-> what a function makes of the files of some tables, by the names of its outputs.

    Args:
        files: table -> names of files.
        read: of a table and the name of one of its files.
        outputs: names that `read` gives to what it yields.
        spread: over workers; a batch without files need not wait for that.
    """

    files: Mapping[str, Sequence[str]]
    read: Callable[[str, str], Iterator[TaggedOutput]]
    outputs: Sequence[str]
    spread: bool = True

    def expand(self, start: beam.pvalue.PBegin) -> Any:
        """A read per file."""
        named = [(table, name) for table, names in self.files.items() for name in names]
        files = start | "ListFiles" >> beam.Create(named, reshuffle=False)
        spread = files | "SpreadFiles" >> beam.Reshuffle() if self.spread else files
        return spread | "ReadFiles" >> beam.FlatMapTuple(self.read).with_outputs(*self.outputs)
