"""Normal forms of single text values (specification, section 2)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

MISSING: Final = frozenset(("", "-", "n/a", "unknown", "null"))
"""Trimmed, lower-case texts that mean "no value"."""
LONGEST_MARKER: Final = max(map(len, MISSING))
UNMARKED: Final = frozenset(map(chr, range(0x21, 0x7F))).difference("-nNuU")
"""What no such text begins with, and nearly all others do: told without a call where it is asked for each value."""
_LONGEST_REMEMBERED: Final = 2000
"""Characters; longer command lines occur, but not by the thousand, unless somebody wants to fill the memory."""

_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PORT: Final = re.compile(r":[0-9]*$")
_LONGEST_NAME: Final = 1000
"""DNS takes 253 characters at most; IDNA of a text of a megabyte would take a minute."""

Result = TypeVar("Result")


def memoise(function: Callable[[str], Result], entries: int) -> Callable[[str], Result]:
    """A function of a text with a memory of so many results, but not of long texts: these may fill it."""
    known = lru_cache(entries)(function)

    def recall(text: str) -> Result:
        return known(text) if len(text) <= _LONGEST_REMEMBERED else function(text)

    return recall


def memoise_together(function: Callable[..., Result], entries: int) -> Callable[..., Result]:
    """As `memoise`, for a function of several texts, of which some may be missing."""
    known = lru_cache(entries)(function)

    def recall(*texts: str | None) -> Result:
        return known(*texts) if sum(map(len, filter(None, texts))) <= _LONGEST_REMEMBERED else function(*texts)

    return recall


def clean_text(value: str | None) -> str | None:
    """`value` trimmed, `None` if it is missing or one of the markers."""
    if value is None:
        return None
    trimmed = value.strip()
    return None if trimmed.lower() in MISSING else trimmed


def is_marker(text: str) -> bool:
    """True for a text that means "no value"; long texts need no look unless white space may surround a marker."""
    if text[:1] in UNMARKED:
        return False
    if len(text) > LONGEST_MARKER and " " < text[0] <= "~" and " " < text[-1] <= "~":
        return False
    return text.strip().lower() in MISSING


def base_name(path: str) -> str:
    """What follows the last slash or backslash."""
    return path[max(path.rfind("/"), path.rfind("\\")) + 1 :]


def clean_process_name(value: str | None) -> str | None:
    """The base name of a process name. The markers do not apply: a process may be called `null`."""
    return (base_name(value.strip()).strip() or None) if value is not None else None


def clean_remote_host(value: str | None) -> tuple[str | None, str | None]:
    """(host, address) of a remote host as sensors write it: one of the two, or neither.

    The host loses scheme, user, path, port and trailing dots, and becomes lower-case ASCII (IDNA; a name that IDNA
    refuses stays as it is). A text that is an IP address is returned as address.

    >>> clean_remote_host("https://API.Telegram.org:443/bot1/getMe")
    ('api.telegram.org', None)
    >>> clean_remote_host("[2001:db8::1]:443")
    (None, '2001:db8::1')
    """
    text = clean_text(value)
    if text is None:
        return None, None
    if is_address(text):
        return None, text
    text = re.split(r"[/\\?#]", _SCHEME.sub("", text), maxsplit=1)[0].rpartition("@")[2]
    bracketed = text[1:].partition("]")[0] if text.startswith("[") else text
    if is_address(bracketed):
        return None, bracketed
    text = _PORT.sub("", text).strip().rstrip(".")
    if is_address(text):
        return None, text
    name = to_ascii(text.lower()).rstrip(".")  # IDNA turns other scripts' full stops into dots
    if is_address(name):
        return None, name
    return (None, None) if name in MISSING else (name, None)


def to_ascii(name: str) -> str:
    """IDNA form of a lower-case host name; the name itself where there is none, or it is too long to be one."""
    if name.isascii() or len(name) > _LONGEST_NAME:
        return name
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return name


def is_address(text: str) -> bool:
    """True if `text` is an IPv4 or IPv6 address."""
    return parse_address(text) is not None


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `text` writes, an IPv4-mapped IPv6 address as its IPv4; `None` if it writes none."""
    if not text or not (text[0].isdigit() or ":" in text):
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
