"""What analysts decided about alerts (specification, section 7): the export of a report, or a file of the same form."""

from __future__ import annotations

import glob
import hashlib
from datetime import date
from typing import Any, Final, Literal

import msgspec

from uncommon_im.schemas.decoding import Entry, decode
from uncommon_im.schemas.documents import read_yaml
from uncommon_im.schemas.exceptions import Criteria, ExceptionEntry, Packed, day_of, listed

_LITERAL: Final = ("service_id", "host_id")
"""Fields whose values are taken as they are: an alert names them, and nobody writes globs of them."""


class _Disposition(Criteria, frozen=True, kw_only=True):
    """A decision as it is written.

    Args:
        disposition: what it was.
        begins: `from`, the first UTC day on which it holds, by the event's time; without it, it has always held.
        until: the last one; without it, it holds for ever.
        alert_id: of the alert that it was made about; nothing hangs on it.
    """

    disposition: Literal["benign", "malicious"]
    begins: Any = msgspec.field(name="from", default=None)
    until: Any = None
    alert_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        begins, until = day_of("from", self.begins), day_of("until", self.until)
        if begins and until and until < begins:
            raise ValueError(f"until {until} is before from {begins}")

    def entry(self) -> ExceptionEntry:
        globs = tuple((name, glob.escape(value) if name in _LITERAL else value) for name, value in self.globs().items())
        return ExceptionEntry(globs, str(self.reason).strip(), day_of("until", self.until), day_of("from", self.begins))


class _DispositionsFile(Entry, frozen=True):
    dispositions: tuple[_Disposition, ...]
    triage: dict[str, Any] = msgspec.field(default_factory=dict)  # what the report keeps for itself


class Dispositions(msgspec.Struct, frozen=True):
    """Decisions of analysts.

    Args:
        benign: what they match needs no alert.
        malicious: what they match is no sighting: it teaches nobody that it is normal.
    """

    benign: tuple[ExceptionEntry, ...] = ()
    malicious: tuple[ExceptionEntry, ...] = ()


def load_dispositions(path: str | None) -> Dispositions:
    """The dispositions of a YAML or JSON file: a list, or a mapping with a list `dispositions`.

    Raises:
        ConfigurationError: an entry has an unknown field, no criterion, no reason, no decision or an unreadable date.
    """
    return parse_dispositions(read_yaml(path), path) if path else Dispositions()


def parse_dispositions(document: object, name: str) -> Dispositions:
    """The dispositions of a document; `name` is how messages call it.

    Raises:
        ConfigurationError: as `load_dispositions`.
    """
    written = decode(listed(document, "dispositions", name), _DispositionsFile, name).dispositions
    benign, malicious = (
        Packed(each.entry() for each in written if each.disposition == kind) for kind in ("benign", "malicious")
    )
    return Dispositions(benign, malicious)


def digest_of(entry: ExceptionEntry) -> str:
    """First 32 hex digits of a sha256 over what an entry matches, and when: what names it in metadata of snapshots."""
    return hashlib.sha256(msgspec.json.encode([entry.globs, entry.begins, entry.expires])).hexdigest()[:32]


def not_left_out(entry: ExceptionEntry, left_out: dict[str, date | None], as_of: date) -> ExceptionEntry | None:
    """What a snapshot may hold of what an entry matches: the entry, of those days alone; `None`: nothing.

    Args:
        entry: a malicious one.
        left_out: digest of an entry -> the first day on which what it matches was left out; `None`: on all days.
        as_of: of the snapshot: days before it are in it.
    """
    until = min(entry.expires or date.max, date.fromordinal(as_of.toordinal() - 1))
    digest = digest_of(entry)
    if digest in left_out:
        since = left_out[digest]
        if since is None:
            return None
        until = min(until, date.fromordinal(since.toordinal() - 1))
    return None if until < (entry.begins or date.min) else msgspec.structs.replace(entry, expires=until)
