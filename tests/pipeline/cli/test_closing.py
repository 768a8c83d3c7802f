"""How commands end: every place that they wrote to, and what to do next."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from uncommon_im.pipeline.cli.closing import Written, command


def counted(alerts: int = 0, learning: int = 0, dead: int = 0) -> dict[str, Any]:
    return {"verdicts": {"alert": alerts, "learning": learning}, "events": {"dead_letter": {"malformed": dead}}}


def test_every_folder_and_table_is_named() -> None:
    whole = Written(
        "runs/a", "p.d", verdicts=True, evidence=True, snapshot="base", as_of=date(2026, 3, 2), learned="l", topic="t"
    )
    said = "\n".join(whole.places())
    for place in ("alerts/*.jsonl", "dead_letter/*.jsonl", "verdicts/*.jsonl", "evidence/*.parquet", "summary.json"):
        assert f"runs/a/{place}" in said
    for place in ("p.d.alerts", "p.d.dead_letters", "p.d.verdicts", "2026-03-02 in base", "alerts to t", "in l"):
        assert place in said


def test_what_was_not_written_is_not_named() -> None:
    assert "\n".join(Written("o").places(summary=False)) == "files: o/alerts/*.jsonl, o/dead_letter/*.jsonl"
    assert not list(Written().places())


@pytest.mark.parametrize(
    ("written", "summary", "expected"),
    [
        (Written("o"), counted(alerts=1), ["uncommon-im cases o", "uncommon-im report o"]),
        (Written("o"), counted(learning=5), ["no alerts yet: 5 activities", "--activation-days"]),
        (Written("o"), counted(dead=2), ["o/dead_letter say what could not be used"]),
        (Written("o", evidence=True), counted(), ["uncommon-im tune o"]),
        (Written(dataset="p.d"), counted(alerts=1), ["the view p.d.cases"]),
        (Written("o", snapshot="b", as_of=date(2026, 3, 2)), counted(), ["--start 2026-03-02 --baseline-in b"]),
        (Written("o"), counted(), []),
    ],
)
def test_the_next_steps_follow_from_what_was_found(written: Written, summary: dict, expected: list[str]) -> None:
    said = "\n".join(written.steps(summary))
    assert all(part in said for part in expected)
    assert bool(said) == bool(expected)


def test_commands_are_said_as_they_are_typed() -> None:
    assert command("report", "my run") == "uncommon-im report 'my run'"
