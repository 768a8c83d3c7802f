"""Windows event logs of any events, as small as they can be: one chunk, no templates.

Source: libyal, "Windows XML Event Log (EVTX) format"; [MS-EVEN6], 2.2.12 to 2.2.17 (BinXml).
"""

from __future__ import annotations

import struct
import zlib
from xml.etree.ElementTree import Element, fromstring

CHUNK_BYTES = 1 << 16
HEADER_BYTES = 1 << 12
_RECORDS_AT = 512
_NOW = 134_170_056_000_000_000
"""A FILETIME of 2026."""


def event_log(*chunks: list[str]) -> bytes:
    """A log whose chunks hold events, each as XML without a namespace."""
    written = [_chunk(events, number) for number, events in enumerate(chunks)]
    header = b"ElfFile\0" + struct.pack("<QQQIHHHH", 0, len(chunks) - 1, 1000, 128, 1, 3, HEADER_BYTES, len(chunks))
    header = header.ljust(120, b"\0")
    header += struct.pack("<II", 0, zlib.crc32(header))
    return header.ljust(HEADER_BYTES, b"\0") + b"".join(written)


def _chunk(events: list[str], number: int) -> bytes:
    records, last = b"", 0
    for place, event in enumerate(events):
        last = _RECORDS_AT + len(records)
        records += _record(event, number * 100 + place + 1, last)
    first, end = number * 100 + 1, number * 100 + len(events)
    free = _RECORDS_AT + len(records)
    header = b"ElfChnk\0" + struct.pack("<QQQQIIII", first, end, first, end, 128, last, free, zlib.crc32(records))
    header = header.ljust(120, b"\0")
    tables = bytes(_RECORDS_AT - 128)
    return (header + struct.pack("<II", 0, zlib.crc32(header + tables)) + tables + records).ljust(CHUNK_BYTES, b"\0")


def _record(event: str, number: int, at: int) -> bytes:
    body = b"\x0f\1\1\0" + _element(fromstring(event), at + 28) + b"\0"
    size = 28 + len(body)
    return struct.pack("<IIQQ", 0x2A2A, size, number, _NOW) + body + struct.pack("<I", size)


def _element(element: Element, at: int) -> bytes:
    """An element that begins at a place of its chunk."""
    token = 0x41 if element.attrib else 0x01
    begin = 9  # token, size, where the name is
    made = _name(element.tag, at + begin)
    if element.attrib:
        attributes = b""
        for left, (name, value) in zip(range(len(element.attrib), 0, -1), element.attrib.items(), strict=True):
            place = at + begin + len(made) + 4 + len(attributes) + 5
            attributes += struct.pack("<BI", 0x46 if left > 1 else 0x06, place) + _name(name, place) + _text(value)
        made += struct.pack("<I", len(attributes)) + attributes
    made += b"\x02"
    if (element.text or "").strip():
        made += _text(element.text or "")
    for child in element:
        made += _element(child, at + begin + len(made))
    made += b"\x04"
    return struct.pack("<BII", token, len(made) + 4, at + begin) + made


def _name(name: str, at: int) -> bytes:
    assert at > _RECORDS_AT
    return struct.pack("<IHH", 0, 0, len(name)) + name.encode("utf-16-le") + b"\0\0"


def _text(text: str) -> bytes:
    return struct.pack("<BBH", 0x05, 0x01, len(text)) + text.encode("utf-16-le")
