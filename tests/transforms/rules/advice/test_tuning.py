"""Previews of other limits and of exceptions, on evidence made by hand."""

from __future__ import annotations

import pyarrow as pa
import pytest
from msgspec.structs import replace

from tests.transforms.rules.evidence_rows import HOUR_US, activity, evidence
from tests.transforms.rules.records import DAY
from uncommon_im.schemas.detector import Limits, load_detector
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.schemas.snapshot import SAID_SCHEMA
from uncommon_im.transforms.rules.advice.exception_proposals import proposals
from uncommon_im.transforms.rules.advice.tuning import Preview, Tuning

DETECTOR = load_detector()
LIMITS = DETECTOR.limits


def tuning(*activities: dict[str, object], said: pa.Table | None = None) -> Tuning:
    return Tuning(evidence(*activities), SAID_SCHEMA.empty_table() if said is None else said, DETECTOR)


def counts(preview: Preview) -> tuple[int, ...]:
    return tuple(preview.verdicts[name] for name in ("excepted", "duplicate", "rolled_up", "alert"))


@pytest.mark.parametrize(
    ("changed", "alerts"),
    [
        ({}, 2),
        ({"max_other_hosts": 4}, 3),
        ({"max_host_days": 3}, 3),
        ({"max_other_hosts": 4, "max_host_days": 3}, 5),
        ({"max_other_hosts": 2}, 1),
        ({"max_host_days": 1}, 1),
    ],
)
def test_rare_is_what_both_limits_allow(changed: dict[str, int], alerts: int) -> None:
    figures = ((0, 2), (3, 0), (4, 0), (0, 3), (4, 3))
    rows = [
        activity(host=f"h{n}", other_hosts=hosts, host_days=days, reasons="unsigned")
        for n, (hosts, days) in enumerate(figures)
    ]
    assert counts(tuning(*rows).preview(replace(LIMITS, **changed))) == (0, 0, 0, alerts)


def test_the_execution_limits_decide_the_variation_and_so_the_alerts_id() -> None:
    told = tuning(activity(script="python|stdin", execution_other_hosts=4, execution_host_days=0))
    strict, loose = told.preview(LIMITS), told.preview(replace(LIMITS, execution_max_other_hosts=4))
    assert [alert.variation for alert in strict.alerts] == ["base"]
    assert [alert.variation for alert in loose.alerts] == ["uncommon_scripting_engine"]
    assert strict.alerts[0].alert_id != loose.alerts[0].alert_id


def test_what_has_no_execution_is_no_uncommon_one() -> None:
    assert [alert.variation for alert in tuning(activity()).preview(LIMITS).alerts] == ["base"]


def test_what_becomes_rare_repeats_and_is_repeated() -> None:
    told = tuning(activity(hour=9, host_days=3), activity(hour=12))
    assert counts(told.preview(LIMITS)) == (0, 0, 0, 1)
    assert counts(told.preview(replace(LIMITS, max_host_days=3))) == (0, 1, 0, 1)


def test_what_was_said_before_the_run_is_repeated() -> None:
    key = {"tenant": "t", "host": "h1", "program": "courier.exe", "origin": "courier ltd", "reduced_script": ""}
    said = key | {"service": "telegram", "severity": "Informational", "event_id": "e", "alert_id": "a"}
    before = pa.Table.from_pylist([said | {"time": (DAY * 24 - 2) * HOUR_US}], schema=SAID_SCHEMA)
    assert counts(tuning(activity(), said=before).preview(LIMITS)) == (0, 1, 0, 0)
    assert counts(tuning(activity(day=1), said=before).preview(LIMITS)) == (0, 0, 0, 1)


def test_a_roll_out_costs_what_the_limit_says() -> None:
    told = tuning(*(activity(host=f"h{n}") for n in range(5)))
    preview = told.preview(replace(LIMITS, max_alerts_per_group=2))
    assert counts(preview) == (0, 0, 3, 2)
    assert preview.days() == {(DAY, "base"): 2}


def test_excepted_activities_are_counted_where_they_are_rare_and_stay_excepted() -> None:
    told = tuning(activity(excepted=True), activity(excepted=True, host_days=3), activity(host="h2"))
    assert counts(told.preview(LIMITS)) == (1, 0, 0, 1)
    courier = ExceptionEntry((("process_name", "cour*"),), "known")
    assert counts(told.preview(LIMITS, courier)) == (2, 0, 0, 0)
    assert counts(told.preview(LIMITS)) == (1, 0, 0, 1), "a preview leaves no trace"


def test_an_exception_lets_roll_ups_take_the_places_that_become_free() -> None:
    told = tuning(*(activity(host=f"h{n}", hour=n) for n in range(4)))
    limits = replace(LIMITS, max_alerts_per_group=2)
    one_host = ExceptionEntry((("process_name", "courier.exe"), ("host_id", "h0")), "known")
    assert counts(told.preview(limits, one_host)) == (1, 0, 1, 2)


def proposed(limits: Limits, *activities: dict[str, object]) -> list[tuple[dict[str, str], int]]:
    told = tuning(*activities)
    found = proposals(told, told.preview(limits), limits, 10)
    return [(dict(proposal.entry.globs), proposal.alerts) for proposal in found]


def test_exceptions_are_proposed_a_program_and_service_those_that_remove_most_first() -> None:
    program = {"process_name": "courier.exe", "origin": "courier ltd"}
    rows = [activity(service="slack"), *(activity(host=f"h{n}") for n in range(2)), activity(host="h3", host_days=9)]
    assert proposed(LIMITS, *rows) == [
        (program | {"service_id": "telegram"}, 2),
        (program | {"service_id": "slack", "host_id": "h1"}, 1),
    ]


def test_for_scripting_engines_the_host_is_always_named() -> None:
    rows = [activity(host=f"h{n}", script="python|stdin", reduced_script="python|stdin") for n in range(2)]
    assert [match["host_id"] for match, _ in proposed(LIMITS, *rows)] == ["h0", "h1"]


def test_a_proposal_says_which_scripting_engine_it_would_hide() -> None:
    script = {"script": "python|script:/srv/a.py", "reduced_script": "python|script:/srv/a.py"}
    told = tuning(activity(host="h1", **script), activity(host="h2", service="slack"))
    found = proposals(told, told.preview(LIMITS), LIMITS, 2)
    assert sorted(proposal.engines for proposal in found) == [(), ("python",)]


def test_an_exception_that_only_makes_room_for_roll_ups_is_not_proposed() -> None:
    script = {"script": "python|stdin", "reduced_script": "python|stdin"}
    rows = [activity(host=f"h{n}", hour=n, **script) for n in range(3)]
    assert proposed(replace(LIMITS, max_alerts_per_group=1), *rows) == []


def test_a_proposal_matches_its_values_only_and_says_what_is_suspicious() -> None:
    origin = "unsigned:c:/users/*/temp"
    told = tuning(
        activity(origin=origin, reasons="unsigned"),
        activity(origin="unsigned:c:/users/x/temp", reasons="untrusted_path,unsigned"),
    )
    found = proposals(told, told.preview(LIMITS), LIMITS, 1)
    (proposal,) = found
    assert dict(proposal.entry.globs)["origin"] == "unsigned:c:/users/[*]/temp"
    assert (proposal.alerts, proposal.hosts, proposal.days, proposal.reasons) == (1, 1, 1, ("unsigned",))
