"""Mutations of JSON lines that know lines, values and the fields of a format."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from random import Random
from typing import Final

import zstandard

from tests.fuzzing.vocabulary import ODD, Vocabulary, line

Bytewise = Callable[[bytes, int], bytes]
"""Mutates bytes to at most so many, as the fuzzer's engine does."""

_VALUE: Final = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[\]|\{\}')
_MOST: Final = 1 << 16


def mutate_lines(data: bytes, size: int, random: Random, bytewise: Bytewise, vocabulary: Vocabulary) -> bytes:
    """Changes a value, some lines, or some bytes."""
    for _ in range(random.choice((1, 1, 2, 4))):
        choice = random.random()
        if choice < 0.35 and data:
            data = bytewise(data, size)
        elif choice < 0.75 and data:
            data = _with_other_value(data, random, vocabulary)
        else:
            data = _with_other_lines(data, random, vocabulary)
    return data[:size]


def mutate_file(data: bytes, size: int, random: Random, bytewise: Bytewise, vocabulary: Vocabulary) -> bytes:
    """Changes a compressed file's text, and now and then its bytes; the first byte says how it is compressed."""
    kind, content = (data[0], data[1:]) if data else (random.randrange(3), b"")
    if random.random() < 0.3:
        return bytewise(data, size) if data else b"\0"
    if random.random() < 0.1:
        kind = random.randrange(3)
    text = mutate_lines(unpacked(content), size, random, bytewise, vocabulary)
    packed = pack(text, kind, random)
    if kind % 3 and random.random() < 0.2:
        packed = packed[: random.randrange(len(packed) + 1)]
    return (bytes((kind,)) + packed)[:size]


def unpacked(content: bytes) -> bytes:
    """The text of a compressed file as far as it can be read, of any other the file itself; at most 64 kB."""
    try:
        if content.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, _MOST)
        if content.startswith(b"\x28\xb5\x2f\xfd"):
            with zstandard.ZstdDecompressor(max_window_size=1 << 22).stream_reader(content) as stream:
                return stream.read(_MOST)
    except (zlib.error, zstandard.ZstdError):
        return b""
    return content


def pack(text: bytes, kind: int, random: Random) -> bytes:
    """A file of a text, in one member or several."""
    cut = random.randrange(len(text) + 1) if random.random() < 0.3 else len(text)
    parts = [text[:cut], text[cut:]] if cut < len(text) else [text]
    if kind % 3 == 1:
        return b"".join(gzip.compress(part, random.choice((0, 1, 9)), mtime=0) for part in parts)
    if kind % 3 == 2:
        packer = zstandard.ZstdCompressor(
            level=random.choice((1, 19)), write_checksum=random.random() < 0.5, write_content_size=random.random() < 0.5
        )
        return b"".join(map(packer.compress, parts))
    return text


def _with_other_value(data: bytes, random: Random, vocabulary: Vocabulary) -> bytes:
    """One value or key of one line replaced by an odd one, or by another of the data."""
    place = _VALUE.search(data, random.randrange(len(data))) or _VALUE.search(data)
    if place is None:
        return data
    other: bytes
    if random.random() < 0.6:
        other = random.choice(ODD).encode()
    elif found := _VALUE.search(data if random.random() < 0.5 else line(random, vocabulary), random.randrange(100)):
        other = found.group()
    else:
        other = b"{}"
    return data[: place.start()] + other + data[place.end() :]


def _with_other_lines(data: bytes, random: Random, vocabulary: Vocabulary) -> bytes:
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    action = random.randrange(6)
    if action < 3:
        lines.insert(at, line(random, vocabulary))
    elif action == 3:
        del lines[at]
    elif action == 4:
        lines.insert(at, random.choice(lines))
    else:
        lines[at] = random.choice((b"", b" ", b"\r", b"\xef\xbb\xbf", b"[1]", b'"', b"\xff")) + lines[at]
    return b"\n".join(lines)
