"""The order in which hosts are kept: 64 bits of a hash, of one host or of a whole dictionary of them at once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ranks = npt.NDArray[np.uint64]

_ODD: Final = 0x9E37_79B9_7F4A_7C15
"""Multiplying by an odd number loses nothing modulo 2**64: texts of up to eight bytes never share a rank."""
_SHIFT: Final = 29
_WORD: Final = 8
_MASK: Final = 2**64 - 1


@lru_cache(1 << 16)
def host_rank(host: str) -> int:
    """The rank of one host."""
    text = host.encode()
    rank = len(text)
    for start in range(0, len(text), _WORD):
        rank = (rank ^ int.from_bytes(text[start : start + _WORD], "little")) * _ODD & _MASK
        rank ^= rank >> _SHIFT
    return rank


def host_ranks(hosts: pa.StringArray) -> Ranks:
    """The rank of each of many hosts, none of them missing; no Python object a host."""
    starts = np.frombuffer(hosts.buffers()[1], np.int32)[hosts.offset : hosts.offset + len(hosts) + 1].astype(np.int64)
    lengths = np.diff(starts)
    ranks = lengths.astype(np.uint64)
    if not lengths.any():
        return ranks
    low, high = int(starts[0]), int(starts[-1])
    text = np.zeros(high - low + _WORD, np.uint8)  # the last words read past the end
    text[: high - low] = np.frombuffer(hosts.buffers()[2], np.uint8)[low:high]
    words = np.ndarray((high - low + 1,), "<u8", text, strides=(1,))
    kept = np.array([2 ** (8 * size) - 1 for size in range(_WORD + 1)], np.uint64)
    left, at, rows = lengths, starts[:-1] - low, np.arange(len(lengths))
    while len(rows):
        more = left > 0
        left, at, rows = left[more], at[more], rows[more]
        mixed = (ranks[rows] ^ (words[at] & kept[np.minimum(left, _WORD)])) * np.uint64(_ODD)
        ranks[rows] = mixed ^ (mixed >> np.uint64(_SHIFT))
        left, at = left - _WORD, at + _WORD
    return ranks
