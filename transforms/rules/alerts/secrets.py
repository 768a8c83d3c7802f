"""Secrets in text, found and masked.

They are recognised by the patterns of the catalogue (services' own, and `secrets.yaml`) and by detectors of the library
`detect_secrets` (https://github.com/bridgecrewio/detect-secrets), also in base64 and behind what shells remove. A mask
says what was there: `curl -u bob:[redacted:password]`. The same text always gets the same masks, and masked text stays
as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.alerts.disguises import decoded, plain
from uncommon_im.transforms.rules.alerts.secret_finders import Finders, Secret

_MASK: Final = re.compile(r"\[redacted:([a-z0-9-]+)\]")
_MOST_ROUNDS: Final = 8
"""A round masks what is found at once; one more looks at what masks uncover."""
_MOST_DEPTH: Final = 4
"""Base64 in base64 ... that is looked into. Each is a quarter shorter at least."""


@dataclass(frozen=True)
class SecretText:
    """Finds and masks the secrets that a catalogue describes.

    Work grows with the length of a text, whatever it consists of: a round goes over it a fixed number of times.

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
            masked = _replaced(text, self._secrets(text))
            if masked == text:
                return text
            text = masked
        return mask("text")

    @cached_property
    def finders(self) -> Finders:
        """What recognises secrets."""
        return Finders(self.catalogue)

    def _secrets(self, text: str) -> list[Secret]:
        """What is secret, in order and apart; if anything is, the masks that are there already are among it."""
        masks = [Secret(*match.span(), match[1]) for match in _MASK.finditer(text)]
        found = self._find(text)
        return _apart([*masks, *found]) if found else []

    def _find(self, text: str, depth: int = 0) -> list[Secret]:
        """What is secret, the kind that says most first; also in what the text disguises."""
        found = [secret for finder in self.finders.fitting(text) for secret in finder.find(text)]
        if bare := plain(text):
            places = bare.places
            for finder in self.finders.fitting(bare.text):
                for secret in finder.find(bare.text):
                    found.append(Secret(places[secret.start], places[secret.end - 1] + 1, secret.kind))
        if depth < _MOST_DEPTH:
            for start, end, inner in decoded(text):
                if secrets := self._find(inner, depth + 1):
                    found.insert(0, Secret(start, end, secrets[0].kind))
        return found


def mask(kind: str) -> str:
    """What stands for a secret."""
    return f"[redacted:{kind}]"


def _replaced(text: str, secrets: list[Secret]) -> str:
    """Text with masks instead of secrets, which are in order and apart."""
    pieces, at = [], 0
    for secret in secrets:
        pieces += [text[at : secret.start], mask(secret.kind)]
        at = secret.end
    return "".join([*pieces, text[at:]])


def _apart(ranked: list[Secret]) -> list[Secret]:
    """Secrets that overlap become one, of the kind that ranks first."""
    apart: list[tuple[Secret, int]] = []
    for rank, found in sorted(enumerate(ranked), key=lambda each: (each[1].start, each[0])):
        if apart and found.start < apart[-1][0].end:
            before, best = apart.pop()
            kind = before.kind if best < rank else found.kind
            found, rank = Secret(before.start, max(before.end, found.end), kind), min(best, rank)
        apart.append((found, rank))
    return [found for found, _ in apart]
