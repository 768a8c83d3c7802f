"""Records in text: JSON, an event's XML, a line of syslog around either (`schemas.envelopes`)."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from uncommon_im.transforms.rules.columns.json_lines import parse_value
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.event_xml import event_record

MOST_BYTES: Final = 1 << 24
"""Text that a record may hold in compressed form, as much as a line may have."""

_GZIP: Final = b"\x1f\x8b"
_BEGINNING: Final = re.compile(r'\{\s*"|<Event[\s>]')
"""Where a record may begin in a line of syslog."""
_XML: Final = re.compile(r"<(?:\?xml|Event[\s>])")


def objects_in(text: str) -> list[object] | Rejection | None:
    """What a text holds: one value, the items of a list, or a value a line.

    Returns:
        The values; why they cannot be read, if the text looks as if it held some; `None` if it does not.
    """
    text = text.strip().removeprefix("\ufeff")
    if text[:1] in ("{", "["):
        return _json_values(text)
    if _XML.match(text):
        return _event(text)
    beginning = _BEGINNING.search(text)
    if beginning is None:
        return None
    found = objects_in(text[beginning.start() :])
    return None if isinstance(found, Rejection) else found


def decoded(text: str) -> str | Rejection:
    """Text that is encoded as base64, and perhaps compressed by gzip; text that is neither stays."""
    try:
        content = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return text
    if content.startswith(_GZIP):
        unzip = zlib.decompressobj(wbits=31)
        try:
            content = unzip.decompress(content, MOST_BYTES)
        except zlib.error as error:
            return Rejection("malformed", f"its compressed text is damaged: {error}")
        if unzip.unconsumed_tail:
            return Rejection("malformed", f"its compressed text is longer than {MOST_BYTES:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return text


def _json_values(text: str) -> list[object] | Rejection:
    value = parse_value(text.encode("utf-8", "surrogatepass"))
    if not isinstance(value, Rejection):
        return value if isinstance(value, list) else [value]
    lines = [line for line in text.splitlines() if line and not line.isspace()]
    if len(lines) < 2:
        return value
    values = [parse_value(line.encode("utf-8", "surrogatepass")) for line in lines]
    broken = isinstance(values[0], Rejection)
    return value if broken else [_or(each, line) for each, line in zip(values, lines, strict=True)]


def _or(value: object, line: str) -> object:
    """A value; of a line that is none the line itself, which is no record either."""
    return line if isinstance(value, Rejection) else value


def _event(text: str) -> list[object] | Rejection:
    record = event_record(text)
    return record if isinstance(record, Rejection) else [record]
