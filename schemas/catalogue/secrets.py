"""How secrets are recognised: what `secrets.yaml` and the `secrets` of services hold."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from uncommon_im.schemas.decoding import Entry, Text

_Kind = Annotated[
    str, Meta(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z", description="words of a-z and 0-9 with - between them")
]
_Hints = Annotated[
    tuple[Annotated[str, Meta(min_length=1, description="a piece of text")], ...],
    Meta(min_length=1, description="a list of pieces of text, one of which is in every text with such a secret"),
]
_END: Final = r"(?![^\s\"';,)&|/:@}\]])"
_NO_SECRET: Final = (
    r"(?!\\?[\"']?(?:\$\{|\$\(|\{\{|<\w[\w -]*>|--?[A-Za-z]|/[A-Za-z]+(?:[\s/:]|$)"
    rf"|(?:\$(?:env:)?\w+|%\w+%|\*+|true|false|yes|no|null|none|prompt|required|\[redacted:[a-z0-9-]+\]){_END}))"
)
"""What is no secret, though it stands where one belongs."""
_QUOTED: Final = r"\\?\"([^\"]*?)\\?\"|'([^']*)'"
_RUN: Final = r"(?i:(?<![\w.-])(?:{})(?:\.exe|\.py)?[\"']?\s)(?:.{{0,2000}}?\s)??"
_PARTS: Final = {
    "sep": r"(?:[:=]\s*|\s+)",
    "value": rf"{_NO_SECRET}(?:{_QUOTED}|([^\s\"'](?:[^\s\"']|[\"'](?=\w))*))",
    "word": rf"{_NO_SECRET}([^\s\"']+)",
    "token": (
        r"(?=\\?[\"']?[^\s\"']{8})(?!\\?[\"']?(?:id=|/|~|\.{1,2}[/\\]|[a-z]:[\\/]|\d{1,12}(?![\w.-])"
        r"|[a-z]+(?:[-_][a-z]+)+(?![\w.-])))"
    ),
    "short": rf"{_NO_SECRET}(?:{_QUOTED}|([^\s\"';,&|)}}\]]+))",
}
_PART: Final = re.compile(rf"<run:([\w|.-]+)>|<({'|'.join(_PARTS)})>")


class SecretPattern(Entry, frozen=True):
    """How one kind of secret is written, as the head of `secrets.yaml` explains it.

    Args:
        kind: what a mask says was there.
        hints: pieces of text in lower case; the pattern is only tried where one of them occurs.
        pattern: a regular expression; what its groups match is the secret, or all of it if it has none. Its parts in
            `<...>` are written out.
    """

    kind: _Kind
    hints: _Hints
    pattern: str

    def __post_init__(self) -> None:
        """Raises `ValueError`: the hints or the pattern can match nothing, or the pattern matches everything."""
        if any(hint != hint.lower() for hint in self.hints):
            raise ValueError(f"hints are looked for in lower case: {list(self.hints)} never match: write them so")
        pattern = _PART.sub(lambda part: _RUN.format(part[1]) if part[1] else _PARTS[part[2]], self.pattern)
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None
        if compiled.search(""):
            raise ValueError("pattern matches where there is nothing")
        msgspec.structs.force_setattr(self, "pattern", pattern)


class SecretDetector(Entry, frozen=True):
    """A detector of the library `detect_secrets` that is used, by the name of its class."""

    kind: _Kind
    hints: _Hints
    name: Text


class Secrets(Entry, frozen=True):
    """How secrets are recognised that any program may be given.

    Args:
        tokens: patterns that are recognised by themselves.
        detectors: of the library.
        contexts: patterns of what stands where a secret belongs: after an option, in a header, in a URL.
        keys: names of values in JSON, in lower case, that are secrets whatever they look like.
    """

    format: Literal[1] = 1
    tokens: tuple[SecretPattern, ...] = ()
    detectors: tuple[SecretDetector, ...] = ()
    contexts: tuple[SecretPattern, ...] = ()
    keys: frozenset[str] = frozenset()
