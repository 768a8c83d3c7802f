"""The stream's rules give what the backfill and the oracle give. No engine: the worst that one may do is simulated."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from tests.oracle import detect
from tests.oracle.stream import Waiting, detect_stream
from tests.organisations import random_organisation
from tests.pipeline.test_backfill_oracle import comparable, oracle_rows, verdict_rows
from tests.running import configuration_of
from tests.transforms.rules.stream.driving import SECOND_US, drive, on_time, with_late_ones
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.stream.arrivals import LATE, TOO_LATE
from uncommon_im.transforms.rules.stream.lateness import Lateness

HOUR_US = 3600 * SECOND_US


def comparable_with_late(alert: dict[str, Any]) -> tuple[Any, ...]:
    return (*comparable(alert), alert["late"])


@pytest.mark.parametrize("seed", range(3))
def test_any_arrival_order_within_the_lateness_gives_the_alerts_and_verdicts_of_the_backfills_oracle(seed: int) -> None:
    organisation = random_organisation(seed)
    allowed = (600, 0, 7200)[seed % 3] * SECOND_US
    lateness = Lateness(allowed, 24 * HOUR_US, organisation.options.training_days)
    arrivals = on_time(organisation, seed, allowed, times=1 + seed % 3)
    driven = drive(arrivals, configuration_of(organisation.options), lateness, seed)
    expected = detect(organisation.records, organisation.options)
    assert Counter(map(comparable, driven.engine.alerts)) == Counter(map(comparable, expected.alerts)), organisation
    assert verdict_rows(driven.engine.verdicts) == oracle_rows(expected.activities), organisation.story
    assert not any(alert["late"] for alert in driven.engine.alerts)
    assert all(not stage.holds for stage in driven.engine.stages.values()), "state is left"


@pytest.mark.parametrize("seed", range(12, 15))
def test_late_records_do_the_same_under_any_engine_and_every_count_adds_up(seed: int) -> None:
    organisation, chooser = random_organisation(seed), random.Random(seed)
    waiting = Waiting(chooser.choice((0, 60, 600, 7200)) * SECOND_US, chooser.choice((6, 24, 72)) * HOUR_US)
    lateness = Lateness(waiting.lateness, waiting.horizon, organisation.options.training_days)
    arrivals = with_late_ones(organisation, chooser, waiting)
    driven = drive(arrivals, configuration_of(organisation.options), lateness, seed)
    expected = detect_stream(arrivals, organisation.options, waiting)

    found = driven.engine
    assert Counter(map(comparable_with_late, found.alerts)) == Counter(map(comparable_with_late, expected.alerts))
    assert verdict_rows(found.verdicts) == oracle_rows(expected.activities), organisation.story
    assert min(expected.verdicts["too_late"], sum(alert["late"] for alert in expected.alerts)) >= 5

    counts = driven.counts
    assert (counts[LATE], counts[TOO_LATE]) == (expected.late, expected.too_late)
    assert +driven.dead == +expected.dead_letters
    assert counts[tally.READ] == len(arrivals) == counts[tally.VALID] + sum(driven.dead.values())
    activities, folded = found.counts["activities"], found.counts["communications.folded"]
    assert counts[tally.COMMUNICATIONS] == expected.communications == activities + folded
    assert activities == len(found.verdicts) == sum(expected.verdicts.values())
    verdicts = {name.removeprefix("verdicts."): n for name, n in found.counts.items() if name.startswith("verdicts.")}
    assert verdicts == +expected.verdicts
    assert found.counts["alerts.late"] == sum(alert["late"] for alert in expected.alerts)
