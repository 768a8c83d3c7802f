"""64 bits of a hash of texts, which spread over shards by it: of one, or of a whole dictionary of them at once."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]

_ODD: Final = 0x9E37_79B9_7F4A_7C15
"""Multiplying by an odd number loses nothing modulo 2**64."""
_SHIFT: Final = 29
_WORD: Final = 8
_MASK: Final = 2**64 - 1


def text_hash(text: str) -> int:
    """The hash of one text."""
    data = text.encode()
    mixed = len(data)
    for start in range(0, len(data), _WORD):
        mixed = (mixed ^ int.from_bytes(data[start : start + _WORD], "little")) * _ODD & _MASK
        mixed ^= mixed >> _SHIFT
    return mixed


def text_hashes(texts: pa.StringArray) -> Hashes:
    """The hash of each of many texts, none of them missing; without a Python object per text."""
    first, last = texts.offset, texts.offset + len(texts)
    starts = np.frombuffer(texts.buffers()[1], np.int32)[first : last + 1].astype(np.int64)
    lengths = np.diff(starts)
    hashes = lengths.astype(np.uint64)
    if not lengths.any():
        return hashes
    low, high = int(starts[0]), int(starts[-1])
    data = np.zeros(high - low + _WORD, np.uint8)  # the last words read past the end
    data[: high - low] = np.frombuffer(texts.buffers()[2], np.uint8)[low:high]
    words = np.ndarray((high - low + 1,), "<u8", data, strides=(1,))
    kept = np.array([2 ** (8 * size) - 1 for size in range(_WORD + 1)], np.uint64)
    left, at, rows = lengths, starts[:-1] - low, np.arange(len(lengths))
    while len(rows):
        more = left > 0
        left, at, rows = left[more], at[more], rows[more]
        mixed = (hashes[rows] ^ (words[at] & kept[np.minimum(left, _WORD)])) * np.uint64(_ODD)
        hashes[rows] = mixed ^ (mixed >> np.uint64(_SHIFT))
        left, at = left - _WORD, at + _WORD
    return hashes
