"""What leaves a run without the secrets in it: alerts, verdict rows, dead letters.

Ids, digests and fingerprints are taken before, of what the events say, and stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import msgspec

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.alerts.secrets import SecretText, mask

Row = dict[str, Any]

_IDS: Final = frozenset(
    ("alert_id", "group_id", "detector_id", "tenant_id", "event_id", "id", "sha256", "config_digest", "run_id")
)
"""Fields of an alert that stay as they are: others look them up."""
_ASKED_ABOUT: Final = (("host", "name"), ("process", "name"), ("destination", "matched"))
"""Where an alert has the texts of events, but for ids, that its steps repeat."""
_OF_PROGRAM: Final = ("program", "origin", "script")
"""Fields of a verdict row that may hold a secret."""
_LITERAL: Final = r'"(?:[^"\\]|\\.)*+"'
_MEMBER: Final = re.compile(rf'(?:({_LITERAL})(\s*+:\s*+))?({_LITERAL})|"(?:[^"\\]|\\.)*+\\?\Z', re.DOTALL)
"""Text in JSON, after its name if it has one; or, without groups, text that nothing ends."""
_LEAST: Final = 14
"""Characters of text in JSON, with its quotes, that can say both that there is a secret and which."""
_REMEMBERED: Final = 1 << 14
"""Texts that are looked at once: of alerts and programs, and of records."""
_MOST_REMEMBERED: Final = 500
"""Characters of a text that is remembered."""


@dataclass(frozen=True)
class Redactor:
    """Masks secrets in rows.

    Args:
        catalogue: how secrets are recognised.
    """

    catalogue: Catalogue

    def alert(self, alert: Mapping[str, Any]) -> Row:
        """An alert, all of its text but ids masked.

        Its steps are by far the most of its text. They are sentences of ours and queries about `_ASKED_ABOUT`: where no
        secret is in that, there is none in them.
        """
        masked = {
            name: value if name in _IDS or name == "steps" else self._value(value) for name, value in alert.items()
        }
        if "steps" in alert and not all(
            part in alert.get(name, ()) and alert[name][part] == masked[name][part] for name, part in _ASKED_ABOUT
        ):
            masked["steps"] = self._value(alert["steps"])
        return masked

    def verdict(self, row: Mapping[str, Any]) -> Row:
        """A verdict row, its program's name, origin and script masked."""
        return {**row, **{name: self._remembered(row[name]) for name in _OF_PROGRAM}}

    def dead_letter(self, letter: Mapping[str, Any]) -> Row:
        """A dead letter, its detail and its record masked."""
        return {**letter, "detail": self._secrets.masked(letter["detail"]), "raw": self.record(letter["raw"])}

    def record(self, raw: str) -> str:
        """A raw record, masked.

        JSON stays JSON, character by character but for the texts that hold a secret. What is no JSON does not become
        any: read again, it is a dead letter again.
        """
        if not _is_json(raw):
            return self._unreadable(raw)
        if self._is_clean(raw) and not self._named.search(raw):
            return raw
        return _MEMBER.sub(self._member, raw)

    def _is_clean(self, raw: str) -> bool:
        """Whether no text of a JSON record holds a secret; those that had none before are not looked at again."""
        texts_there = dict.fromkeys(text for _, _, text in _MEMBER.findall(raw) if len(text) >= _LEAST)
        new = [text for text in texts_there if text not in self._clean]
        texts = "\n".join(map(_text_of, new))
        if self._secrets.masked(texts) != texts:
            return False
        if len(self._clean) > _REMEMBERED:
            self._clean.clear()
        self._clean.update(text for text in new if len(text) <= _MOST_REMEMBERED)
        return True

    @cached_property
    def _clean(self) -> set[str]:
        return set()

    def _unreadable(self, raw: str) -> str:
        """What is no JSON, masked: as JSON as far as it is some, then as text."""
        clean = self._is_clean(raw) and not self._named.search(raw)
        masked = self._secrets.masked(raw if clean else _MEMBER.sub(self._member, raw))
        return mask("record") if _is_json(masked) else masked

    @cached_property
    def _named(self) -> re.Pattern[str]:
        """Text in JSON after the name of a secret."""
        names = "|".join(map(re.escape, sorted(self.catalogue.secrets.keys)))
        return re.compile(rf'"(?:{names})"\s*:\s*"(?!")', re.IGNORECASE)

    @cached_property
    def _secrets(self) -> SecretText:
        return SecretText(self.catalogue)

    @cached_property
    def _remembered(self) -> Any:
        return lru_cache(_REMEMBERED)(self._secrets.masked)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return (self._remembered if len(value) <= _MOST_REMEMBERED else self._secrets.masked)(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self.alert(value) if isinstance(value, dict) else value

    def _member(self, member: re.Match[str]) -> str:
        """Text in JSON, masked; as it was if it holds no secret."""
        name, between, text = member.groups()
        if name is None:
            return self._literal(text) if text else member[0]
        if _text_of(name).lower() in self.catalogue.secrets.keys and len(text) > len('""'):
            return f"{name}{between}{json.dumps(mask('secret'))}"
        return f"{name}{between}{self._literal(text)}"

    def _literal(self, literal: str) -> str:
        if len(literal) < _LEAST:
            return literal
        text = _text_of(literal)
        masked = self._secrets.masked(text)
        return literal if masked == text else json.dumps(masked)


def _text_of(literal: str) -> str:
    """What a JSON literal says; itself without its quotes if it is none."""
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return literal[1:-1]


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text.removeprefix("\ufeff").encode())
    except msgspec.ValidationError:  # a number that is too large
        return True
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
    return True
