"""What is found in the telemetry of each sensor: the same simulated organisations in the shape of each.

`python -m tests.benchmarks.sensors [--seeds 2] [--hosts 500] [--days 50] [--campaigns '*' --campaigns-per-day 3]
[options of the backfill]`

All runs are judged by the organisations as Cortex XDR tells them: the same events say there who they were.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from tests.benchmarks.evaluation_runs import backfill
from uncommon_im.pipeline.lab.evaluation.folder import read_alerts, read_organisation
from uncommon_im.pipeline.lab.evaluation.report import rate
from uncommon_im.pipeline.lab.evaluation.scoring import CampaignScore, Score, score
from uncommon_im.pipeline.lab.simulation import Scenario, simulate
from uncommon_im.pipeline.lab.simulation.campaigns.deck import chosen
from uncommon_im.pipeline.lab.simulation.telemetry.sensors import SensorName
from uncommon_im.schemas.catalogue import load_catalogue

SENSORS = get_args(SensorName)
SCRIPTS = "uncommon_scripting_engine"


def scores_of(scenario: Scenario, options: Sequence[str], folder: Path) -> dict[str, Score]:
    """Sensor -> what the detector, with these options of `backfill`, finds in one organisation; `folder` is empty."""
    for sensor in SENSORS:
        simulate(str(folder / sensor), replace(scenario, sensor=sensor))
    organisation = read_organisation(str(folder / "xdr"), load_catalogue(None))
    scores = {}
    for sensor in SENSORS:
        run = backfill(folder / sensor / "events", folder / sensor / "run", *options)
        scores[sensor] = score(organisation, read_alerts(str(folder / sensor), str(run), organisation))
    return scores


def row(sensor: str, scores: Sequence[Score]) -> str:
    """A row of the table."""
    planted = [each for found in scores for each in found.campaigns if each.campaign.malicious]
    scripts = [each for each in planted if each.campaign.expected == SCRIPTS]
    cells = (
        sensor,
        _share(planted, lambda each: each.detected),
        _share(planted, lambda each: any(alert.severity == "Low" for alert in each.alerts)),
        _share(scripts, lambda each: any(alert.variation == SCRIPTS for alert in each.alerts)),
        f"{rate(scores, lambda found, alert: True).value:.1f}",
        f"{rate(scores, lambda found, alert: not found.is_true(alert)).value:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def classes(found: Sequence[dict[str, Score]]) -> Iterator[str]:
    """The table of the classes of malicious campaigns: how many of each are found, sensor by sensor."""
    yield f"| class | {' | '.join(SENSORS)} |"
    yield f"|---|{'---|' * len(SENSORS)}"
    detected: defaultdict[str, Counter[str]] = defaultdict(Counter)
    planted: Counter[tuple[str, str]] = Counter()
    for sensor in SENSORS:
        for each in (each for scores in found for each in scores[sensor].campaigns if each.campaign.malicious):
            detected[each.campaign.kind][sensor] += each.detected
            planted[each.campaign.kind, sensor] += 1
    for kind in sorted(detected):
        cells = (f"{detected[kind][sensor]} of {planted[kind, sensor]}" for sensor in SENSORS)
        yield f"| {kind} | {' | '.join(cells)} |"


def _share(campaigns: Sequence[CampaignScore], counts: Callable[[CampaignScore], bool]) -> str:
    """How many campaigns count, and the names of those that do not."""
    others = sorted({each.campaign.name for each in campaigns if not counts(each)})
    without = f" (not {', '.join(others)})" if others else ""
    return f"{sum(map(counts, campaigns))} of {len(campaigns)}{without}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="organisations")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--campaigns", action="append", help="as of `simulate`")
    parser.add_argument("--campaigns-per-day", type=int, help="as of `simulate`")
    given, options = parser.parse_known_args()
    campaigns, a_day = tuple(chosen(given.campaigns or ())), given.campaigns_per_day
    found = []
    for seed in range(1, given.seeds + 1):
        scenario = Scenario(
            *(given.hosts, given.days, seed), background="thinned", campaigns=campaigns, most_a_day=a_day
        )
        with tempfile.TemporaryDirectory() as folder:
            found.append(scores_of(scenario, options, Path(folder)))
    print("| telemetry as of | recall | with an alert of severity Low | scripts told as such | alerts | false |")
    print("|---|---|---|---|---|---|")
    for sensor in SENSORS:
        print(row(sensor, [scores[sensor] for scores in found]))
    print("\n".join(["", *classes(found)]))


if __name__ == "__main__":
    main()
