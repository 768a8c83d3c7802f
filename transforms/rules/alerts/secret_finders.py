"""What recognises secrets in plain text: patterns of the catalogue, and detectors of the library `detect_secrets`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from detect_secrets.core.plugins.initialize import from_plugin_classname

from uncommon_im.schemas.catalogue import Catalogue, SecretDetector, SecretPattern

_LEAST_OF_LIBRARY: Final = 16
"""Characters that a group of the library's patterns has if it is the secret, and not the beginning of one."""
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
        patterns: what their groups match is secret, or all of it if they have none.
        programs: the patterns are only tried on the arguments of what it matches; `None`: everywhere.
        least: characters; of groups that are all shorter, the whole match is the secret.
    """

    kind: str
    hints: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    programs: re.Pattern[str] | None = None
    least: int = 0

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
        numbers = {number for hint, owners in self._by_hint.items() if hint in lowered for number in owners}
        return [self.all[number] for number in sorted(numbers)]

    @cached_property
    def _by_hint(self) -> dict[str, list[int]]:
        owners: dict[str, list[int]] = {}
        for number, finder in enumerate(self.all):
            for hint in finder.hints:
                owners.setdefault(hint, []).append(number)
        return owners


def _of_pattern(pattern: SecretPattern) -> Finder:
    programs = re.compile(pattern.programs) if pattern.programs else None
    return Finder(pattern.kind, pattern.hints, (re.compile(pattern.pattern),), programs)


def _of_library(detector: SecretDetector) -> Finder:
    plugin: Any = from_plugin_classname(detector.name)
    return Finder(detector.kind, detector.hints, tuple(plugin.denylist), least=_LEAST_OF_LIBRARY)
