"""The user's exceptions: communications that need no alert (specification, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from uncommon_im.schemas.documents import ConfigurationError, read_yaml, require

EXCEPTION_FIELDS: Final = (
    "process_name",
    "origin",
    "signer",
    "service_id",
    "host_id",
    "user_name",
    "process_path",
    "parent_process_name",
    "remote_host",
)


@dataclass(frozen=True)
class ExceptionEntry:
    """One exception: all its globs must match (without case).

    Args:
        globs: (field of `EXCEPTION_FIELDS`, lower-case glob) pairs, at least one.
        reason: why, in the user's words.
        expires: the last UTC day on which it holds, by the event's time; `None`: it does not expire.
    """

    globs: tuple[tuple[str, str], ...]
    reason: str
    expires: date | None = None


def load_exceptions(path: str | None) -> tuple[ExceptionEntry, ...]:
    """The exceptions of a YAML file: a list, or a mapping with a list `exceptions`.

    Raises:
        ConfigurationError: an entry has an unknown field, no glob, no reason or an unreadable date.
    """
    return parse_exceptions(read_yaml(path), path) if path else ()


def parse_exceptions(document: Any, name: str) -> tuple[ExceptionEntry, ...]:
    """The exceptions of a document; `name` is how messages call it.

    Raises:
        ConfigurationError: as `load_exceptions`.
    """
    entries = document.get("exceptions") if isinstance(document, dict) else document
    require(isinstance(entries, list), f"{name}: expected a list of exceptions (or a mapping with `exceptions`)")
    listed: list[Any] = entries or []
    return tuple(_entry(entry, f"{name}: exception {number}") for number, entry in enumerate(listed, 1))


def _entry(entry: Any, where: str) -> ExceptionEntry:
    require(isinstance(entry, dict), f"{where}: expected a mapping of fields to globs")
    unknown = sorted(set(map(str, entry)) - {*EXCEPTION_FIELDS, "reason", "expires"})
    require(not unknown, f"{where}: unknown field {', '.join(unknown)}: known are {', '.join(EXCEPTION_FIELDS)}")
    globs = tuple((name, str(entry[name]).strip().lower()) for name in EXCEPTION_FIELDS if entry.get(name) is not None)
    require(globs, f"{where}: matches everything: give at least one of {', '.join(EXCEPTION_FIELDS)}")
    require(str(entry.get("reason") or "").strip(), f"{where}: needs a `reason`, so that others know why it is there")
    return ExceptionEntry(globs, str(entry["reason"]).strip(), _day(entry.get("expires"), where))


def _day(value: Any, where: str) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"{where}: expires is {value!r}: write it as YYYY-MM-DD") from None
