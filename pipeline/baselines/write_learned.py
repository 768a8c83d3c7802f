"""What a stream learns as a sink: Parquet files by day, as `schemas.learned` describes them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import join
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import FixedWindows
from apache_beam.utils.timestamp import Timestamp

from uncommon_im.pipeline.storage.listing import exists
from uncommon_im.pipeline.storage.table_folder import TableFolder
from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.learned import COMPLETE, LEARNED, STREAM, StreamMetadata
from uncommon_im.transforms.batch.keep_starts import keeper_of
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US, day_of
from uncommon_im.transforms.rules.instances.packed import PackedRow, unpack_rows
from uncommon_im.transforms.rules.stream.codec import Codec
from uncommon_im.transforms.rules.stream.lateness import SETTLED_MS, Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Covered, SaidBefore, Sighting, Starts, host_of
from uncommon_im.transforms.rules.verdicts.judgement import DEDUPLICATION_KEY

_AFTER_MS: Final = {"sightings": SETTLED_MS, "coverage": 0, "said": SETTLED_MS + 2, "starts": 0, COMPLETE: 10}
"""How long after the end of a day something of it may still leave a step: less than this. What is of the next day and
leaves within it is written with the day before: readers look at the rows (`read_learned`)."""
SHARDS: Final = 8
"""Files per table and day."""
_STARTS: Final[Codec[PackedRow]] = Codec(PackedRow)


@dataclass
class WriteLearned(beam.PTransform):
    """What a stream learned -> Parquet files by the day on which it became known.

    A day is written when the watermark passes its end and the allowed lateness: nothing in it can be late, for what
    leaves the steps is stamped with the instant from which it counts. A retry writes the same files again.

    Args:
        path: the directory.
        lateness: of the stream.
        first: day number of the first day that is written: what is older came from a snapshot.
        alerts_written: names of files of alerts, so that a day counts as complete only after its alerts.
        catalogue: how executions and secrets in command lines of starts are recognised.
        shards: files per table and day.
    """

    path: str
    lateness: Lateness
    first: int
    alerts_written: beam.PCollection[str]
    catalogue: Catalogue
    shards: int = SHARDS

    def expand(self, learned: Mapping[str, beam.PCollection[tuple[str, bytes]]]) -> beam.PCollection[str]:
        """Takes "sightings", "coverage", "said" and "starts"; yields the names of days that are complete."""
        written = [
            learned[table]
            | f"Write_{table}" >> _WriteTable(table, self.path, self.lateness, self.first, self.shards, self.catalogue)
            for table in LEARNED
        ]
        files = dict(zip((*LEARNED, "alerts"), (*written, self.alerts_written), strict=True))
        by_day = [names | f"ByDay_{name}" >> _days(self.lateness, COMPLETE) for name, names in files.items()]
        return (
            by_day
            | "AllFiles" >> beam.Flatten()
            | "OneKey" >> beam.Map(_under, 0).with_output_types(tuple[int, str])
            | "Join" >> beam.GroupByKey()
            | "Complete" >> beam.Map(_complete, self.path, self.lateness.allowed).with_output_types(str)
        )


@dataclass
class _WriteTable(beam.PTransform):
    table: str
    path: str
    lateness: Lateness
    first: int
    shards: int
    catalogue: Catalogue

    def expand(self, messages: beam.PCollection[tuple[str, bytes]]) -> beam.PCollection[str]:
        return (
            messages
            | "Rows"
            >> beam.FlatMap(by_shard, self.first, self.shards, self.lateness).with_output_types(tuple[int, bytes])
            | "ByDay" >> _days(self.lateness, self.table)
            | "Join" >> beam.GroupByKey()
            | "Write"
            >> beam.Map(_write, self.table, self.path, self.lateness.allowed, self.catalogue).with_output_types(str)
        )


def _days(lateness: Lateness, what: str) -> beam.WindowInto:
    return beam.WindowInto(FixedWindows(DAY_US // SECOND_US, Timestamp(micros=_offset(what, lateness))))


def _offset(what: str, lateness: Lateness) -> int:
    return lateness.allowed + _AFTER_MS[what] * 1000


def _under(value: str, key: int) -> tuple[int, str]:
    return key, value


def by_shard(keyed: tuple[str, bytes], first: int, shards: int, lateness: Lateness) -> Iterator[tuple[int, bytes]]:
    """What a message, given with its key, says under its shard, unless it is of a day that a snapshot holds."""
    key, data = keyed
    message, shard = MESSAGES.decode(data), zlib.crc32(key.encode()) % shards
    if isinstance(message, Starts):
        if lateness.day_known(message.instants[0]) < first:  # those of a message became known on the same day
            return
        tenant, host = host_of(key)
        for guid, time, content in zip(message.guids, message.times, message.contents, strict=True):
            yield shard, _STARTS.encode(PackedRow(tenant, host, guid, time, content))
    elif not isinstance(message, Sighting | Covered) or message.known >= first:
        yield shard, data


def _write(
    shard: tuple[int, Iterable[bytes]],
    table: str,
    path: str,
    allowed: int,
    catalogue: Catalogue,
    window: Any = beam.DoFn.WindowParam,
) -> str:
    return write_part(path, table, _day(window, allowed), *shard, catalogue)


def write_part(path: str, table: str, day: int, shard: int, messages: Iterable[bytes], catalogue: Catalogue) -> str:
    """Writes what one shard of a table says of a day (number); the name of the file."""
    rows = _kept(set(messages), catalogue) if table == "starts" else _rows(table, messages)
    return TableFolder(path, STREAM).write(f"{day_of(day)}/{table}", shard, rows)


def _kept(starts: Iterable[bytes], catalogue: Catalogue) -> pa.Table:
    """Starts of processes as snapshots keep them."""
    return keeper_of(catalogue).kept(unpack_rows([_STARTS.decode(start) for start in starts]))


def _rows(table: str, messages: Iterable[bytes]) -> pa.Table:
    distinct = set(messages) if table == "sightings" else messages  # several blocks may show the same hour of the day
    schema = LEARNED[table]
    return pa.Table.from_pylist([_values(MESSAGES.decode(message), schema.names) for message in distinct], schema)


def _values(message: Any, names: list[str]) -> dict[str, Any]:
    key = dict(zip(DEDUPLICATION_KEY, message.key, strict=True)) if isinstance(message, SaidBefore) else {}
    return key | {name: getattr(message, name) for name in names if name not in key}


def _complete(files: tuple[int, Iterable[str]], path: str, allowed: int, window: Any = beam.DoFn.WindowParam) -> str:
    return finish_day(path, _day(window, allowed), files[1])


def finish_day(path: str, day: int, files: Iterable[str]) -> str:
    """Says that a day (number) is complete, and which of some files are its own; the name of the marker."""
    name = f"{day_of(day)}/{COMPLETE}"
    own = sorted(file for file in files if file.endswith(".parquet"))
    TableFolder(path, name).finish(json.dumps({"files": own}, indent=2) + "\n")
    return name


def _day(window: Any, allowed: int) -> int:
    """The day (number) of a window of a day."""
    return int((window.start.micros - allowed) // DAY_US)


def day_written(instant: int, table: str, lateness: Lateness) -> int:
    """The day (number) with which that is written of a table which counts from an instant (ms) on."""
    return (instant * 1000 - _offset(table, lateness)) // DAY_US


def day_over(day: int, lateness: Lateness) -> int:
    """The watermark (ms) from which on a day (number) can be written: nothing of it can come any more."""
    return ((day + 1) * DAY_US + _offset(COMPLETE, lateness)) // 1000


def begin_learned(path: str, metadata: StreamMetadata) -> None:
    """Says in a directory which stream writes to it; a stream that goes on from a snapshot keeps what is there.

    Raises:
        ConfigurationError: another kind of stream wrote there.
    """
    folder = TableFolder(path, STREAM)
    if exists(join(path, STREAM), "--sightings-out"):
        unreadable = f"--sightings-out {path}: {STREAM} cannot be read: give the stream a directory of its own"
        before = StreamMetadata.parse(folder.read_metadata(unreadable), path)
        require(
            before.same_subjects(metadata),
            f"--sightings-out {path}: another stream wrote there, with other limits, another time zone or another "
            "catalogue: give this one a directory of its own",
        )
        if metadata.started_from is not None:
            return
    folder.finish(metadata.to_json())
