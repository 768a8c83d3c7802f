"""What is wrong with the user's exceptions, as far as they say so themselves (specification, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.columns.text import clean_process_name, clean_remote_host, clean_text
from uncommon_im.transforms.rules.recognition.glob_index import EntryIndex, GlobIndex
from uncommon_im.transforms.rules.recognition.globs import covers, is_wild, tokens
from uncommon_im.transforms.rules.recognition.paths import fold_user, fold_varying, with_slashes

FindingKind = Literal["expired", "hides_everything", "impossible", "shadowed", "unmatched"]

ALWAYS_THERE: Final = frozenset(("process_name", "origin", "service_id", "host_id"))
"""Fields that every communication has; a glob over another one does not match where the value is missing."""
FOLDER_ORIGINS: Final = ("unsigned:", "unknown:")
"""How origins begin that are no signer, but a signature status and a folder."""
_ANYTHING: Final = "?*"
_NOT_IN: Final[Mapping[str, str]] = {"process_name": "/\\", "remote_host": "/\\#@", "folder": "\\0123456789"}
"""Characters that normalised values do not hold."""


@dataclass(frozen=True)
class Finding:
    """Something about an exception that its author should look at.

    Args:
        number: of the exception in its file, from 1.
        kind: what it is.
        detail: what is wrong with this one, and how to mend it.
    """

    number: int
    kind: FindingKind
    detail: str


def static_findings(entries: Sequence[ExceptionEntry], as_of: date, service_ids: Iterable[str]) -> Iterator[Finding]:
    """What exceptions say about themselves, in their order.

    Args:
        entries: of one file.
        as_of: entries that held until a day before it have expired.
        service_ids: of the catalogue, those of the user's own services included.
    """
    services = GlobIndex(glob for entry in entries for name, glob in entry.globs if name == "service_id")
    possible = services.matching_any(service_ids)
    wider = _Wider(entries)
    for number, entry in enumerate(entries, 1):
        reasons = [(name, glob, _impossible(name, glob, possible)) for name, glob in entry.globs]
        impossible = [f"{name} {glob!r} never matches: {reason}" for name, glob, reason in reasons if reason]
        if entry.expires and entry.expires < as_of:
            yield Finding(number, "expired", f"it held until {entry.expires}: remove it, or give it a later day")
        if impossible:
            yield Finding(number, "impossible", "; ".join(impossible))
        elif _takes_all(entry):
            yield Finding(number, "hides_everything", _everything([name for name, _ in entry.globs]))
        elif other := wider.than(number):
            yield Finding(number, "shadowed", f"exception {other} matches all that it does: remove one of the two")


def _takes_all(entry: ExceptionEntry) -> bool:
    return all(covers(glob, _ANYTHING) for _, glob in entry.globs)


def _everything(names: list[str]) -> str:
    only = [name for name in names if name not in ALWAYS_THERE]
    which = f" that has a {' and a '.join(only)}" if only else ""
    return f"it matches every communication{which}, malware's too: say which program, host or user it is about"


class _Wider:
    """Which exceptions match all that others do; those that hide everything are no reason to remove others."""

    def __init__(self, entries: Sequence[ExceptionEntry]) -> None:
        self._entries = entries
        self._numbers = [number for number, entry in enumerate(entries, 1) if not _takes_all(entry)]
        needed = [[pair for pair in entries[number - 1].globs if not _always_holds(*pair)] for number in self._numbers]
        self._index = EntryIndex(needed)

    def than(self, number: int) -> int | None:
        """The first other entry that matches all that an entry does; of equal ones the first stays."""
        entry = self._entries[number - 1]
        known = {name: self._index.covering(name, glob) for name, glob in entry.globs}
        first = (
            next((other for place in places if self._is_wider(other := self._numbers[place], number)), None)
            for places in self._index.find(known)
        )
        return min((other for other in first if other is not None), default=None)

    def _is_wider(self, other: int, number: int) -> bool:
        entry, candidate = self._entries[number - 1], self._entries[other - 1]
        if other == number or not _includes(candidate, entry):
            return False
        return other < number or not _includes(entry, candidate)


def _always_holds(name: str, glob: str) -> bool:
    return name in ALWAYS_THERE and covers(glob, _ANYTHING)


def _includes(wide: ExceptionEntry, narrow: ExceptionEntry) -> bool:
    if wide.expires and (narrow.expires is None or narrow.expires > wide.expires):
        return False
    given = dict(narrow.globs)
    return all(covers(glob, given[name]) if name in given else _always_holds(name, glob) for name, glob in wide.globs)


def _impossible(name: str, glob: str, services: Container[str]) -> str | None:
    """Why no normalised value matches a glob; `None` if one may. `services` are the globs that match some service."""
    if name == "service_id":
        return None if glob in services else "the catalogue has no such service (--services names your own)"
    if name == "origin" and glob.startswith(FOLDER_ORIGINS):
        return _impossible_folder(glob.partition(":")[2])
    found = tokens(glob)
    if any(map(is_wild, found)):
        return _strange(found, _NOT_IN.get(name, ""))
    normal = _NORMAL.get(name, clean_text)(glob)
    if normal == glob:
        return None
    return f"normalised it is {normal!r}" if normal else "that means a missing value, which matches nothing"


def _impossible_folder(glob: str) -> str | None:
    """As `_impossible`, of the folder in an origin: it is folded (specification, section 4)."""
    found = tokens(glob)
    wild = next((place for place, token in enumerate(found) if is_wild(token)), None)
    begin = "".join(found[:wild])
    begin = f"{begin}/" if wild is None else begin[: begin.rfind("/") + 1]
    folded = fold_varying(fold_user(with_slashes(begin)))
    if folded != begin:
        return f"folders of origins are folded, this one to {folded!r}"
    return _strange(found, _NOT_IN["folder"])


def _strange(found: list[str], characters: str) -> str | None:
    strange = next((token for token in found if token in characters), None)
    return f"normalised values hold no {strange!r}" if strange else None


def _host_name(text: str) -> str | None:
    host, address = clean_remote_host(text)
    return host or (f"address {address}" if address else None)


_NORMAL: Final[Mapping[str, Callable[[str], str | None]]] = {
    "process_name": clean_process_name,
    "remote_host": _host_name,
}
