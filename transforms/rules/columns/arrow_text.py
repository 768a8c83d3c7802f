"""What can be told of many texts at once, without a Python object for each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.transforms.rules.columns.text import LONGEST_MARKER


def needs_cleaning(dictionary: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Values that trimming or the markers of missing values may change: white space at an end, or very short."""
    offsets = offsets_of(dictionary)
    doubtful: npt.NDArray[np.bool_] = np.diff(offsets) <= LONGEST_MARKER
    rows = np.flatnonzero(~doubtful)
    if len(rows):
        data = np.frombuffer(dictionary.buffers()[2], np.uint8)
        for end in (data[offsets[rows]], data[offsets[rows + 1] - 1]):
            doubtful[rows] |= (end <= ord(" ")) | (end > ord("~"))
    return doubtful


def offsets_of(texts: pa.StringArray) -> npt.NDArray[np.int32]:
    """Where each text begins in the bytes of all, and where the last one ends."""
    if not len(texts):
        return np.zeros(1, np.int32)
    return np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]


def matches(texts: pa.StringArray, pattern: str) -> npt.NDArray[np.bool_]:
    """Texts that match an RE2 pattern somewhere."""
    return pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)


def in_folder(dictionary: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Values that hold a slash or a backslash."""
    return matches(dictionary, r"[/\\]")
