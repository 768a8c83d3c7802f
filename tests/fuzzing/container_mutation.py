"""Mutations of files of every container: some bytes, or pieces that come twice, go or change places."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzzing.line_mutation import Bytewise
from tests.fuzzing.vocabulary import Vocabulary, record
from tests.pipeline.sources.files.containers.event_log_writer import event_log

PIECES: Final[dict[str, tuple[bytes, ...]]] = {
    "json_values": (
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b"\n",
        b'"',
        b"\\",
        b'{"a":1}',
        b"[[",
        b"null",
        b"\x1e",
        b"\xff",
        b"  {",
    ),
    "csv": (b",", b";", b"\t", b'"', b'""', b"\r\n", b"\n", b"\0", b"sep=;\n", b"\xff\xfe", b"_raw,", b"|"),
    "event_elements": (
        b"<Event>",
        b"</Event>",
        b"<Events>",
        b"<Data Name='a'>",
        b"</Data>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<!DOCTYPE a [<!ENTITY b 'b'>]>",
        b"&b;",
        b"<?xml version='1.0' encoding='windows-1252'?>",
        b"\xff\xfe",
        b"xmlns='x'",
    ),
}
"""Container -> what is put into its files."""


def mutate_container(data: bytes, size: int, random: Random, bytewise: Bytewise, pieces: Sequence[bytes]) -> bytes:
    """Changes a file of a container."""
    for _ in range(random.choice((1, 1, 2, 4))):
        first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
        choice = random.random()
        if choice < 0.5 and data:
            data = bytewise(data, size)
        elif choice < 0.7 and pieces:
            data = data[:first] + random.choice(pieces) + data[first:]
        elif choice < 0.8:
            data = data[:last] + data[first:]
        elif choice < 0.9:
            data = data[:first] + data[last:]
        else:
            data = data[:first] + bytes(random.randrange(64)) + data[first:]
    return data[:size]


def seed_of(container: str, random: Random, vocabulary: Vocabulary) -> bytes:
    """A file of a container with a few records."""
    return _SEEDS[container](random, [record(random, vocabulary) for _ in range(random.randrange(1, 4))])


def _json_values(random: Random, rows: list[dict[str, Any]]) -> bytes:
    if random.random() < 0.5:
        return json.dumps(rows, indent=random.choice((None, 0, 2))).encode()
    return "\n".join(json.dumps(row, indent=1) for row in rows).encode()


def _flat(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    names = sorted({name for row in rows for name in row}) or ["a"]
    return [{name: json.dumps(row[name]) if name in row else "" for name in names} for row in rows]


def _csv(random: Random, rows: list[dict[str, Any]]) -> bytes:
    delimiter = random.choice(",;\t|")
    flat = _flat(rows)
    lines = [list(flat[0]), *[list(row.values()) for row in flat]]
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    return "\r\n".join(quoted).encode(random.choice(("utf-8", "utf-16")), "replace")


def _event(row: dict[str, str]) -> str:
    data = "".join(f"<Data Name='{name}'>{_escaped(value)}</Data>" for name, value in row.items() if name.isalnum())
    return (
        "<Event><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>3</EventID><Computer>h</Computer></System>"
        f"<EventData>{data}</EventData></Event>"
    )


def _escaped(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)[:200]
    return plain.replace("&", "&amp;").replace("<", "&lt;")


def _events(random: Random, rows: list[dict[str, Any]]) -> bytes:
    text = "\n".join(map(_event, _flat(rows)))
    return (f"<Events>{text}</Events>" if random.random() < 0.5 else text).encode("utf-8", "replace")


def _log(random: Random, rows: list[dict[str, Any]]) -> bytes:
    return event_log([_event(row) for row in _flat(rows)])


def _avro(random: Random, rows: list[dict[str, Any]]) -> bytes:
    flat = [{f"f{n}": value for n, value in enumerate(row.values())} for row in _flat(rows)]
    fields = [{"name": name, "type": ["null", "string"]} for name in flat[0]]
    sink = io.BytesIO()
    codec = random.choice(("null", "deflate", "bzip2", "xz"))
    fastavro.writer(sink, {"type": "record", "name": "r", "fields": fields}, flat, codec=codec)
    return sink.getvalue()


def _parquet(random: Random, rows: list[dict[str, Any]]) -> bytes:
    nested = [{"DeviceId": "d", "inner": [{"a": name, "t": random.randrange(1 << 40)} for name in row]} for row in rows]
    table = pa.table(pa.Table.from_pylist([{**flat, **row} for flat, row in zip(_flat(rows), nested, strict=True)]))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=random.choice(("none", "zstd", "snappy")))
    return sink.getvalue()


def _packed(random: Random, rows: list[dict[str, Any]]) -> bytes:
    text = "\n".join(map(json.dumps, rows)).encode()
    kind = random.randrange(4)
    if kind == 0:
        return bz2.compress(text) + bz2.compress(text)
    if kind == 1:
        return lzma.compress(text) + lzma.compress(text)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for number in range(kind):
            archive.writestr(f"m{number}", text)
    return sink.getvalue()


_SEEDS: Final[dict[str, Callable[[Random, list[dict[str, Any]]], bytes]]] = {
    "json_values": _json_values,
    "csv": _csv,
    "event_elements": _events,
    "event_log": _log,
    "avro": _avro,
    "vendor_parquet": _parquet,
    "packed": _packed,
}
CONTAINERS: Final = tuple(_SEEDS)
