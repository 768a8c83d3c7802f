"""Text that says the same in another form: base64, and what a shell removes before a program sees its arguments."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ENCODED: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_STANDARD: Final = str.maketrans("-_", "+/")
_SAMPLE: Final = 32
"""Bytes at the beginning that show whether decoded data is text."""
_TEXT_BYTES: Final = bytes([*range(9, 14), *range(32, 127), *range(128, 256)])
_MOST_INFLATED: Final = 1 << 16
"""Bytes of compressed text that are looked at."""
_REMOVED: Final = re.compile(r"\^(?=[^\s\d])|`(?=\w)|(?<=\w)(?:\"\"|'')(?=\w)")
_DISGUISING: Final = ("^", "`", '""', "''")


@dataclass(frozen=True)
class Plain:
    """A text as its program sees it.

    Args:
        text: without what the shell removes.
        places: of each of its characters in the original, and of the end.
    """

    text: str
    places: list[int]


def decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """What of a text is base64 of other text: where it starts, where it ends, and what it stands for.

    Base64 of text has letters of both cases; digests, identifiers and paths of one case are not decoded.
    """
    for run in _ENCODED.finditer(text):
        code = run[0]
        if not (code.islower() or code.isupper()) and (inner := _text(code)):
            yield run.start(), run.end(), inner


def plain(text: str) -> Plain | None:
    """A text without the carets of cmd.exe, the backticks of PowerShell and empty quotes; `None`: it has none."""
    if not any(sign in text for sign in _DISGUISING):
        return None
    removed = [match.span() for match in _REMOVED.finditer(text)]
    if not removed:
        return None
    kept, at = [], 0
    for start, end in [*removed, (len(text), len(text))]:
        kept.append(range(at, start))
        at = end
    places = [place for part in kept for place in part]
    return Plain("".join([text[part.start : part.stop] for part in kept]), [*places, len(text)])


def _text(encoded: str) -> str | None:
    """What base64 stands for: text in UTF-16 (as PowerShell has it) or UTF-8, compressed or not; `None`: no text."""
    code = encoded.rstrip("=").translate(_STANDARD)
    data = base64.b64decode(code[: len(code) // 4 * 4 if len(code) % 4 == 1 else len(code)] + "===")
    if data[:2] == b"\x1f\x8b" or data[:1] == b"\x78":
        data = _inflated(data)
    sample = data[:_SAMPLE]
    if b"\0" in sample[1::2] and not sample[1::2].strip(b"\0"):
        return data.decode("utf-16-le", "replace")
    if sample.translate(None, _TEXT_BYTES):
        return None
    text = data.decode("utf-8", "replace")
    return None if "\ufffd" in text[: len(sample) - 4] else text


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(47).decompress(data, _MOST_INFLATED)
    except zlib.error:
        return data
