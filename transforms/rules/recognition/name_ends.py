"""A cheap first look at many texts: which may end with one of some names?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.transforms.rules.columns.arrow_text import offsets_of
from uncommon_im.transforms.rules.columns.column import Mask

_WIDTH: Final = 8
"""How many bytes of an end are looked at: those of one 64-bit number."""


class NameEnds:
    """The last bytes of some names.

    A regular expression of all names says the same and more, but to compile one of 500 names takes milliseconds, for
    every batch again.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Names of any length; an empty one ends every text."""
        ends: defaultdict[int, set[int]] = defaultdict(set)
        for name in names:
            last = name.encode()[-_WIDTH:]
            ends[len(last)].add(int.from_bytes(last, "little"))
        self._everything = bool(ends.pop(0, None))
        self._ends = {8 * length: np.array(sorted(found), np.uint64) for length, found in ends.items()}

    def may_end(self, texts: pa.StringArray) -> Mask:
        """Texts that may end with one of the names: all that do, and few others."""
        ends = offsets_of(texts)[1:]
        if self._everything or not len(texts):
            return np.full(len(texts), self._everything, np.bool_)
        found = ends < _WIDTH  # these reach over the beginning of the data
        data = texts.buffers()[2]
        if data is None or data.size < _WIDTH:
            return np.ones(len(texts), np.bool_)
        windows: npt.NDArray[np.uint64] = np.ndarray((data.size - _WIDTH + 1,), "<u8", data, strides=(1,))
        last = windows[np.maximum(ends - _WIDTH, 0)]
        for bits, known in self._ends.items():
            end = last >> np.uint64(64 - bits)
            found |= known[np.minimum(np.searchsorted(known, end), len(known) - 1)] == end
        return found
