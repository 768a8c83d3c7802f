"""What an earlier run wrote, as a source: rows of its verdicts, and its alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from posixpath import join
from typing import Final, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.json as pj

from uncommon_im.pipeline.runs.folder import run_folder
from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError, require

_BLOCK_BYTES: Final = 1 << 24
"""Verdict rows that are read at a time; none may be longer."""
_LINE_BYTES: Final = 1 << 27
"""What a row may take: a dead letter holds a line of the input, each byte of which may take six."""
DUPLICATE_OF: Final = "duplicate_of"
"""The one column of a verdict row that may be null."""
_ROWS: Final = {"alerts": "native alert of a run (--alert-format)", "dead_letter": "dead letter of a run"}

Row = TypeVar("Row", bound=msgspec.Struct)


class _Named(msgspec.Struct):
    id: str


class _Process(msgspec.Struct):
    name: str
    origin: str
    signer: str | None
    path: str | None


class _Parent(msgspec.Struct):
    name: str | None


class _Destination(msgspec.Struct):
    host: str | None


class AlertRow(msgspec.Struct):
    """What of an alert says which event it is about (specification, section 8)."""

    timestamp: datetime
    host: _Named
    service: _Named
    user_name: str | None
    process: _Process
    parent: _Parent
    destination: _Destination

    @property
    def exception_values(self) -> dict[str, str | None]:
        """Field of an exception -> the event's value."""
        return {
            "process_name": self.process.name,
            "origin": self.process.origin,
            "signer": self.process.signer,
            "service_id": self.service.id,
            "host_id": self.host.id,
            "user_name": self.user_name,
            "process_path": self.process.path,
            "parent_process_name": self.parent.name,
            "remote_host": self.destination.host,
        }


def read_verdicts(run: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The verdict rows of a run's folder, some at a time.

    Args:
        run: the `--output` of a backfill or stream, on any file system.
        schema: the columns that are wanted, all of which every row must have.

    Raises:
        ConfigurationError: there are none, or a file holds something else; names the file.
    """
    run_folder(run).settle()
    paths = files_of(run, "verdicts")
    require(paths, f"--run {run}: no verdicts/*.jsonl there: give the --output of a run that had --verdicts")
    for path in paths:
        try:
            with open_binary(path) as stream:
                if stream.peek(1):
                    yield from _batches(path, pj.open_json(stream, *_options(schema)))
        except (pa.ArrowException, OSError, UnicodeDecodeError, UnreadableInput) as error:
            raise _wrong(path, error) from None


def _options(schema: pa.Schema) -> tuple[pj.ReadOptions, pj.ParseOptions]:
    return (
        pj.ReadOptions(block_size=_BLOCK_BYTES),
        pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _batches(path: str, reader: pj.JSONStreamingReader) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            known = name == DUPLICATE_OF or not column.null_count
            require(known, f"{path}: a row has no {name}, so it is no verdict row of a run")
        yield batch


def read_rows(run: str, name: str, kind: type[Row]) -> Iterator[Row]:
    """The alerts or the dead letters in a run's folder, as far as they are wanted.

    Args:
        run: the `--output` of a backfill or stream, on any file system.
        name: `alerts` or `dead_letter`.
        kind: the fields that are wanted; a row must have all of them.

    Raises:
        ConfigurationError: a line is no such row; names the file and the line.
    """
    decoder = msgspec.json.Decoder(kind)
    for where, line in read_lines(run, name):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{where}: no {_ROWS[name]}: {error}") from None


def read_lines(run: str, name: str) -> Iterator[tuple[str, bytes]]:
    """The lines in one of a run's folders, each with the file and the line's number in words.

    Raises:
        ConfigurationError: a file cannot be read, or a line is too long; names it.
    """
    for path in files_of(run, name):
        try:
            with open_binary(path) as stream:
                for number, line in enumerate(iter(lambda: stream.readline(_LINE_BYTES + 1), b""), 1):
                    where = f"{path}, line {number}"
                    require(len(line) <= _LINE_BYTES, f"{where}: longer than {_LINE_BYTES:,} bytes: no row of a run")
                    yield where, line
        except (OSError, UnreadableInput) as error:
            raise _wrong(path, error) from None


def files_of(run: str, name: str) -> list[str]:
    """The files of lines in one of a run's folders.

    Raises:
        ConfigurationError: the file system cannot look them up.
    """
    folder = join(run, name)
    return [join(folder, file) for file in list_folder(folder, option="--run") if file.endswith(".jsonl")]


def _wrong(path: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{path}: cannot be read as rows of a run: {' '.join(str(error).split())}")
