"""How a condition becomes text: the same in all languages that have OR, lower case and regular expressions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date

from uncommon_im.transforms.rules.exports.predicate import All, AnyOf, Condition, Is, Peers, Ran
from uncommon_im.transforms.rules.exports.source import Source


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        source: whose records.
        table: where they are.
        condition: which.
        columns: fields that are given.
        start: the first day (UTC); `None`: all there are.
        end: the day after the last one.
        lookback: how many days before a communication its process may have started.
    """

    source: Source
    table: str
    condition: AnyOf
    columns: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    lookback: int = 0


class Words(ABC):
    """What a language calls things. Patterns and texts have no quotes and no backslashes (`exports.patterns`)."""

    either = " or "
    both = " and "

    def condition(self, condition: Condition) -> str:
        """A condition in this language; in parentheses, where it has several parts."""
        match condition:
            case Is():
                return self.has(condition.field, condition.texts)
            case Ran():
                return self.ran(condition)
            case Peers():
                return self.peers(condition)
            case All(parts):
                return self.group(self.both, parts)
            case AnyOf(parts):
                return self.group(self.either, parts)

    def group(self, word: str, parts: tuple[Condition, ...]) -> str:
        """Parts with a word between them."""
        return "(" + word.join(map(self.condition, parts)) + ")"

    def ran(self, ran: Ran) -> str:
        """One of the fields is a scripting engine."""
        return self.finds(self.joined(ran.fields), ran.pattern)

    def peers(self, peers: Peers) -> str:
        """One of the fields names a server."""
        names = self.joined(peers.fields)
        found = [self.finds(self.cut(names, peers.out) if peers.out else names, peers.named)]
        found += [self.finds(self.joined(peers.all_addresses), peers.ranged)] if peers.ranged else []
        return "(" + self.either.join(found) + ")"

    @abstractmethod
    def has(self, field: str, texts: tuple[str, ...]) -> str:
        """A field has one of these texts."""

    @abstractmethod
    def joined(self, fields: tuple[str, ...]) -> str:
        """The fields as one lower-case text, missing ones as nothing, two spaces between them."""

    @abstractmethod
    def cut(self, text: str, pattern: str) -> str:
        """A text without what a pattern finds: two spaces stand there."""

    @abstractmethod
    def finds(self, text: str, pattern: str) -> str:
        """A pattern is somewhere in a text."""


def in_quotes(text: str, quote: str = '"') -> str:
    """A text of this module's own making, which needs no escape.

    Raises:
        ValueError: it would.
    """
    if quote in text or "\\" in text:
        raise ValueError(f"{text!r:.80} has a quote or a backslash")
    return quote + text + quote
