"""Which of many entries match, found without a look at each: entries are lists of globs over named fields."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from uncommon_im.transforms.rules.recognition.globs import covers, pattern_of, plain_parts

Globs = Sequence[tuple[str, str]]
"""(field, glob) pairs: all must match."""
_PIECE: Final = 4
"""Characters of the pieces of text that globs are filed by: longer ones tell more apart, and fewer globs have them."""
_BETWEEN: Final = "\0"
"""Stands for what is wild when the plain parts of a glob are looked at as one text."""


class Known(NamedTuple):
    """All that globs can tell of a value: those with the same are alike to them.

    Args:
        plain: the value, if a glob without anything wild is that; else `None`.
        wild: the other globs that match it.
    """

    plain: str | None
    wild: frozenset[str]


UNKNOWN: Final = Known(None, frozenset())
"""What is known of a value that no glob matches, and of a missing one."""


class GlobIndex:
    """Many globs over the values of one field.

    Those without anything wild are found by equality. What another one matches holds its plain parts: it is filed by
    the piece of these that the fewest others have, and tried on values that hold this piece. Only globs without plain
    text are tried on every value.

    Attributes:
        plain: glob without anything wild -> what it matches.
    """

    def __init__(self, globs: Iterable[str]) -> None:
        """Files the globs; repeated ones count once."""
        self.plain: dict[str, str] = {}
        pieces = {}
        for glob in dict.fromkeys(globs):
            parts = plain_parts(glob)
            if len(parts) == 1:
                self.plain[glob] = parts[0]
            else:
                pieces[glob] = _pieces(parts)
        self._values = frozenset(self.plain.values())
        owners = Counter(chain.from_iterable(pieces.values()))
        self._filed: defaultdict[str, list[str]] = defaultdict(list)
        for glob, its in pieces.items():
            self._filed[min(its, key=owners.__getitem__)].append(glob)
        self._sizes = sorted({len(piece) for piece in self._filed})

    def matching(self, value: str) -> Known:
        """The globs that match a value."""
        wild = frozenset(glob for glob in self._trying(value) if pattern_of(glob).match(value))
        return Known(value if value in self._values else None, wild)

    def matching_any(self, values: Iterable[str]) -> set[str]:
        """The globs that match at least one of the values."""
        known = [self.matching(value) for value in values]
        plain = {its.plain for its in known}
        return {glob for glob, text in self.plain.items() if text in plain}.union(*(its.wild for its in known))

    def covering(self, glob: str) -> Known:
        """The globs that match all that `glob` does, as far as `covers` is certain."""
        parts = plain_parts(glob)
        wild = frozenset(wide for wide in self._trying(_BETWEEN.join(parts)) if covers(wide, glob))
        return Known(parts[0] if len(parts) == 1 and parts[0] in self._values else None, wild)

    def _trying(self, text: str) -> Iterator[str]:
        for size in self._sizes:
            for piece in {text[at : at + size] for at in range(len(text) - size + 1)}:
                yield from self._filed.get(piece, ())


def _pieces(parts: Sequence[str]) -> Sequence[str]:
    size = min(_PIECE, max(map(len, parts)))
    return [part[at : at + size] for part in parts for at in range(len(part) - size + 1)]


class EntryIndex:
    """Many entries, by what their fields must be.

    Entries that ask for plain values of the same fields, and for something wild of the same field, share a table. Its
    key is these values and the glob, of those in the entry the one that the fewest entries have.
    """

    def __init__(self, entries: Sequence[Globs]) -> None:
        """Files the entries; what is found are their places in `entries`."""
        self._globs: dict[str, GlobIndex] = {
            name: GlobIndex(globs) for name, globs in _by_field(chain.from_iterable(entries)).items()
        }
        plain = {name: its.plain for name, its in self._globs.items()}
        owners = Counter(chain.from_iterable(entries))
        self._tables: defaultdict[tuple[tuple[str, ...], str | None], _Table] = defaultdict(lambda: defaultdict(list))
        for place, entry in enumerate(entries):
            names, values, wild = [], [], []
            for name, glob in entry:
                if (text := plain[name].get(glob)) is None:
                    wild.append((name, glob))
                else:
                    names.append(name)
                    values.append(text)
            if len(wild) > 1:
                wild.sort(key=lambda pair: (owners[pair], pair))
            field, rarest = wild[0] if wild else (None, None)
            self._tables[tuple(names), field][tuple(values), rarest].append((place, tuple(wild[1:])))

    def matching(self, name: str, value: str) -> Known:
        """What the entries' globs over a field tell of a value."""
        return self._globs[name].matching(value)

    def covering(self, name: str, glob: str) -> Known:
        """What the entries' globs over a field tell of all values that a glob matches."""
        return self._globs[name].covering(glob) if name in self._globs else UNKNOWN

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that any entry looks at."""
        return tuple(sorted(self._globs))

    def find(self, known: Mapping[str, Known]) -> Iterator[Iterator[int]]:
        """The places of the entries that match: those of each key in their order, and no sooner than they are wanted.

        Args:
            known: field -> what is known of its value; without a missing one.
        """
        for (names, field), table in self._tables.items():
            values = tuple(known.get(name, UNKNOWN).plain for name in names)
            if None not in values:
                for glob in known.get(field, UNKNOWN).wild if field else (None,):
                    if filed := table.get((values, glob)):
                        yield _matching(filed, known)


_Filed = list[tuple[int, Globs]]
"""(place of an entry, what else of its globs is wild), in their order."""
_Table = defaultdict[tuple[tuple[str | None, ...], str | None], _Filed]


def _matching(filed: _Filed, known: Mapping[str, Known]) -> Iterator[int]:
    for place, rest in filed:
        if all(glob in known.get(name, UNKNOWN).wild for name, glob in rest):
            yield place


def _by_field(globs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    by_field: defaultdict[str, list[str]] = defaultdict(list)
    for name, glob in globs:
        by_field[name].append(glob)
    return by_field
