"""One organisation, simulated, and what each detector made of it: figures that JSON holds."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.evaluation_sweep import DEFAULTS, sweep
from tests.benchmarks.measuring import PIPELINE
from tests.benchmarks.peers import PEERS, alerts_of, open_communications
from uncommon_im.pipeline.lab.evaluation.folder import CommunicationReader, organisation_of, read_alerts, read_labels
from uncommon_im.pipeline.lab.evaluation.scoring import Alert, Organisation, Score, score
from uncommon_im.pipeline.lab.simulation import Scenario, simulate
from uncommon_im.schemas.catalogue import load_catalogue

OURS = "uncommon-im"
OURS_LOW = "uncommon-im-low"
"""Its alerts of severity Low alone: what is left if somebody reads no informational ones."""
GAP_DAYS = 21
"""Days without telemetry, where there are any."""
AFTER_GAP_DAYS = 14
"""Days after them whose alerts are counted."""
SHUFFLED_FILES = 7


@dataclass(frozen=True)
class Case:
    """An organisation to simulate. With a gap it is GAP_DAYS longer."""

    hosts: int
    seed: int
    gap: bool
    days: int

    @property
    def name(self) -> str:
        """What its figures are called."""
        return f"{self.hosts}-hosts-{self.days}-days-seed-{self.seed}{'-gap' if self.gap else ''}"


@dataclass(frozen=True)
class Figures:
    """What one detector made of one organisation.

    Args:
        found: malicious campaign -> whether it was detected.
        hosts: hosts on which malicious campaigns communicate, each counted once a campaign.
        hosts_told: those of them that an alert names.
        alerts: after the learning days.
        false: those of them about nothing malicious.
        host_days: hosts times days after the learning days.
        learning: alerts in the learning days.
        roll_out: alerts about the messenger that is rolled out.
        after_gap: alerts about nothing malicious in the AFTER_GAP_DAYS after the gap; `None` without one.
        rerun: alerts that a second run over the same files has more or less; `None` if it was not run.
        shuffled: the same of a run over shuffled records.
    """

    found: dict[str, bool]
    hosts: int
    hosts_told: int
    alerts: int
    false: int
    host_days: int
    learning: int
    roll_out: int
    after_gap: int | None = None
    rerun: int | None = None
    shuffled: int | None = None


def run_case(case: Case, folder: Path) -> dict[str, Any]:
    """Simulates an organisation in an empty folder and asks all detectors about it.

    Returns:
        `hosts`, `detectors`: detector -> its figures, and without a gap `sweep` and `groups`: limits -> figures.
    """
    gap = GAP_DAYS if case.gap else 0
    made = simulate(str(folder), Scenario(case.hosts, case.days + gap, case.seed, background="thinned", gap_days=gap))
    read = CommunicationReader(load_catalogue(None))
    communications = pa.concat_tables(read.tables(str(folder)))
    organisation = organisation_of([communications], read, read_labels(str(folder)))
    after_gap = gap_end(read.days) if case.gap else None
    detectors = _ours(case, folder, organisation, after_gap)
    in_order, late = open_communications(communications), open_communications(communications, case.seed)
    for peer in PEERS:
        alerts = alerts_of(peer, in_order)
        figures = figures_of(score(organisation, map(Alert, alerts)), after_gap)
        repeats = {"rerun": alerts_of(peer, in_order), "shuffled": alerts_of(peer, late)}
        detectors[peer.name] = asdict(figures) | {
            name: differing_activities(alerts, again, organisation) for name, again in repeats.items()
        }
    result = {"hosts": case.hosts, "events": made.events, "detectors": detectors}
    if case.gap:
        return result
    swept, groups = sweep(made.events_glob, organisation)
    if swept[DEFAULTS]["alerts"] != detectors[OURS]["alerts"]:
        raise SystemExit(
            f"{case.name}: the sweep's SQL and the pipeline disagree: {swept[DEFAULTS]}, {detectors[OURS]}"
        )
    return result | {"sweep": swept, "groups": groups}


def _ours(case: Case, folder: Path, organisation: Organisation, after_gap: int | None) -> dict[str, dict[str, Any]]:
    """This project's figures, by the installed command; without a gap it is run again, and over shuffled records."""
    run = backfill(folder / "events", folder / "run")
    alerts = read_alerts(str(folder), str(run), organisation)
    low = [alert for alert in alerts if alert.severity == "Low"]
    figures = {
        name: asdict(figures_of(score(organisation, chosen), after_gap))
        for name, chosen in ((OURS, alerts), (OURS_LOW, low))
    }
    if not case.gap:
        shuffle(folder / "events", folder / "shuffled-events", case.seed)
        again = backfill(folder / "events", folder / "again")
        shuffled = backfill(folder / "shuffled-events", folder / "shuffled")
        figures[OURS] |= {"rerun": differing(run, again), "shuffled": differing(run, shuffled)}
    return figures


