"""Regular expressions of what is exported, in the words that all dialects share.

Several of them are alternatives. They are looked for in lower-case text, and have no backslash, quote or slash: so they
are written alike in RE2, Java, PCRE, Rust and Lucene, and in every kind of string. They find all that the detector
would, and little else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import takewhile
from typing import Final

_NOT_ASCII: Final = "[^ -~]"
"""IDNA makes plain letters of some that are not: what has one is left to the detector."""
_END: Final = "[.]*($|[^a-z0-9_.-])"
_OCTET: Final = 8
_GROUP: Final = 16
_IPV6: Final = 6


def named(hosts: Iterable[str], exact: Iterable[str]) -> list[str]:
    """Texts that name one of these hosts, or one below those of `hosts`: alone, in a URL, in JSON, with a port."""
    parts = [_NOT_ASCII]
    parts += [f"(^|[^a-z0-9_-])({alternatives}){_END}"] if (alternatives := any_of(hosts)) else []
    parts += [f"(^|[^a-z0-9_.-])({alternatives}){_END}"] if (alternatives := any_of(exact)) else []
    return parts


def excluded(hosts: Iterable[str]) -> str:
    """Names that are no servers, as a whole text; empty if there is none.

    A text that is more than that (a URL, a port) stays, which is a record too many.
    """
    listed = list(hosts)
    below = any_of(host.removeprefix("*.") for host in listed if host.startswith("*."))
    itself = any_of(host for host in listed if not host.startswith("*."))
    names = "|".join(part for part in (below and f"([a-z0-9_-]+[.])*({below})", itself) if part)
    return f"({names})[.]?" if names else ""


def ranged(networks: Iterable[str]) -> list[str]:
    """Texts with an address of these ranges. Empty if there is none.

    A range that begins within the last octet, or within a group of IPv6, is widened to all of it.
    """
    known = [ipaddress.ip_network(network) for network in networks]
    four = _octets({head for network in known for head in _heads(network)})
    six = sorted({_groups(network) for network in known if network.version == _IPV6})
    parts = [f"(^|[^0-9.])({four})"] if four else []
    # An IPv4 address in the last groups of IPv6, in hexadecimal digits.
    parts += ["ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}($|[^0-9a-f:])"] if four else []
    parts += [f"(^|[^0-9a-f:])({'|'.join(six)})"] if six else []
    return parts


def anchored(pattern: str) -> str:
    """A pattern of this module for languages whose patterns are of the whole text, as Lucene's are."""
    begun = re.sub(r"^\(\^\|(\[[^]]*\])\)", r"(.*\1)?", pattern)
    begun = begun if begun != pattern else ".*" + begun
    ended = re.sub(r"\(\$\|(\[[^]]*\])\)$", r"(\1.*)?", begun)
    return ended if ended != begun else ended + ".*"


def engine(names: Iterable[str]) -> str:
    """Texts that end with one of these names of images, maybe with a version and `.exe`."""
    return f"(^|[^a-z0-9._-])({any_of(names)})([-_]?[0-9][0-9.]*)?([.]exe)?($|[^!-~])"


def any_of(texts: Iterable[str]) -> str:
    """Alternatives that are these texts; empty without any."""
    return "|".join(sorted(literal(text) for text in texts))


def literal(text: str) -> str:
    """A text as itself: what means something else stands in brackets."""
    return "".join(char if char.isalnum() or char in "-_:" else f"[{char}]" for char in text)


def _heads(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Iterator[tuple[int, ...]]:
    """The first octets of the addresses of an IPv4 range: one to three."""
    if not isinstance(network, ipaddress.IPv4Network):
        return
    octets = min(3, -(-network.prefixlen // _OCTET)) or 1
    step = 32 - octets * _OCTET
    for value in range(int(network[0]) >> step, (int(network[-1]) >> step) + 1):
        yield tuple(ipaddress.IPv4Address(value << step).packed[:octets])


def _octets(heads: Collection[tuple[int, ...]]) -> str:
    """Alternatives of first octets, those of a beginning together."""
    above: dict[tuple[int, ...], list[int]] = {}
    for head in sorted(heads):
        if not any(head[:length] in heads for length in range(1, len(head))):
            above.setdefault(head[:-1], []).append(head[-1])
    return "|".join(
        "".join(f"{octet}[.]" for octet in begin) + f"({'|'.join(map(str, last))})[.]" for begin, last in above.items()
    )


def _groups(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """The first groups of the addresses of an IPv6 range, up to one of zeros, which may be left out."""
    groups = network.exploded.partition("/")[0].split(":")[: network.prefixlen // _GROUP]
    known = takewhile(lambda group: group.strip("0"), groups)
    return "".join(f"0*{group.lstrip('0')}:" for group in known) or "[0-9a-f]*:"
