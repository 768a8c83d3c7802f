"""A program that every host has teaches the snapshot a handful of hosts, and hides nothing."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.measuring import PIPELINE
from tests.benchmarks.popular import run


def test_sets_of_a_popular_program_are_capped(tmp_path: Path) -> None:
    hosts, days, kept, window, subjects = 300, 35, 5, 30, 4
    found = run(tmp_path / "data", hosts, days, 1, PIPELINE, [])
    assert found.problems == []
    assert found.most_hosts == kept
    # communication, parentage, binary, service; and on the last day the service of programs that are rare
    assert found.popular_days == window * subjects + 1
    assert found.cost.cpu > 0
    assert found.cost.tree >= found.cost.memory > 0
