"""How often Python searches this process for garbage."""

from __future__ import annotations

import gc
from typing import Final

_NEW_OBJECTS: Final = 100_000
"""After how many the collector searches for garbage; Python's own 700 are reached every few hundred records."""


def collect_seldom() -> None:
    """Records are freed as soon as they were read: what the collector finds beside them is not worth the search."""
    gc.set_threshold(_NEW_OBJECTS, 50, 50)
