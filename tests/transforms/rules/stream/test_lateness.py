"""When what counts: borders of lateness, horizon, days."""

from __future__ import annotations

import numpy as np
import pytest

from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.stream.hosts import ASK_MS
from uncommon_im.transforms.rules.stream.instances import COMPLETE_MS
from uncommon_im.transforms.rules.stream.lateness import SETTLED_MS, Lateness, end_of_second

SECOND, DAY = 1_000_000, 86_400_000_000
MIDNIGHT = 20_000 * DAY
WAIT = Lateness(600 * SECOND, DAY, 30)


def one(value: int) -> np.ndarray:
    return np.array([value], np.int64)


@pytest.mark.parametrize(("delay", "late", "too_late"), [(0, False, False), (600 * SECOND, False, False),
    (600 * SECOND + 1, True, False), (DAY, True, False), (DAY + 1, True, True)])  # fmt: skip
def test_late_is_more_than_allowed_and_too_late_more_than_the_horizon(delay: int, late: bool, too_late: bool) -> None:
    time, arrival = one(MIDNIGHT), one(MIDNIGHT + delay)
    assert (bool(WAIT.late(time, arrival)[0]), bool(WAIT.too_late(time, arrival)[0])) == (late, too_late)


@pytest.mark.parametrize("delay", [0, 1, 600 * SECOND])
def test_within_the_lateness_it_does_not_matter_when_a_record_arrives(delay: int) -> None:
    time, arrival = one(MIDNIGHT + 999), one(MIDNIGHT + 999 + delay)
    assert WAIT.instants(time, arrival)[0] == MIDNIGHT // 1000 + 600_000
    assert WAIT.counts_after(time, arrival)[0] == 20_000


def test_a_late_record_counts_from_its_arrival_and_is_known_when_the_next_day_opens() -> None:
    time, arrival = one(MIDNIGHT - 3 * DAY), one(MIDNIGHT + 5 * SECOND)
    assert WAIT.instants(time, arrival)[0] == MIDNIGHT // 1000 + 5_000
    assert WAIT.counts_after(time, arrival)[0] == 19_999, "the day opens ten minutes after midnight"
    assert WAIT.counts_after(time, arrival + 600 * SECOND)[0] == 20_000
    for delay in (0, 600 * SECOND - 5 * SECOND - 1, 600 * SECOND):
        (instant,), (known,) = WAIT.instants(time, arrival + delay), WAIT.counts_after(time, arrival + delay)
        assert WAIT.day_known(int(instant)) == known


def test_a_day_opens_when_all_of_yesterday_has_had_its_time_to_arrive_and_to_be_completed() -> None:
    opening = WAIT.opening(20_000)
    assert opening == MIDNIGHT // 1000 + 600_000 + SETTLED_MS
    assert (WAIT.last_open_day(opening - 1), WAIT.last_open_day(opening)) == (19_999, 20_000)


def test_sightings_are_needed_for_the_window_a_day_the_horizon_and_the_lateness() -> None:
    forgetting = WAIT.forgetting(20_000)
    assert forgetting == (MIDNIGHT + 31 * DAY + DAY + 600 * SECOND) // 1000 + SETTLED_MS + 1
    assert (WAIT.needed_from(forgetting - 1), WAIT.needed_from(forgetting)) == (20_000, 20_001)


def test_a_horizon_shorter_than_the_lateness_is_refused_with_both_values() -> None:
    with pytest.raises(
        ConfigurationError, match=r"--late-horizon \(60 s\) must not be shorter than --lateness \(600 s\)"
    ):
        Lateness(600 * SECOND, 60 * SECOND)


def test_what_yesterday_taught_is_completed_before_the_first_question_of_today_and_the_day_is_open_at_that() -> None:
    last, first = (int(WAIT.instants(one(time), one(time))[0]) for time in (MIDNIGHT - 1, MIDNIGHT))
    completed, asked = end_of_second(last) + COMPLETE_MS, end_of_second(first) + ASK_MS
    assert completed < asked, "a row that is stamped with the watermark is still on time"
    assert WAIT.last_open_day(completed) == 19_999
    assert asked == WAIT.opening(20_000)
