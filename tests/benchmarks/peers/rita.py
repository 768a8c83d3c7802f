"""RITA's threat score of a pair of host and destination, as far as endpoint events can tell it.

Figures and formulas are those of activecm/rita v5.1.1: `analysis/beacons.go`, `analysis/analysis.go`, the sum in
`viewer/results.sql`. Weights and thresholds are those of `default_config.hjson`, which its installer puts in place; the
defaults in its code differ (no points for prevalence, and `low` of a beacon at 75).

The score is the highest indicator and the sum of the modifiers, over the last 24 hours. A pair without an indicator has
none. Four connections at different seconds are an indicator, whatever their beacon score.

What cannot be had:

- Long connections: events have no durations.
- Threat intelligence and its data size: there is no list of bad destinations here.
- C2 over DNS: only lookups of messengers' names are read, and nobody rents subdomains of these.
- Missing host header, rare signature (user agent, JA3), MIME type mismatch: an endpoint sees none of them.

What is near, and not the same: a network event is a connection, and what its process sent is its data size (RITA counts
the bytes of the source's IP packets). The 24 hours are the UTC day. The organisation's hosts are its size. What was
first seen is kept since the events begin (RITA: until three months after it was last seen).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]

DAY = 86_400
"""In seconds; as a number of connections it is a strobe: one a second."""
HOURS = 24
LEAST_CONNECTIONS = 4
BEACON = (50, 70, 90, 100)
"""Of a beacon score in per cent: from where on it counts, and where the categories none, low and medium end."""
CATEGORIES = (0.2, 0.4, 0.6, 0.8)
"""Scores at these places; a strobe is of the highest category."""
LEAST_HOURS, IDEAL_HOURS, LEAST_BIMODAL_HOURS, OUTLIERS = 6, 12, 11, 1
SENSITIVITY = 0.05
CHANGE = 0.15
"""What each modifier adds or takes."""
RARE, COMMON = 0.02, 0.5
NEW_DAYS, OLD_DAYS = 7, 30


@dataclass(frozen=True)
class Pair:
    """What a host and a destination exchanged in one day.

    Args:
        times: of the connections, in s since the day began, ascending.
        sizes: bytes that each sent, in any order.
        prevalence: share of the organisation's hosts that talked to the destination that day.
        known_days: since anybody first talked to it, at the end of the day.
    """

    times: Whole
    sizes: Whole
    prevalence: float
    known_days: float


def threat_score(pair: Pair) -> float | None:
    """The final score; `None` if RITA would not show the pair."""
    if len(pair.times) >= DAY:
        indicator = CATEGORIES[-1]
    elif len(np.unique(pair.times)) >= LEAST_CONNECTIONS:
        indicator = category(100 * beacon_score(pair.times, pair.sizes))
    else:
        return None
    prevalence = CHANGE * ((pair.prevalence <= RARE) - (pair.prevalence >= COMMON))
    first_seen = CHANGE * ((pair.known_days <= NEW_DAYS) - (pair.known_days >= OLD_DAYS))
    return indicator + prevalence + first_seen


def category(percent: float) -> float:
    """What a beacon score is worth as a threat: straight lines between the thresholds, nothing below the first."""
    return float(np.interp(percent, BEACON, CATEGORIES)) if percent >= BEACON[0] else 0.0


def beacon_score(times: Whole, sizes: Whole) -> float:
    """0 to 1; a quarter each for intervals, sizes, hours and how long it lasts."""
    bars = np.histogram(times, bins=HOURS, range=(0, DAY))[0]
    intervals = np.diff(times)
    parts = (
        regularity(intervals[intervals > 0], without_median=1.0),
        regularity(sizes, without_median=0.0),
        histogram_score(bars),
        duration_score(times, bars),
    )
    return _rounded(sum(parts) / len(parts))


def regularity(values: Whole, without_median: float) -> float:
    """0 to 1: how symmetric values are about their median, and how near to it, in the mean.

    Args:
        values: three or more.
        without_median: how near they are if the median is below 1.
    """
    ordered = np.sort(values)
    half = len(ordered) // 2
    low, middle, high = (float(np.median(part)) for part in (ordered[:half], ordered, ordered[-half:]))
    skewed = high - low >= 10 and middle not in (low, high)
    skew = (low + high - 2 * middle) / (high - low) if skewed else 0.0
    apart = float(np.median(np.abs(ordered - middle)))
    near = (middle - apart) / middle if middle >= 1 else without_median
    return _rounded((1 - abs(skew) + max(near, 0.0)) / 2)


def histogram_score(bars: Whole) -> float:
    """0 to 1: how even the hours are, or how well they have two heights, whichever is better."""
    even = _rounded(max(1 - float(np.std(bars) / np.mean(bars)), 0.0))
    shown = bars[bars > 0]
    if len(shown) < LEAST_BIMODAL_HOURS:
        return even
    heights = np.unique(shown // ceil(SENSITIVITY * int(shown.max())), return_counts=True)[1]
    of_two_heights = int(np.sort(heights)[-2:].sum()) / max(len(shown) - OUTLIERS, 1)
    return max(even, min(_rounded(of_two_heights), 1.0))


def duration_score(times: Whole, bars: Whole) -> float:
    """0 to 1: the share of the day from first to last, or the longest run of hours, whichever is better."""
    if np.count_nonzero(bars) < LEAST_HOURS:
        return 0.0
    coverage = ceil(float(times[-1] - times[0]) / DAY * 1000) / 1000
    return min(max(coverage, ceil(longest_run(bars) / IDEAL_HOURS * 1000) / 1000), 1.0)


def longest_run(bars: Whole) -> int:
    """Hours in a row that have connections; after the last comes the first."""
    longest = run = 0
    for shown in np.tile(bars > 0, 2):
        run = run + 1 if shown else 0
        longest = max(longest, run)
    return min(longest, len(bars))


def _rounded(value: float) -> float:
    return floor(1000 * value + 0.5) / 1000