def figures_of(found: Score, after_gap: int | None = None) -> Figures:
    """The figures of a score; `after_gap` is the first day after a gap."""
    malicious = [each for each in found.campaigns if each.campaign.malicious]
    return Figures(
        found={each.campaign.name: each.detected for each in malicious},
        hosts=sum(each.hosts for each in malicious),
        hosts_told=sum(each.alerted_hosts for each in malicious),
        alerts=len(found.alerts),
        false=sum(not found.is_true(alert) for alert in found.alerts),
        host_days=found.host_days,
        learning=len(found.learning),
        roll_out=sum(len(each.alerts) for each in found.campaigns if each.campaign.name == "roll-out"),
        after_gap=None if after_gap is None else _false_within(found, after_gap, AFTER_GAP_DAYS),
    )


def _false_within(found: Score, first_day: int, days: int) -> int:
    told = found.organisation.communications
    within = [
        alert for alert in found.alerts if first_day <= told[alert.event_id].activity.hour // 24 < first_day + days
    ]
    return sum(not found.is_true(alert) for alert in within)


def gap_end(days: Iterable[int]) -> int:
    """The first day number with telemetry after the longest time without any."""
    ordered = sorted(days)
    return max(pairwise(ordered), key=lambda pair: pair[1] - pair[0])[1]


def shuffle(events: Path, output: Path, seed: int) -> None:
    """All records of a folder in random order, cut into other files."""
    output.mkdir()
    table = pq.read_table(sorted(events.glob("*.parquet")))
    order = np.random.default_rng(seed).permutation(table.num_rows)
    for number, rows in enumerate(np.array_split(order, SHUFFLED_FILES)):
        pq.write_table(table.take(pa.array(rows)), output / f"{number}.parquet", row_group_size=100_000)


def differing(run: Path, other: Path) -> int:
    """Alerts that two runs do not share, without what may differ from run to run (specification, section 9)."""
    one, two = _facts(run), _facts(other)
    return ((one - two) + (two - one)).total()


def differing_activities(alerts: Iterable[str], others: Iterable[str], organisation: Organisation) -> int:
    """Alerts, given by their events, that two answers do not share; events of one activity are the same."""
    told = organisation.communications
    one, two = (Counter(told[event_id].activity for event_id in ids) for ids in (alerts, others))
    return ((one - two) + (two - one)).total()


def _facts(run: Path) -> Counter[str]:
    lines = [line for path in run.glob("alerts/*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    alerts: Sequence[dict[str, Any]] = [json.loads(line) for line in lines]
    return Counter(
        json.dumps({k: v for k, v in alert.items() if k not in ("activity", "run_id", "late")}, sort_keys=True)
        for alert in alerts
    )


def backfill(events: Path, output: Path, *options: str) -> Path:
    """Runs the installed command over a folder of Parquet; returns `output`."""
    command = [*shlex.split(PIPELINE), "backfill", "--input", f"{events}/*.parquet", "--output", str(output), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return output
