"""Records of Avro files: `fastavro` reads schema and values, blocks are decompressed here in bounded memory.

Source: Apache Avro 1.12 specification, "Object Container Files".
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException

from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Damage, Item
from uncommon_im.pipeline.sources.files.containers.values import json_line
from uncommon_im.pipeline.sources.files.decompressing import DAMAGE

MAX_BLOCK_BYTES: Final = 1 << 27
"""What a block may be, as it lies in the file and decompressed; writers make blocks of 16 KiB to some MiB."""
_SYNC_BYTES: Final = 16
_CHECKSUM_BYTES: Final = 4
_ERRORS: Final[tuple[type[Exception], ...]] = (
    *DAMAGE,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RecursionError,
    AttributeError,
    SchemaParseException,
)
"""What `fastavro` raises of bytes that are no values of a schema."""


def avro_items(stream: io.BufferedReader) -> Iterator[Item]:
    """The records of a file, whatever their schema is.

    Raises:
        OSError: it is no Avro file, or one that would take more memory than its size lets expect.
    """
    header = _header(stream)
    while (block := _block(stream, header)) is not None:
        yield from _records(block, header)


class _Header(NamedTuple):
    schema: Any
    decompress: Callable[[bytes], bytes]
    sync: bytes


class _Block(NamedTuple):
    records: int
    data: bytes


_META: Final = {"type": "map", "values": "bytes"}


def _header(stream: io.BufferedReader) -> _Header:
    try:
        if stream.read(4) != b"Obj\x01":
            raise OSError("its first bytes are others")
        meta = fastavro.schemaless_reader(_Bounded(stream), _META, None)
        schema = json.loads(meta["avro.schema"])
        _require_bounded(schema, set())
        codec = meta.get("avro.codec", b"null").decode()
        if codec not in _CODECS:
            raise OSError(f"its codec {codec[:40]} is not read: known are {', '.join(_CODECS)}")
        return _Header(fastavro.parse_schema(schema), _CODECS[codec], stream.read(_SYNC_BYTES))
    except _ERRORS as error:
        raise OSError(f"it cannot be read as Avro: {' '.join(str(error).split()) or type(error).__name__}") from error


class _Bounded:
    """A stream of which nobody reads more than a block may be."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_BLOCK_BYTES:
            raise OSError(f"a part of it claims {size:,} bytes, more than {MAX_BLOCK_BYTES:,}")
        return self._stream.read(size)


def _require_bounded(schema: Any, names: set[str]) -> None:
    """Raises `OSError` for schemas whose values may be more than their bytes: of themselves, or lists of nothing."""
    if isinstance(schema, list):
        for branch in schema:
            _require_bounded(branch, names)
    elif isinstance(schema, str):
        if schema.rpartition(".")[2] in names:
            raise OSError(f"its type {schema[:80]} holds itself")
    elif isinstance(schema, dict):
        name = str(schema.get("name", "")).rpartition(".")[2]
        inside = names | {name} if name else names
        kind = schema.get("type")
        if kind == "array" and _may_be_nothing(schema.get("items")):
            raise OSError("it has lists of values that take no bytes")
        for field in schema.get("fields") or ():
            _require_bounded(field.get("type"), inside)
        for inner in (schema.get("items"), schema.get("values"), kind):
            _require_bounded(inner, inside)


def _may_be_nothing(schema: Any) -> bool:
    """True if a value may take no byte at all."""
    kind = schema.get("type") if isinstance(schema, dict) else schema
    if isinstance(kind, (dict, list)) and isinstance(schema, dict):
        return _may_be_nothing(kind)
    if kind == "record":
        return all(_may_be_nothing(field.get("type")) for field in schema.get("fields") or ())
    return kind == "null" or (kind == "fixed" and not schema.get("size"))


def _block(stream: io.BufferedReader, header: _Header) -> _Block | None:
    """The next block, decompressed; `None` at the end."""
    if not stream.peek(1):
        return None
    count, size = _long(stream), _long(stream)
    data = _Bounded(stream).read(size)
    if len(data) < size or stream.read(_SYNC_BYTES) != header.sync:
        raise OSError("a block is cut or damaged")
    data = header.decompress(data)
    if not 0 <= count <= max(len(data), 1):
        raise OSError(f"a block claims {count:,} records in {len(data):,} bytes")
    return _Block(count, data)


def _long(stream: io.BufferedReader) -> int:
    try:
        return int(fastavro.schemaless_reader(_Bounded(stream), "long", None))
    except _ERRORS as error:
        raise OSError("a block is cut or damaged") from error


def _records(block: _Block, header: _Header) -> Iterator[Item]:
    values = io.BytesIO(block.data)
    for number in range(block.records):
        try:
            record = fastavro.schemaless_reader(values, header.schema, None)
        except _ERRORS as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            yield Damage(f"{block.records - number:,} records of a block: {reason}")
            return
        if isinstance(record, dict):
            yield json_line(record)
        else:
            yield Broken(f"a record is an Avro {type(record).__name__}, expected a record", str(record)[:80])


def _bounded(data: bytes, more: bytes = b"") -> bytes:
    if len(data) > MAX_BLOCK_BYTES or more:
        raise OSError(f"a block takes more than {MAX_BLOCK_BYTES:,} bytes when it is decompressed")
    return data


def _deflated(data: bytes) -> bytes:
    return _bounded(zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MAX_BLOCK_BYTES + 1))


def _bzip2(data: bytes) -> bytes:
    return _bounded(bz2.BZ2Decompressor().decompress(data, MAX_BLOCK_BYTES + 1))


def _xz(data: bytes) -> bytes:
    return _bounded(lzma.LZMADecompressor(memlimit=MAX_BLOCK_BYTES).decompress(data, MAX_BLOCK_BYTES + 1))


def _zstandard(data: bytes) -> bytes:
    return _bounded(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read(MAX_BLOCK_BYTES + 1))


def _snappy(data: bytes) -> bytes:
    size = shift = 0
    for byte in data[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > MAX_BLOCK_BYTES:
        raise OSError(f"a block takes more than {MAX_BLOCK_BYTES:,} bytes when it is decompressed")
    return bytes(pa.Codec("snappy").decompress(data[:-_CHECKSUM_BYTES], size, asbytes=True))


_CODECS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "null": _bounded,
    "deflate": _deflated,
    "snappy": _snappy,
    "zstandard": _zstandard,
    "bzip2": _bzip2,
    "xz": _xz,
}
