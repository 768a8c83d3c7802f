"""Text of telemetry as people may look at it, on a page or a terminal."""

from __future__ import annotations

import re
from typing import Final

_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that are not seen, change the order of what is seen, or give orders to a terminal."""


def visible(text: object) -> str:
    """Text with its hidden characters as their numbers: a name that reads backwards must not pass for another.

    >>> visible("report\u202efdp.exe")
    'report⟨U+202E⟩fdp.exe'
    """
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", str(text))
