"""What a run counted."""

from __future__ import annotations

from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.tally import Tally, summary_of


def test_a_run_that_counted_nothing_has_a_zero_for_every_number() -> None:
    assert summary_of(Tally()) == {
        "events": {"read": 0, "valid": 0, "out_of_range": 0, "dead_letter": {}},
        "communications": 0,
        "communications_without_process": 0,
        "activities": 0,
        "verdicts": {
            "training": 0,
            "too_late": 0,
            "learning": 0,
            "common_in_organisation": 0,
            "common_on_host": 0,
            "excepted": 0,
            "duplicate": 0,
            "rolled_up": 0,
            "alert": 0,
        },
        "alerts": {"base": 0, "suspicious_process": 0, "uncommon_scripting_engine": 0},
    }


def test_every_number_is_found_in_its_place() -> None:
    counted = Tally(
        {
            tally.READ: 9,
            tally.VALID: 5,
            tally.OUT_OF_RANGE: 1,
            tally.dead_letter("malformed"): 3,
            tally.dead_letter("bad_timestamp"): 1,
            tally.COMMUNICATIONS: 4,
            tally.ACTIVITIES: 2,
            tally.verdict("alert"): 1,
            tally.verdict("learning"): 1,
            tally.alert("base"): 1,
        }
    )
    summary = summary_of(counted)
    assert summary["events"] == {
        "read": 9,
        "valid": 5,
        "out_of_range": 1,
        "dead_letter": {"bad_timestamp": 1, "malformed": 3},
    }
    assert (summary["communications"], summary["activities"]) == (4, 2)
    assert {name: count for name, count in summary["verdicts"].items() if count} == {"alert": 1, "learning": 1}
    assert summary["alerts"] == {"base": 1, "suspicious_process": 0, "uncommon_scripting_engine": 0}


def test_tallies_add_up_in_any_order() -> None:
    parts = [Tally({tally.READ: n, tally.dead_letter(f"r{n % 2}"): 1}) for n in range(4)]
    assert summary_of(sum(parts, Tally())) == summary_of(sum(reversed(parts), Tally()))
    assert summary_of(sum(parts, Tally()))["events"]["dead_letter"] == {"r0": 2, "r1": 2}
