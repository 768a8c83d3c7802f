"""The user's exceptions: communications that need no alert (specification, section 7)."""

from __future__ import annotations

import zlib
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from uncommon_im.schemas.decoding import Entry, Scalar, decode
from uncommon_im.schemas.documents import ConfigurationError, read_yaml

_Glob = Scalar | None


class Criteria(Entry, frozen=True):
    """What an entry matches, as it is written; numbers serve as globs."""

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

    def __post_init__(self) -> None:
        """Raises `ValueError`: there is no glob, or no reason."""
        if not self.globs():
            raise ValueError(f"matches everything: give at least one of {', '.join(EXCEPTION_FIELDS)}")
        if not str(self.reason or "").strip():
            raise ValueError("needs a `reason`, so that others know why it is there")

    def globs(self) -> dict[str, str]:
        """Field of `EXCEPTION_FIELDS` -> glob in lower case, of those that are given."""
        values = zip(EXCEPTION_FIELDS, astuple(self), strict=False)  # up to the reason
        return {name: str(value).strip().lower() for name, value in values if value is not None}


class _Exception(Criteria, frozen=True):
    """An exception as it is written."""

    expires: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        day_of("expires", self.expires)

    def entry(self) -> ExceptionEntry:
        globs = tuple(self.globs().items())
        return ExceptionEntry(globs, str(self.reason).strip(), day_of("expires", self.expires))


class _ExceptionsFile(Entry, frozen=True):
    exceptions: tuple[_Exception, ...]


EXCEPTION_FIELDS: Final = Criteria.__struct_fields__[:-1]


class ExceptionEntry(msgspec.Struct, frozen=True, gc=False):
    """One exception: all its globs must match (without case).

    Args:
        globs: (field of `EXCEPTION_FIELDS`, lower-case glob) pairs, at least one.
        reason: why, in the user's words.
        expires: the last UTC day on which it holds, by the event's time; `None`: it does not expire.
        begins: the first UTC day on which it holds; `None`: it has always held.
    """

    globs: tuple[tuple[str, str], ...]
    reason: str
    expires: date | None = None
    begins: date | None = None


class Packed(tuple[ExceptionEntry, ...]):
    """Entries that are packed once, however often they are copied to other steps and processes, and unpacked once."""

    def __reduce__(self) -> Any:
        return _unpacked, (self._packed,)

    @cached_property
    def _packed(self) -> bytes:
        return zlib.compress(msgspec.msgpack.encode(tuple(self)))


@lru_cache(2)  # exceptions, and what is malicious
def _unpacked(packed: bytes) -> Packed:
    entries = Packed(msgspec.msgpack.decode(zlib.decompress(packed), type=tuple[ExceptionEntry, ...]))
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
    whole = listed(document, "exceptions", name)
    return Packed(each.entry() for each in decode(whole, _ExceptionsFile, name).exceptions)


def listed(document: object, key: str, name: str) -> dict[str, Any]:
    """A mapping with a list under `key`, of a document that is one, or is the list itself.

    Raises:
        ConfigurationError: it is neither.
    """
    whole = {key: document} if isinstance(document, list) else document
    if isinstance(whole, dict) and isinstance(whole.get(key), list):
        return whole
    raise ConfigurationError(f"{name}: expected a list of {key} (or a mapping with `{key}`)")


def day_of(field: str, value: object) -> date | None:
    """The day that a field of an entry says, however YAML or JSON read it.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{field} is {value!r}: write it as YYYY-MM-DD") from None
