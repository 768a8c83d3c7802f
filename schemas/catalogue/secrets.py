"""Loading and checking how secrets are recognised: `secrets.yaml`, and `secrets` of services."""

from __future__ import annotations

import re
from typing import Any, Final

from uncommon_im.schemas.catalogue.model import SecretDetector, SecretPattern, Secrets
from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml, require

_KIND: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
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


def load_secrets() -> Secrets:
    """The shipped `secrets.yaml`."""
    name = "secrets.yaml"
    document = packaged_yaml("uncommon_im.schemas.catalogue", name)
    return Secrets(
        tokens=parse_secrets(document["tokens"], f"{name}: tokens"),
        detectors=tuple(
            SecretDetector(entry["kind"], tuple(entry["hints"]), entry["name"]) for entry in document["detectors"]
        ),
        contexts=parse_secrets(document["contexts"], f"{name}: contexts"),
        keys=frozenset(document["keys"]),
    )


def parse_secrets(entries: list[Any], where: str) -> tuple[SecretPattern, ...]:
    """Patterns of secrets, with their parts in `<...>` written out.

    Args:
        entries: of the form that the head of `secrets.yaml` explains.
        where: how messages call them.

    Raises:
        ConfigurationError: an entry is none, or its pattern is no regular expression; names it.
    """
    return tuple(_pattern(entry, f"{where}: secret {number}") for number, entry in enumerate(entries, 1))


def _pattern(entry: Any, where: str) -> SecretPattern:
    keys = ("kind", "hints", "pattern")
    require(
        isinstance(entry, dict) and sorted(map(str, entry)) == sorted(keys),
        f"{where}: expected a mapping with kind, hints and pattern (and nothing else)",
    )
    kind, hints, pattern = (entry[key] for key in keys)
    require(
        isinstance(kind, str) and _KIND.fullmatch(kind),
        f"{where}: kind {kind!r} is no name: write words of a-z and 0-9 with - between them",
    )
    require(
        isinstance(hints, list) and hints and all(isinstance(hint, str) and hint for hint in hints),
        f"{where} ({kind}): hints must be a list of pieces of text, one of which is in every text with such a secret",
    )
    require(
        all(hint == hint.lower() for hint in hints),
        f"{where} ({kind}): hints are looked for in lower case: {hints} never match: write them so",
    )
    require(isinstance(pattern, str), f"{where} ({kind}): pattern {pattern!r} is no text")
    written = _PART.sub(lambda part: _RUN.format(part[1]) if part[1] else _PARTS[part[2]], pattern)
    try:
        compiled = re.compile(written)
    except re.error as error:
        raise ConfigurationError(f"{where} ({kind}): pattern is no regular expression: {error}") from None
    require(not compiled.search(""), f"{where} ({kind}): pattern matches where there is nothing")
    return SecretPattern(kind, tuple(hints), written)
