"""The peers' published scores on hand-made communications: figures computed by hand, and whose score an alert gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.benchmarks.peers.elastic_risk import RULES, risk_of
from tests.benchmarks.peers.rita import (
    DAY,
    Pair,
    Whole,
    beacon_score,
    category,
    duration_score,
    histogram_score,
    longest_run,
    regularity,
    threat_score,
)
from tests.benchmarks.peers.scores import COLUMNS, ELASTIC, RITA, peer_scores
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US

FIRST_DAY = 20_000
Row = dict[str, Any]


def whole(*values: int) -> Whole:
    return np.array(values, np.int64)


EVERY_TEN_MINUTES = np.arange(0, DAY, 600)


def test_a_perfect_beacon_scores_highest_and_random_traffic_lower() -> None:
    random = np.random.default_rng(1)
    perfect = beacon_score(EVERY_TEN_MINUTES, np.full(144, 900))
    jittered = beacon_score(np.sort(EVERY_TEN_MINUTES + random.integers(0, 120, 144)), np.full(144, 900))
    scattered = beacon_score(np.sort(random.integers(0, DAY, 40)), random.integers(100, 90_000, 40))
    assert perfect == 1
    assert 1 > jittered > scattered


def test_a_beacon_score_is_as_computed_by_hand() -> None:
    """Intervals 60, 60, 180, 3300: quartiles 60, 120, 1740, skew 1560 / 1680, and half of the median apart.

    Sizes have quartiles 150, 300, 700, skew 250 / 550, and are a third of the median apart. Two of 24 hours are no
    rhythm and no duration. (0.286 + 0.606) / 4 = 0.223.
    """
    times, sizes = whole(0, 60, 120, 300, 3600), whole(1000, 100, 200, 300, 400)
    assert regularity(np.diff(times), 1.0) == 0.286
    assert regularity(sizes, 0.0) == 0.606
    assert beacon_score(times, sizes) == 0.223


@pytest.mark.parametrize(
    ("values", "without_median", "expected"),
    [
        ([600] * 5, 1.0, 1.0),
        ([0] * 5, 0.0, 0.5),
        ([0] * 5, 1.0, 1.0),
        ([10, 10, 10, 58], 0.0, 1.0),  # the median is a quartile: no skew
        ([1, 2, 6, 7, 8], 0.0, 0.833),  # quartiles less than ten apart: no skew; 2 of 6 apart
        ([1, 1, 10, 100, 100], 0.0, 0.141),  # skew 81 / 99, and 9 of 10 apart
    ],
)
def test_how_regular_values_are(values: list[int], without_median: float, expected: float) -> None:
    assert regularity(whole(*values), without_median) == expected


def bars(*runs: tuple[int, int]) -> Whole:
    """Hours, by (how many, connections in each)."""
    return np.repeat([height for _, height in runs], [hours for hours, _ in runs])


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (bars((24, 7)), 1.0),
        (bars((12, 10), (12, 20)), 1.0),  # uneven, but of two heights
        (bars((12, 4), (12, 0)), 1.0),
        (bars((10, 4), (14, 0)), 0.0),  # too few hours for two heights; deviation 1.18 of the mean
        (bars((6, 10), (5, 20), (4, 40), (9, 0)), 0.786),  # 11 of 15 - 1
    ],
)
def test_how_even_the_hours_are(hours: Whole, expected: float) -> None:
    assert histogram_score(hours) == expected


def test_how_long_it_lasts_is_a_span_or_a_run_of_hours_whichever_is_more() -> None:
    assert longest_run(bars((2, 1), (19, 0), (3, 1))) == 5
    assert longest_run(bars((24, 1))) == 24
    assert duration_score(whole(0, DAY // 2), bars((5, 1), (19, 0))) == 0
    assert duration_score(whole(0, 7 * 3600), bars((7, 1), (17, 0))) == 0.584
    assert duration_score(whole(0, 22 * 3600), bars((6, 1), (10, 0), (8, 1))) == 1


@pytest.mark.parametrize(
    ("percent", "expected"), [(49.9, 0), (50, 0.2), (60, 0.3), (70, 0.4), (80, 0.5), (90, 0.6), (95, 0.7), (100, 0.8)]
)
def test_what_a_beacon_score_is_worth(percent: float, expected: float) -> None:
    assert category(percent) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prevalence", "known_days", "expected"),
    [(0.1, 10, 0.8), (0.02, 10, 0.95), (0.5, 10, 0.65), (0.1, 7, 0.95), (0.1, 30, 0.65), (0.01, 1, 1.1)],
)
def test_modifiers_are_added_to_the_highest_indicator(prevalence: float, known_days: float, expected: float) -> None:
    beacon = Pair(EVERY_TEN_MINUTES, np.full(144, 900), prevalence, known_days)
    strobe = Pair(np.arange(DAY) // 2, np.zeros(DAY, np.int64), prevalence, known_days)
    assert threat_score(beacon) == threat_score(strobe) == pytest.approx(expected)


def test_a_pair_without_an_indicator_has_no_score_and_a_poor_beacon_has_the_modifiers() -> None:
    assert threat_score(Pair(whole(5, 5, 60, 120), whole(1, 1, 1, 1), 0.01, 1)) is None
    assert threat_score(Pair(whole(0, 60, 120, 300, 3600), whole(1000, 100, 200, 300, 400), 0.6, 99)) == -0.3


def event(**given: Any) -> Row:
    """An unsigned tool on Windows that calls Telegram's bot API, unless something else is given."""
    ordinary = {
        "event_id": "e",
        "os": "windows",
        "host": "h1",
        "program": "tool.exe",
        "user_name": r"CORP\al",
        "process_path": r"C:\Tools\tool.exe",
        "process_sha256": "a" * 64,
        "process_signature_status": "unsigned",
        "parent_process_name": "explorer.exe",
        "remote_host": "api.telegram.org",
        "event_time": FIRST_DAY * DAY_US,
        "event_type": "network",
        "new_term": False,
    }
    return dict.fromkeys(COLUMNS) | ordinary | given


