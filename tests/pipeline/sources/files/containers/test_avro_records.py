"""Avro files of any schema are records; hostile ones are one clear line and take bounded memory."""

from __future__ import annotations

import io
import json
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from tests.pipeline.sources.files.samples import ROWS, avro_of, read, read_and_valid, said
from uncommon_im.pipeline.sources.files.containers.avro_records import avro_items
from uncommon_im.pipeline.sources.files.containers.gathering import Item

NOW = datetime(2026, 3, 3, 10, 0, 0, 123000, UTC)
CODECS = ["null", "deflate", "bzip2", "xz", "zstandard", "snappy"]


def items(data: bytes) -> list[Item]:
    return list(avro_items(io.BufferedReader(io.BytesIO(data))))  # type: ignore[arg-type]


def of_type(kind: Any, value: object) -> object:
    """What a value becomes in JSON."""
    schema = {"type": "record", "name": "r", "fields": [{"name": "v", "type": kind}]}
    (item,) = items(avro_of([{"v": value}], schema))
    assert isinstance(item, bytes)
    return json.loads(item).get("v")


def raw_file(schema: object, count: int, block: bytes, codec: bytes = b"null") -> bytes:
    """A file of one block that says of itself what it likes."""
    sink = io.BytesIO(b"")
    sink.write(b"Obj\x01")
    meta = {"avro.schema": json.dumps(schema).encode(), "avro.codec": codec}
    fastavro.schemaless_writer(sink, {"type": "map", "values": "bytes"}, meta)
    sink.write(b"s" * 16)
    fastavro.schemaless_writer(sink, "long", count)
    fastavro.schemaless_writer(sink, "long", len(block))
    return sink.getvalue() + block + b"s" * 16


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec not in ("zstandard", "snappy")])
def test_every_codec_is_read(codec: str) -> None:
    assert read_and_valid(read(avro_of(codec=codec))) == (2, 2)


def test_codecs_that_the_writer_lacks_are_read_too() -> None:
    import pyarrow as pa

    row = io.BytesIO()
    schema = {"type": "record", "name": "r", "fields": [{"name": "v", "type": "string"}]}
    fastavro.schemaless_writer(row, schema, {"v": "x" * 500})
    snappy = pa.Codec("snappy").compress(row.getvalue(), asbytes=True) + zlib.crc32(row.getvalue()).to_bytes(4, "big")
    zstandard = pa.Codec("zstd").compress(row.getvalue(), asbytes=True)
    for codec, block in ((b"snappy", snappy), (b"zstandard", zstandard)):
        assert items(raw_file(schema, 1, block, codec)) == [b'{"v":"' + b"x" * 500 + b'"}']


def test_a_capture_of_a_queue_has_its_body_as_text() -> None:
    fields = [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Properties", "type": {"type": "map", "values": ["long", "string", "bytes"]}},
        {"name": "Body", "type": ["null", "bytes"]},
    ]
    body = json.dumps({"records": ROWS}, ensure_ascii=False)
    row = {"SequenceNumber": 7, "Properties": {"a": 1}, "Body": body.encode()}
    (item,) = items(avro_of([row], {"type": "record", "name": "EventData", "fields": fields}))
    assert isinstance(item, bytes)
    assert json.loads(item) == {"SequenceNumber": 7, "Properties": {"a": 1}, "Body": body}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ({"type": "long", "logicalType": "timestamp-micros"}, NOW, "2026-03-03T10:00:00.123000Z"),
        ({"type": "long", "logicalType": "timestamp-millis"}, NOW, "2026-03-03T10:00:00.123000Z"),
        ({"type": "int", "logicalType": "date"}, date(2026, 3, 3), "2026-03-03"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Decimal("1.50"), "1.50"),
        ("bytes", b"\xff\xc3\xa4", "\ufffdä"),
        ("double", float("nan"), None),
        ({"type": "array", "items": ["null", "string"]}, ["a", None], ["a", None]),
        ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, "B", "B"),
        (["null", "string"], None, None),
    ],
)
def test_values_become_json(kind: Any, value: object, expected: object) -> None:
    assert of_type(kind, value) == expected


RECORD = {"type": "record", "name": "r", "fields": [{"name": "v", "type": "string"}]}
NOTHING = {"type": "record", "name": "n", "fields": [{"name": "v", "type": "null"}]}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Obj\x01", "it cannot be read as Avro: "),
        (avro_of()[:40], "it cannot be read as Avro: "),
        (b"Obj\x01" + b"\xfe" * 9 + b"\x01", "it cannot be read as Avro: "),
        (raw_file({"type": "nonsense"}, 1, b""), "it cannot be read as Avro: "),
        (raw_file(RECORD, 1, b"\0", b"lzo"), "it cannot be read as Avro: its codec lzo is not read"),
        (raw_file(RECORD, 10**15, b"\0"), "a block claims 1,000,000,000,000,000 records in 1 bytes"),
        (raw_file(RECORD, -1, b"\0"), "a block claims -1 records in 1 bytes"),
        (raw_file({"type": "array", "items": "null"}, 1, b"\0"), "it cannot be read as Avro: it has lists of values"),
        (raw_file({"type": "array", "items": NOTHING}, 1, b"\0"), "it cannot be read as Avro: it has lists of values"),
        (
            raw_file({"type": "record", "name": "r", "fields": [{"name": "v", "type": ["null", "r"]}]}, 1, b"\0"),
            "it cannot be read as Avro: its type r holds itself",
        ),
        (
            raw_file(RECORD, 1, zlib.compress(bytes(200_000_000), 9)[2:-4], b"deflate"),
            "a block takes more than 134,217,728 bytes when it is decompressed",
        ),
        (
            raw_file(RECORD, 1, b"\xff\xff\xff\xff\x0f" + bytes(9), b"snappy"),
            "a block takes more than 134,217,728 bytes",
        ),
        (raw_file(RECORD, 1, b"\0")[:-1] + b"t", "a block is cut or damaged"),
        (avro_of()[:-20], "a block is cut or damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_file_is_one_clear_line(data: bytes, problem: str) -> None:
    (letter,) = read(data).letters
    assert letter.detail.startswith(f"cannot be read from record 1 on: {problem}")


def test_records_before_a_damaged_one_are_read_and_so_are_the_other_blocks() -> None:
    good = io.BytesIO()
    fastavro.schemaless_writer(good, RECORD, {"v": "a"})
    file = raw_file(RECORD, 2, good.getvalue() + b"\x7f")
    another = raw_file(RECORD, 1, good.getvalue())
    whole = file + another[len(raw_file(RECORD, 1, b"")) - 18 :]
    outcome = read(whole)
    problem = next(detail for _, detail in said(outcome) if "cannot be read" in detail)
    assert problem.startswith("cannot be read from record 2 on: 1 records of a block: ")
    assert outcome.read == 3
