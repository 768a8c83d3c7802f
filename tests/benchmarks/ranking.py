"""How soon attacks are seen when alerts are read in some order: organisations with campaigns of all classes.

`python -m tests.benchmarks.ranking [--seeds 2] [--hosts 500] [--days 110] [--most-a-day 3] [--half a] [options of the
backfill]`

A campaign counts on the day, and in the week, of its first alert: what raises none is a matter of recall. Classes of
campaigns are in one of two halves, by their name: points of `priority` that were chosen on one half are reported on the
other, and on other seeds.

Two orders are peers': the scores that they publish, of the same alerts (`tests.benchmarks.peers.scores`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from math import ceil, inf
from pathlib import Path
from statistics import mean, median
from typing import Any

import msgspec
import pyarrow as pa

from tests.benchmarks.evaluation_runs import backfill
from tests.benchmarks.peers.scores import COLUMNS, ELASTIC, RITA, peer_scores
from uncommon_im.pipeline.lab.evaluation.folder import CommunicationReader, organisation_of, read_alerts, read_labels
from uncommon_im.pipeline.lab.evaluation.intervals import share
from uncommon_im.pipeline.lab.evaluation.scoring import Organisation, Score, score
from uncommon_im.pipeline.lab.simulation import Scenario, simulate
from uncommon_im.pipeline.lab.simulation.campaigns.campaign import Campaign
from uncommon_im.pipeline.lab.simulation.campaigns.deck import SHIPPED
from uncommon_im.pipeline.runs.read_rows import read_rows
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import SEVERITIES

FIRST = (1, 3, 10)
SHARES = (0.5, 0.8, 0.95)
WEEK = 7


class FirstEvent(msgspec.Struct, frozen=True):
    """Of an alert's activity."""

    bytes_sent: int | None


class Held(msgspec.Struct, frozen=True):
    """A part of the priority that holds."""

    part: str


class Ranked(msgspec.Struct, frozen=True):
    """An alert, as far as it is put in order.

    Args:
        peers: peer -> its score; none of a peer that would tell nothing. No alert's file has it.
    """

    alert_id: str
    event_id: str
    timestamp: str
    severity: str
    priority: int
    priority_parts: list[Held]
    first_event: FirstEvent
    peers: Mapping[str, float] = {}


Order = Callable[[Ranked], Any]
ORDERS: Mapping[str, Order] = {
    "priority": lambda alert: -alert.priority,
    "severity": lambda alert: -SEVERITIES.index(alert.severity),
    "bytes sent": lambda alert: -(alert.first_event.bytes_sent or 0),
    "time": lambda alert: 0,
    RITA: lambda alert: -alert.peers.get(RITA, -inf),
    ELASTIC: lambda alert: -alert.peers.get(ELASTIC, 0),
}
"""By what alerts are read; what is equal, by time."""


@dataclass(frozen=True)
class Period:
    """The alerts of a day or a week of one organisation, and what they are about.

    Args:
        alerts: in no order.
        attacks: malicious campaign whose first alert is here -> the ids of its alerts here.
        harmless: ids of the alerts that are about no malicious campaign.
    """

    alerts: Sequence[Ranked]
    attacks: Mapping[str, frozenset[str]]
    harmless: frozenset[str]

    def places(self, order: Order) -> list[int]:
        """How many alerts are read until each attack is seen, fewest first."""
        ids = [alert.alert_id for alert in self.read(order)]
        return sorted(1 + min(place for place, id in enumerate(ids) if id in own) for own in self.attacks.values())

    def harmless_of_first(self, order: Order, most: int) -> int:
        """How many of the first alerts are about nothing malicious."""
        return sum(alert.alert_id in self.harmless for alert in self.read(order)[:most])

    def harmless_at_best(self, most: int) -> int:
        """How many of the first alerts are about nothing malicious if all others are read before them."""
        return max(0, min(most, len(self.alerts)) - sum(alert.alert_id not in self.harmless for alert in self.alerts))

    def read(self, order: Order) -> list[Ranked]:
        """The alerts as they are read."""
        return sorted(self.alerts, key=lambda alert: (order(alert), alert.timestamp, alert.alert_id))


