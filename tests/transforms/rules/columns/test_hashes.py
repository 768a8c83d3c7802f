"""Hashes of texts, alone and many at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.columns.hashes import text_hash, text_hashes

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8)


@quick
@given(TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_a_text_has_the_same_hash_alone_among_others_and_in_a_part_of_a_table(
    texts: list[str], first: int, count: int
) -> None:
    array = pa.array(texts, pa.string())
    assert text_hashes(array).tolist() == [text_hash(text) for text in texts]
    assert text_hashes(array.slice(first, count)).tolist() == [text_hash(text) for text in texts[first : first + count]]


def test_similar_texts_are_spread() -> None:
    hashes = text_hashes(pa.array([f"host-{number:06}.corp.example" for number in range(20_000)]))
    assert len(np.unique(hashes)) == 20_000
    for shift in (0, 8, 32, 56):
        counts = np.bincount((hashes >> np.uint64(shift)).astype(np.int64) & 15, minlength=16)
        assert counts.min() > 1_000
        assert counts.max() < 1_500
