"""What recognises secrets in plain text: patterns of the catalogue, and detectors of the library `detect_secrets`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final

import numpy as np
from detect_secrets.core.plugins.initialize import from_plugin_classname

from uncommon_im.schemas.catalogue import Catalogue, SecretDetector, SecretPattern

_LEAST_OF_LIBRARY: Final = 16
"""Characters that a group of the library's patterns has if it is the secret, and not the beginning of one."""
_PIECE: Final = 3
"""Bytes of a hint's end whose hash tells quickly whether it may be in a text."""
_HASHES: Final = 1 << 16
Hashes = np.ndarray[Any, np.dtype[np.uint16]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
_LINE_END: Final = re.compile(r"(?<![\\`^])\r?\n")
"""Where arguments end: no line goes on after it."""


@dataclass(frozen=True)
class Secret:
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
        compile: gives the patterns. What their groups match is secret, or all of it if they have none.
        of_programs: the patterns are only tried on the arguments of what it matches; `None`: everywhere.
        least: characters; of groups that are all shorter, the whole match is the secret.
    """

    kind: str
    hints: tuple[str, ...]
    compile: Callable[[], tuple[re.Pattern[str], ...]]
    of_programs: str | None = None
    least: int = 0

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """Compiled when a hint is met: most texts meet few."""
        return self.compile()

    @cached_property
    def programs(self) -> re.Pattern[str] | None:
        """What starts the arguments."""
        return re.compile(self.of_programs) if self.of_programs else None

    def find(self, text: str) -> Iterator[Secret]:
        """All that it recognises; every pattern goes over a character of the text once."""
        for start, end in self._places(text):
            for pattern in self.patterns:
                for match in pattern.finditer(text, start, end):
                    yield from self._secrets(match)

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it looks: from the first of its programs to the end of the line, as others may follow in it."""
        if self.programs is None:
            yield 0, len(text)
            return
        at = 0
        while program := self.programs.search(text, at):
            line_end = _LINE_END.search(text, program.end())
            at = line_end.start() if line_end else len(text)
            yield program.end(), at

    def _secrets(self, match: re.Match[str]) -> Iterator[Secret]:
        spans = [match.span(group) for group in range(1, match.re.groups + 1)]
        long = [span for span in spans if span[1] - span[0] >= max(self.least, 1)]
        for start, end in long or ([] if spans and not self.least else [match.span()]):
            yield Secret(start, end, self.kind)


@dataclass(frozen=True)
class Finders:
    """All that a catalogue describes.

    Args:
        catalogue: how secrets are recognised.
    """

    catalogue: Catalogue

    @cached_property
    def all(self) -> list[Finder]:
        """What comes first says the kind where they overlap. Services come first: they say most."""
        general = self.catalogue.secrets
        patterns = [pattern for service in self.catalogue.services for pattern in service.secrets]
        return [
            *map(_of_pattern, [*patterns, *general.tokens]),
            *map(_of_library, general.detectors),
            *map(_of_pattern, general.contexts),
        ]

    def fitting(self, text: str) -> list[Finder]:
        """Those that may find something in a text."""
        lowered = text.lower()
        hashes = _hashes(lowered)
        met = np.unique(hashes[self._is_hinted[hashes]]).tolist()
        hints = [*self._short, *chain.from_iterable(self._by_hash[each] for each in met)]
        numbers = {number for hint in hints if hint in lowered for number in self._by_hint[hint]}
        return [self.all[number] for number in sorted(numbers)]

    @cached_property
    def _short(self) -> list[str]:
        """Hints that are too short for a hash: they are looked for in every text."""
        return [hint for hint in self._by_hint if len(hint.encode()) < _PIECE]

    @cached_property
    def _by_hash(self) -> dict[int, list[str]]:
        """The other hints by the hash of each one's end: only those whose hash a text has are looked for in it."""
        by_hash: dict[int, list[str]] = {}
        for hint in self._by_hint:
            for last in _hashes(hint)[-1:].tolist():
                by_hash.setdefault(last, []).append(hint)
        return by_hash

    @cached_property
    def _is_hinted(self) -> Mask:
        """Whether a hash is that of some hint."""
        table = np.zeros(_HASHES, np.bool_)
        table[list(self._by_hash)] = True
        return table

    @cached_property
    def _by_hint(self) -> dict[str, list[int]]:
        owners: dict[str, list[int]] = {}
        for number, finder in enumerate(self.all):
            for hint in finder.hints:
                owners.setdefault(hint, []).append(number)
        return owners


def _hashes(text: str) -> Hashes:
    """A hash of each `_PIECE` bytes of a text: all of them in a few steps of numpy."""
    codes = np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.uint16)
    return codes[:-2] * np.uint16(961) + codes[1:-1] * np.uint16(31) + codes[2:]


def _of_pattern(pattern: SecretPattern) -> Finder:
    return Finder(pattern.kind, pattern.hints, lambda: (re.compile(pattern.pattern),), pattern.programs)


def _of_library(detector: SecretDetector) -> Finder:
    plugin: Any = from_plugin_classname(detector.name)
    return Finder(detector.kind, detector.hints, lambda: tuple(plugin.denylist), least=_LEAST_OF_LIBRARY)
