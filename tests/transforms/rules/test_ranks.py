"""The order in which hosts are kept."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from transforms.rules.ranks import host_rank, host_ranks

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=8)


@quick
@given(TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_a_host_has_the_same_rank_alone_among_others_and_in_a_part_of_a_table(
    hosts: list[str], first: int, count: int
) -> None:
    array = pa.array(hosts, pa.string())
    assert host_ranks(array).tolist() == [host_rank(host) for host in hosts]
    assert host_ranks(array.slice(first, count)).tolist() == [host_rank(host) for host in hosts[first : first + count]]


def test_ranks_do_not_change_from_version_to_version() -> None:
    """Parts of a snapshot and of a run are capped by the same order."""
    assert [host_rank(host) for host in ("", "a", "ham-w00012", "ü" * 20)] == [
        0,
        6110722294915771293,
        1683038761075694005,
        6231487259468469888,
    ]


def test_ranks_of_similar_hosts_are_spread() -> None:
    ranks = host_ranks(pa.array([f"host-{number:06}.corp.example" for number in range(20_000)]))
    assert len(np.unique(ranks)) == 20_000
    for shift in (0, 8, 32, 56):
        counts = np.bincount((ranks >> np.uint64(shift)).astype(np.int64) & 15, minlength=16)
        assert counts.min() > 1_000
        assert counts.max() < 1_500
