"""Chooses the points of `priority` on one half of the campaigns: `python -m tests.benchmarks.choosing`.

The choice climbs: part by part it takes the points with which attacks are seen soonest, until no part gets better.
Points are multiples of five, as people read them. What speaks for an attack keeps at least five, what speaks against
it at most minus five: a part without points would not be listed in alerts, and nobody could choose its points again. A
gain below `_LEAST` is noise, and changes nothing.

What was chosen on half `a` is reported on half `b`, and on other seeds: `python -m tests.benchmarks.ranking --half b`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from tests.benchmarks.ranking import FIRST, Period, Ranked, all_measured, cards_of
from uncommon_im.pipeline.lab.simulation import Scenario
from uncommon_im.schemas.detector import PriorityPart, load_detector
from uncommon_im.transforms.rules.alerts.priority import MOST

STEP = 5
HIGHEST = 40
"""Points of a part at most, for or against."""
_LEAST = 0.001

Key = tuple[str, int]
"""A part, and the how-maniest of its name in the card."""


@dataclass(frozen=True)
class Points:
    """Points by part."""

    of: Mapping[Key, int]

    def order(self, alert: Ranked) -> int:
        """Where an alert is read: the highest sum first."""
        return -max(0, min(MOST, sum(self.of[key] for key in keys_of(part.part for part in alert.priority_parts))))

    def others(self, key: Key) -> Iterator[Points]:
        """The same with other points of one part, on its side of 0."""
        low, high = (STEP, HIGHEST) if self.of[key] > 0 else (-HIGHEST, -STEP)
        for points in range(low, high + 1, STEP):
            if points != self.of[key]:
                yield replace(self, of={**self.of, key: points})


def keys_of(parts: Iterator[str]) -> Iterator[Key]:
    """The keys of parts that are listed in the card's order: of one name the lower bound comes first."""
    seen: Counter[str] = Counter()
    for part in parts:
        yield part, seen[part]
        seen[part] += 1


def worth(points: Points, days: Sequence[Period], weeks: Sequence[Period]) -> float:
    """How soon attacks are seen: the mean share seen in the first alerts of a day and of a week, less false alarms.

    Each of the numbers of first alerts counts alike. Harmless alerts among a week's first ten count a tenth each.
    """
    shares = []
    for periods in (days, weeks):
        places = [place for period in periods for place in period.places(points.order)]
        shares += [sum(place <= most for place in places) / len(places) for most in FIRST]
    harmless = mean(week.harmless_of_first(points.order, FIRST[-1]) for week in weeks)
    return mean(shares) - harmless / FIRST[-1] / 10


def chosen(points: Points, days: Sequence[Period], weeks: Sequence[Period]) -> Points:
    """The points to which no change of one part adds anything."""
    best = worth(points, days, weeks)
    while True:
        before = best
        for key in points.of:
            for other in list(points.others(key)):
                value = worth(other, days, weeks)
                if value > best + _LEAST:
                    points, best = other, value
                    print(f"{value:.4f}: {key[0]} {other.of[key]:+}", flush=True)
        if best == before:
            return points


def of_card(card: Sequence[PriorityPart]) -> Points:
    """The points of a card."""
    return Points(dict(zip(keys_of(part.part for part in card), (part.points for part in card), strict=True)))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6, help="organisations")
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--days", type=int, default=110)
    given = parser.parse_args()
    cards, seeds = cards_of("a"), range(given.first_seed, given.first_seed + given.seeds)
    scenarios = (
        Scenario(given.hosts, given.days, seed, background="thinned", campaigns=cards, most_a_day=3) for seed in seeds
    )
    days, weeks = all_measured(scenarios, ())
    print(f"{sum(len(day.attacks) for day in days)} attacks with an alert", flush=True)
    before = of_card(load_detector(None).priority)
    print(f"{worth(before, days, weeks):.4f}: the card's points")
    after = chosen(before, days, weeks)
    for (part, _), points in after.of.items():
        print(f"- {{part: {part}, points: {points}}}")


if __name__ == "__main__":
    main()
