"""Globs as the user's exceptions write them: `*`, `?`, `[abc]`, `[!a-c]`, matched whole (those of `fnmatch`)."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from typing import Final

_TOKEN: Final = re.compile(r"\[!?+\]?+[^\]]*\]|.", re.DOTALL)
"""A set, or one character; a bracket that is never closed is a character like others, as for `fnmatch`."""


_STAR_OR_QUESTION: Final = re.compile(r"[*?]")
_REMEMBERED: Final = 1 << 12
"""Patterns: to compile one takes as long as a thousand of its matches, and to keep it a few kilobytes."""


@lru_cache(_REMEMBERED)
def pattern_of(glob: str) -> re.Pattern[str]:
    """The regular expression whose `match` says whether a whole text matches a glob."""
    return re.compile(translate(glob))


def tokens(glob: str) -> list[str]:
    """The pieces of a glob: `*`, `?`, sets with their brackets, and single characters.

    >>> tokens("a[!b]*")
    ['a', '[!b]', '*']
    """
    return _TOKEN.findall(glob)


def is_wild(token: str) -> bool:
    """Whether a piece of a glob stands for more than itself."""
    return token in ("*", "?") or len(token) > 1


def plain_parts(glob: str) -> list[str]:
    """The plain text before, between and after the wild pieces of a glob. One part alone is all that it matches.

    A set of one character is how that character is escaped.

    >>> plain_parts("tele*am?"), plain_parts("c:/users/[*]/app"), plain_parts("[ab]c")
    (['tele', 'am', ''], ['c:/users/*/app'], ['', 'c'])
    """
    if "[" not in glob:
        return _STAR_OR_QUESTION.split(glob)
    parts = [""]
    for token in tokens(glob):
        if len(token) == len("[x]"):
            parts[-1] += token[1]
        elif is_wild(token):
            parts.append("")
        else:
            parts[-1] += token
    return parts


def covers(wide: str, narrow: str) -> bool:
    """Whether every text that `narrow` matches is matched by `wide`, too.

    `True` is certain. `False` is not where sets of characters overlap, or where `*` and `?` are mixed in another order.

    >>> covers("tele*", "telegram"), covers("*.org", "*.telegram.org"), covers("?", "*")
    (True, True, False)
    """
    wanted = tokens(wide)
    places = _past_stars({0}, wanted)
    for token in tokens(narrow):
        stay = {place for place in places if wanted[place : place + 1] == ["*"]}
        move = {place + 1 for place in places if place < len(wanted) and _takes(wanted[place], token)}
        places = _past_stars(stay | move, wanted)
    return len(wanted) in places


def _past_stars(places: set[int], wanted: list[str]) -> set[int]:
    """These places of a glob, and those that are reached from them when stars match nothing."""
    reached = set(places)
    for place, token in enumerate(wanted):
        if token == "*" and place in reached:
            reached.add(place + 1)
    return reached


def _takes(wanted: str, token: str) -> bool:
    """Whether a piece that matches one character matches all that another one does."""
    if "*" in (wanted, token):
        return False
    return wanted in ("?", token) or (not is_wild(token) and fnmatchcase(token, wanted))
