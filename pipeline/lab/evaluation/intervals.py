"""How sure a figure is: 95 % confidence intervals.

A share of campaigns gets Wilson's score interval: campaigns are planted independently of each other, and it holds for
few of them and for shares of 0 and 1. Rates and precision are not made of independent alerts (one outbreak is many), so
whole organisations are drawn again: the percentile bootstrap. One organisation alone gets no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

CONFIDENCE: Final = 0.95
DRAWS: Final = 10_000
_SEED: Final = 1
"""Of the draws: the same figures give the same interval."""


class Estimate(NamedTuple):
    """A figure with its interval. `value` is `None` where there is nothing to divide by, `low` where none is known."""

    value: float | None
    low: float | None = None
    high: float | None = None


def share(successes: int, trials: int) -> Estimate:
    """A share of independent trials, with Wilson's score interval (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).

    >>> [round(figure, 3) for figure in share(9, 10)]
    [0.9, 0.596, 0.982]
    """
    if not trials:
        return Estimate(None)
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    p = successes / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return Estimate(p, max(centre - reach, 0.0), min(centre + reach, 1.0))


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """The ratio of two sums over organisations, with a percentile bootstrap over these (Efron 1979, Ann. Stat. 7).

    Draws in which the wholes sum to nothing say nothing and are left out.

    >>> ratio([2, 4], [0, 0]).value is None
    True
    >>> ratio([1, 1], [2, 2])
    Estimate(value=0.5, low=0.5, high=0.5)
    """
    total = sum(wholes)
    if not total:
        return Estimate(None)
    value = sum(parts) / total
    if len(parts) < 2:
        return Estimate(value)
    chosen = np.random.default_rng(_SEED).integers(len(parts), size=(DRAWS, len(parts)))
    numerators, denominators = np.asarray(parts, float)[chosen].sum(1), np.asarray(wholes, float)[chosen].sum(1)
    drawn = numerators[denominators > 0] / denominators[denominators > 0]
    low, high = np.quantile(drawn, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Estimate(value, float(low), float(high))