def periods(found: Score, alerts: Sequence[Ranked], days: int) -> list[Period]:
    """The periods of so many days, from the first judged one on, in which an attack is first told of."""
    told, attacks = found.organisation.communications, dict[str, list[str]]()
    by_event = {alert.event_id: alert for alert in alerts}
    for each in found.campaigns:
        if each.campaign.malicious and each.alerts:
            attacks[each.campaign.name] = [by_event[alert.event_id].alert_id for alert in each.alerts]
    harmless = frozenset(alert.alert_id for alert in alerts).difference(*attacks.values())
    within: defaultdict[int, list[Ranked]] = defaultdict(list)
    period_of: dict[str, int] = {}
    for alert in alerts:
        day = told[alert.event_id].activity.hour // 24 - found.organisation.first_day
        period_of[alert.alert_id] = day // days
        within[day // days].append(alert)
    first: defaultdict[int, dict[str, frozenset[str]]] = defaultdict(dict)
    for name, ids in attacks.items():
        number = min(period_of[id] for id in ids)
        first[number][name] = frozenset(id for id in ids if period_of[id] == number)
    return [Period(within[number], first[number], harmless) for number in sorted(first)]


def half_of(campaign: Campaign) -> str:
    """`a` or `b`, by the campaign's class alone."""
    return "ab"[md5(campaign.kind.encode(), usedforsecurity=False).digest()[0] % 2]


def cards_of(half: str | None) -> tuple[Campaign, ...]:
    """All harmless campaigns, and the malicious ones of a half; `None`: of both."""
    return tuple(card for card in SHIPPED if not card.malicious or half in (None, half_of(card)))


def table(days: Sequence[Period], weeks: Sequence[Period]) -> Iterator[str]:
    """The rows of the table, one an order."""
    yield f"| read by | {' | '.join(_heads())} |"
    yield f"|{'---|' * (1 + len(list(_heads())))}"
    for name, order in ORDERS.items():
        harmless = (_mean([period.harmless_of_first(order, FIRST[-1]) for period in found]) for found in (days, weeks))
        cells = [*_seen(days, order), *_seen(weeks, order), *_needed(weeks, order), *harmless]
        yield f"| {name} | {' | '.join(cells)} |"
    at_best = (_mean([period.harmless_at_best(FIRST[-1]) for period in found]) for found in (days, weeks))
    yield f"| attacks first |{' |' * (len(list(_heads())) - 2)} {' | '.join(at_best)} |"


def _heads() -> Iterator[str]:
    for period in ("day", "week"):
        yield from (f"first {most} of a {period}" for most in FIRST)
    yield from (f"a week's alerts for {part:.0%}" for part in SHARES)
    yield from (f"harmless in the first 10 of a {period}" for period in ("day", "week"))


def _seen(found: Sequence[Period], order: Order) -> Iterator[str]:
    """Which share of attacks is seen in the first alerts, with its interval."""
    places = [place for period in found for place in period.places(order)]
    for most in FIRST:
        seen = share(sum(place <= most for place in places), len(places))
        yield f"{seen.value:.0%} ({seen.low:.0%} to {seen.high:.0%})"


def _needed(weeks: Sequence[Period], order: Order) -> Iterator[str]:
    """How many alerts of a week are read until a share of its attacks is seen: the median week, and the worst."""
    for part in SHARES:
        needed = [places[ceil(part * len(places)) - 1] for places in (week.places(order) for week in weeks)]
        yield f"{median(needed):.0f} ({max(needed)})"


def _mean(numbers: Sequence[int]) -> str:
    return f"{mean(numbers):.2f}"


def measured(scenario: Scenario, options: Iterable[str]) -> tuple[list[Period], list[Period]]:
    """(days, weeks) of one simulated organisation."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(folder, scenario)
        run = str(backfill(Path(folder, "events"), Path(folder, "run"), *options))
        organisation, communications = read_communications(folder)
        found = score(organisation, read_alerts(folder, run, organisation))
        alerts = list(read_rows(run, "alerts", Ranked))
    scores = peer_scores(communications, ((alert.alert_id, alert.event_id) for alert in alerts), organisation.hosts)
    alerts = [msgspec.structs.replace(alert, peers=scores.get(alert.alert_id, {})) for alert in alerts]
    return periods(found, alerts, 1), periods(found, alerts, WEEK)


def all_measured(scenarios: Iterable[Scenario], options: Sequence[str]) -> tuple[list[Period], list[Period]]:
    """(days, weeks) of several simulated organisations."""
    days: list[Period] = []
    weeks: list[Period] = []
    for scenario in scenarios:
        of_days, of_weeks = measured(scenario, options)
        days += of_days
        weeks += of_weeks
    return days, weeks


def read_communications(folder: str) -> tuple[Organisation, pa.Table]:
    """A simulated folder's organisation and, from the same reading, what peers' scores need of its communications."""
    read, kept = CommunicationReader(load_catalogue(None)), list[pa.Table]()

    def tables() -> Iterator[pa.Table]:
        for table in read.tables(folder):
            kept.append(table.select(COLUMNS))
            yield table

    organisation = organisation_of(tables(), read, read_labels(folder))
    return organisation, pa.concat_tables(kept)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="organisations")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--days", type=int, default=110)
    parser.add_argument("--most-a-day", type=int, default=3, help="campaigns that begin on a day")
    parser.add_argument("--half", choices=("a", "b"), help="malicious campaigns of this half alone")
    given, options = parser.parse_known_args()
    cards = cards_of(given.half)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    scenarios = (
        Scenario(given.hosts, given.days, seed, background="thinned", campaigns=cards, most_a_day=given.most_a_day)
        for seed in seeds
    )
    days, weeks = all_measured(scenarios, options)
    attacks = sum(len(day.attacks) for day in days)
    print(f"{given.seeds} organisations, {len(cards)} campaigns each; {attacks} attacks with an alert")
    print("\n".join(table(days, weeks)))


if __name__ == "__main__":
    main()
