"""Secrets in text, found and masked.

They are recognised by the patterns of the catalogue (services' own, and `secrets.yaml`) and by detectors of the library
`detect_secrets` (https://github.com/bridgecrewio/detect-secrets). A mask says what was there:
`curl -u bob:[redacted:password]`. The same text always gets the same masks, and masked text stays as it is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from detect_secrets.core.plugins.initialize import from_plugin_classname

from uncommon_im.schemas.catalogue import Catalogue, SecretDetector, SecretPattern

_MASK: Final = re.compile(r"\[redacted:([a-z0-9-]+)\]")
_CODED: Final = "encoded"
"""What the finder of encoded text calls itself: what is in it says the kind."""
_ENCODED: Final = re.compile(
    r"(?i)(?:\s[-/]e(?:c|n|nc|nco\w*)?\s+|base64\w*[\s(]+|echo\s+)\\?[\"']?([a-z0-9+/]{16,}={0,2})"
)
_ENCODED_HINTS: Final = ("-e", "/e", "base64", "echo")
_LEAST_OF_LIBRARY: Final = 16
"""Characters that a group of the library's patterns has if it is the secret, and not the beginning of one."""
_MOST_ROUNDS: Final = 32
"""A round masks what is found at once; one program's many options of the same kind take a round each."""


@dataclass(frozen=True)
class Found:
    """A secret in a text: the characters from `start` to before `end`."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Finder:
    """One way to recognise a kind of secret.

    Args:
        kind: of the secret.
        hints: pieces of text in lower case, one of which is near every such secret.
        patterns: what their groups match is secret, or all of it if they have none.
        least: characters; a shorter group is no secret.
    """

    kind: str
    hints: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    least: int = 1

    def find(self, text: str) -> Iterator[Found]:
        """All that it recognises."""
        for pattern in self.patterns:
            for match in pattern.finditer(text):
                spans = [match.span(group) for group in range(1, pattern.groups + 1)]
                for start, end in [span for span in spans if span[1] - span[0] >= self.least] or [match.span()]:
                    yield Found(start, end, self.kind)


@dataclass(frozen=True)
class SecretText:
    """Finds and masks the secrets that a catalogue describes.

    Args:
        catalogue: how secrets are recognised.
    """

    catalogue: Catalogue

    def masked(self, text: str) -> str:
        """Text without secrets.

        A mask may uncover what stood behind a secret, so it is looked again until there is nothing new. What goes on
        for longer than any command line does is masked whole.
        """
        for _ in range(_MOST_ROUNDS):
            masked = _replaced(text, self._find(text))
            if masked == text:
                return text
            text = masked
        return mask("text")

    def fitting(self, text: str) -> list[Finder]:
        """The finders that may find something in a text."""
        lowered = text.lower()
        numbers = {number for hint, owners in self._by_hint.items() if hint in lowered for number in owners}
        return [self.finders[number] for number in sorted(numbers)]

    @cached_property
    def finders(self) -> list[Finder]:
        """All of them: what comes first says the kind where they overlap. Services come first: they say most."""
        catalogue, general = self.catalogue, self.catalogue.secrets
        own = [_of_pattern(pattern) for service in catalogue.services for pattern in service.secrets]
        library = [_of_library(detector) for detector in general.detectors]
        return [
            *own,
            *map(_of_pattern, general.tokens),
            *library,
            Finder(_CODED, _ENCODED_HINTS, (_ENCODED,)),
            *map(_of_pattern, general.contexts),
        ]

    @cached_property
    def _by_hint(self) -> dict[str, list[int]]:
        owners: dict[str, list[int]] = {}
        for number, finder in enumerate(self.finders):
            for hint in finder.hints:
                owners.setdefault(hint, []).append(number)
        return owners

    def _find(self, text: str) -> list[Found]:
        """What is secret, in order and apart; if anything is, the masks that are there already are among it."""
        masks = [Found(*match.span(), match[1]) for match in _MASK.finditer(text)]
        ranked = [(found, rank) for rank, found in enumerate(masks)]
        for finder in self.fitting(text):
            for found in finder.find(text):
                kind = self._kind_inside(text[found.start : found.end]) if finder.kind == _CODED else found.kind
                if kind:
                    ranked.append((Found(found.start, found.end, kind), len(ranked)))
        return _apart(ranked) if len(ranked) > len(masks) else []

    def _kind_inside(self, encoded: str) -> str | None:
        """The kind of the first secret in encoded text; `None`: there is none."""
        found = self._find(_decoded(encoded))
        return found[0].kind if found else None


def mask(kind: str) -> str:
    """What stands for a secret."""
    return f"[redacted:{kind}]"


def _replaced(text: str, secrets: list[Found]) -> str:
    """Text with masks instead of secrets, which are in order and apart."""
    pieces, at = [], 0
    for secret in secrets:
        pieces += [text[at : secret.start], mask(secret.kind)]
        at = secret.end
    return "".join([*pieces, text[at:]])


def _apart(ranked: list[tuple[Found, int]]) -> list[Found]:
    """Secrets that overlap become one, of the kind that ranks first."""
    apart: list[tuple[Found, int]] = []
    for found, rank in sorted(ranked, key=lambda each: (each[0].start, each[1])):
        if apart and found.start < apart[-1][0].end:
            before, best = apart.pop()
            kind = before.kind if best < rank else found.kind
            found, rank = Found(before.start, max(before.end, found.end), kind), min(best, rank)
        apart.append((found, rank))
    return [found for found, _ in apart]


def _of_pattern(pattern: SecretPattern) -> Finder:
    return Finder(pattern.kind, pattern.hints, (re.compile(pattern.pattern),))


def _of_library(detector: SecretDetector) -> Finder:
    plugin: Any = from_plugin_classname(detector.name)
    return Finder(detector.kind, detector.hints, tuple(plugin.denylist), _LEAST_OF_LIBRARY)


def _decoded(encoded: str) -> str:
    """What base64 stands for: text in UTF-16 (as PowerShell has it) or UTF-8."""
    data = base64.b64decode(encoded.rstrip("=")[: len(encoded) // 4 * 4] + "===", validate=False)
    return data.decode("utf-16-le" if b"\0" in data[1::2] else "utf-8", "replace")