def signed(signer: str) -> Row:
    return {"process_signature_status": "signed", "process_signer": signer}


DISCORD = {"program": "discord.exe", "remote_host": "discord.com"}
LINUX = {"os": "linux", "program": "curl", "process_path": "/usr/bin/curl"}


@pytest.mark.parametrize(
    ("given", "risk"),
    [
        ({}, 21),
        ({"remote_host": None}, 0),
        ({"process_path": r"C:\Program Files\Tool\tool.exe"}, 0),
        ({"user_name": r"NT AUTHORITY\SYSTEM"}, 0),
        (signed("Google LLC"), 0),
        ({"process_signer": "Google LLC"}, 21),
        (DISCORD | signed("Discord Inc."), 0),
        (DISCORD | signed("Discord Inc.") | {"remote_host": "api.telegram.org"}, 21),
        (DISCORD, 47),
        (DISCORD | {"process_sha256": None}, 21),
        ({"parent_process_name": "Discord.exe"}, 47),
        ({"parent_process_name": "Discord.exe"} | signed("Discord Inc."), 21),
        ({"os": "macos", "new_term": True}, 47),
        ({"os": "macos"}, 0),
        ({"new_term": True}, 21),
        (LINUX, 21),
        (LINUX | {"process_command_line": "curl https://api.telegram.org/bot1:a/getMe"}, 47),
        (LINUX | {"process_path": "/opt/google/chrome/chrome"}, 0),
        (LINUX | {"os": "other"}, 0),
    ],
)
def test_the_risk_is_that_of_the_highest_rule_that_fires(given: Row, risk: int) -> None:
    assert risk_of(event(**given)) == risk


def test_each_rule_has_its_published_risk_score() -> None:
    assert sorted(rule.risk for rule in RULES) == [21, 21, 47, 47, 47, 47]


def at(event_id: str, day: int, second: int, **given: Any) -> Row:
    return event(event_id=event_id, event_time=(FIRST_DAY + day) * DAY_US + second * SECOND_US, bytes_sent=900, **given)


def test_an_alert_gets_the_scores_of_its_hosts_pair_on_its_day_and_of_its_first_event() -> None:
    """h1 calls every ten minutes on day 9, 8 days after the lookup; one of 20 hosts is no rare and no common one.

    Its term was new in the lookup, and is history after that. h2 calls once: RITA has nothing to show.
    """
    rows = [
        at("lookup", 1, 80_000, event_type="dns", os="macos"),
        *(at(f"b{second}", 9, second) for second in EVERY_TEN_MINUTES.tolist()),
        at("once", 10, 5, host="h2", os="macos"),
        at("b600", 9, 600),
        at("known", 10, 7, os="macos", process_path="/Applications/Tool"),
        at("known later", 11, 7, os="macos", process_path="/Applications/Tool"),
    ]
    table = pa.table(
        {name: pa.array([row[name] for row in rows], ACTIVITY_SCHEMA.field(name).type) for name in COLUMNS}
    )
    alerts = {"A": "b0", "B": "once", "C": "lookup", "D": "known later"}
    assert peer_scores(table, alerts.items(), 20) == {
        "A": {RITA: pytest.approx(0.8), ELASTIC: 21},
        "B": {ELASTIC: 47},
        "C": {ELASTIC: 47},
    }
    assert peer_scores(table, alerts.items(), 2)["A"][RITA] == pytest.approx(0.65)
    assert peer_scores(table, alerts.items(), 100)["A"][RITA] == pytest.approx(0.95)
