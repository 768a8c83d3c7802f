"""The user's exceptions: communications that need no alert (specification, section 7)."""

from __future__ import annotations

import zlib
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from uncommon_im.schemas.decoding import Entry, Scalar, decode
from uncommon_im.schemas.documents import read_yaml, require

_Glob = Scalar | None


class _Exception(Entry, frozen=True):
    """An exception as it is written; numbers serve as globs."""

    process_name: _Glob = None
    origin: _Glob = None
    signer: _Glob = None
    service_id: _Glob = None
    host_id: _Glob = None
    user_name: _Glob = None
    process_path: _Glob = None
    parent_process_name: _Glob = None
    remote_host: _Glob = None
    reason: Scalar | None = None
    expires: Any = None

    def __post_init__(self) -> None:
        if astuple(self)[:-2] == _NO_GLOBS:
            raise ValueError(f"matches everything: give at least one of {', '.join(EXCEPTION_FIELDS)}")
        if not str(self.reason or "").strip():
            raise ValueError("needs a `reason`, so that others know why it is there")
        _day(self.expires)

    def entry(self) -> ExceptionEntry:
        values = zip(EXCEPTION_FIELDS, astuple(self), strict=False)  # up to the reason
        globs = tuple([(name, str(value).strip().lower()) for name, value in values if value is not None])
        return ExceptionEntry(globs, str(self.reason).strip(), _day(self.expires))


class _ExceptionsFile(Entry, frozen=True):
    exceptions: tuple[_Exception, ...]


EXCEPTION_FIELDS: Final = _Exception.__struct_fields__[:-2]
_NO_GLOBS: Final = (None,) * len(EXCEPTION_FIELDS)


class ExceptionEntry(msgspec.Struct, frozen=True, gc=False):
    """One exception: all its globs must match (without case).

    Args:
        globs: (field of `EXCEPTION_FIELDS`, lower-case glob) pairs, at least one.
        reason: why, in the user's words.
        expires: the last UTC day on which it holds, by the event's time; `None`: it does not expire.
    """

    globs: tuple[tuple[str, str], ...]
    reason: str
    expires: date | None = None


class _Packed(tuple[ExceptionEntry, ...]):
    """Entries that are packed once, however often they are copied to other steps and processes, and unpacked once."""

    def __reduce__(self) -> Any:
        return _unpacked, (self._packed,)

    @cached_property
    def _packed(self) -> bytes:
        return zlib.compress(msgspec.msgpack.encode(tuple(self)))


@lru_cache(1)
def _unpacked(packed: bytes) -> _Packed:
    entries = _Packed(msgspec.msgpack.decode(zlib.decompress(packed), type=tuple[ExceptionEntry, ...]))
    entries._packed = packed
    return entries


def load_exceptions(path: str | None) -> tuple[ExceptionEntry, ...]:
    """The exceptions of a YAML file: a list, or a mapping with a list `exceptions`.

    Raises:
        ConfigurationError: an entry has an unknown field, no glob, no reason or an unreadable date.
    """
    return parse_exceptions(read_yaml(path), path) if path else ()


def parse_exceptions(document: object, name: str) -> tuple[ExceptionEntry, ...]:
    """The exceptions of a document; `name` is how messages call it.

    Raises:
        ConfigurationError: as `load_exceptions`.
    """
    whole = {"exceptions": document} if isinstance(document, list) else document
    require(
        isinstance(whole, dict) and isinstance(whole.get("exceptions"), list),
        f"{name}: expected a list of exceptions (or a mapping with `exceptions`)",
    )
    return _Packed(each.entry() for each in decode(whole, _ExceptionsFile, name).exceptions)


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"expires is {value!r}: write it as YYYY-MM-DD") from None
