"""Exports in Elasticsearch's Query DSL: the body of a search, for whatever pages through it.

A pattern may have 1,000 characters (`index.max_regex_length`), so hosts and ranges come in several. Ranges of fields of
the type `ip` are written as such.

Source: Elasticsearch guide "Regexp query", "Terms query", "IP field type", "Retrieve selected fields".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from uncommon_im.transforms.rules.exports import patterns
from uncommon_im.transforms.rules.exports.dialects.words import Request
from uncommon_im.transforms.rules.exports.predicate import All, AnyOf, Condition, Is, Peers, Ran

_LONGEST: Final = 1_000
Clause = dict[str, Any]


class Dsl:
    """Elasticsearch's, and OpenSearch's."""

    def export(self, request: Request) -> str:
        """The body of the search."""
        days = {"gte": request.start, "lt": request.end}
        given = {bound: f"{day}T00:00:00Z" for bound, day in days.items() if day}
        filters = [{"range": {request.source.time: given}}] if given else []
        body = {
            "query": {"bool": {"filter": [*filters, clause(request.condition)]}},
            "_source": list(request.columns),
            "sort": [{request.source.time: "asc"}],
        }
        return json.dumps(body) + "\n"


def clause(condition: Condition) -> Clause:
    """A condition as a clause of a query."""
    match condition:
        case Is(field, texts):
            return {"terms": {field: list(texts)}}
        case Ran(fields):
            return _either([_regexp(field, patterns.anchored(condition.pattern)) for field in fields])
        case Peers():
            return _either(list(_peers(condition)))
        case All(parts):
            return {"bool": {"filter": [clause(part) for part in parts]}}
        case AnyOf(parts):
            return _either([clause(part) for part in parts])


def _peers(peers: Peers) -> Iterator[Clause]:
    names = [*_split(peers.hosts, lambda some: patterns.named(some, ())), *_split(peers.exact, _exactly)]
    out = patterns.excluded(peers.excluded)
    for field in peers.fields:
        found = _either([_regexp(field, pattern) for pattern in dict.fromkeys(names)])
        yield {"bool": {"filter": [found], **({"must_not": [_regexp(field, out)]} if out else {})}}
    ranges = list(dict.fromkeys(_split(peers.networks, patterns.ranged)))
    for field in peers.all_addresses:
        if field.endswith(".ip"):
            yield {"terms": {field: list(peers.networks)}}
        else:
            yield from (_regexp(field, pattern) for pattern in ranges)


def _exactly(names: Sequence[str]) -> list[str]:
    return patterns.named((), names)


def _split(texts: Sequence[str], made: Callable[[Sequence[str]], list[str]]) -> Iterator[str]:
    """Patterns of the whole text that `made` makes of some of the texts at a time, each short enough."""
    anchored = [patterns.anchored(pattern) for pattern in made(texts)] if texts else []
    if len(texts) < 2 or max(map(len, anchored)) <= _LONGEST:
        yield from anchored
        return
    middle = len(texts) // 2
    yield from _split(texts[:middle], made)
    yield from _split(texts[middle:], made)


def _regexp(field: str, pattern: str) -> Clause:
    return {"regexp": {field: {"value": pattern, "case_insensitive": True}}}


def _either(clauses: list[Clause]) -> Clause:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}
