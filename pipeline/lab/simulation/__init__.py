"""Labelled telemetry of a small invented organisation: ordinary traffic with campaigns planted in it.

>>> import tempfile
>>> from uncommon_im.pipeline.lab.simulation import Scenario, simulate
>>> with tempfile.TemporaryDirectory() as folder:
...     summary = simulate(folder, Scenario(hosts=4, days=2, seed=1))
...     len(summary.files)
2
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from uncommon_im.pipeline.lab.simulation.campaigns.acts import plant, with_instances
from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CHANGES, Campaign
from uncommon_im.pipeline.lab.simulation.campaigns.deck import chosen
from uncommon_im.pipeline.lab.simulation.campaigns.labels import labels_of
from uncommon_im.pipeline.lab.simulation.organisation.organisation import build_organisation
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import event_numbers
from uncommon_im.pipeline.lab.simulation.telemetry.sensors import SENSORS, SensorName
from uncommon_im.pipeline.lab.simulation.telemetry.write import table_of, write_day, write_labels
from uncommon_im.pipeline.lab.simulation.traffic.background import PARTS, Background

FIRST_DAY = p.first_day

__all__ = ["FIRST_DAY", "Scenario", "SimulationSummary", "simulate"]


@dataclass(frozen=True)
class Scenario:
    """What is simulated: the same scenario gives the same events and labels.

    Args:
        hosts: how many.
        days: UTC days, from `first_day` on.
        seed: of all random numbers.
        first_day: the first day.
        background: `thinned` keeps of ordinary events what detectors of messaging read (communications and what looks
            like them, executions of scripting engines, one event per host and day): the same alerts.
        sensor: in whose shape the telemetry is. Who does what and when is the same for all, and so are labels; sensors
            that name a process's instance tell its start before it connects.
        gap_days: days without any telemetry, `parameters.days_after_gap` days before the end.
        campaigns: what is planted, in the order in which hosts are picked.
        most_a_day: how many of them may begin on a day; `None`: any number.

    Raises:
        ValueError: a number is out of range.
    """

    hosts: int
    days: int
    seed: int
    first_day: date = FIRST_DAY
    background: Literal["full", "thinned"] = "full"
    gap_days: int = 0
    sensor: SensorName = "xdr"
    campaigns: tuple[Campaign, ...] = tuple(chosen())
    most_a_day: int | None = None

    def __post_init__(self) -> None:
        """Checks the numbers."""
        least_days = self.gap_days + p.days_after_gap + 1 if self.gap_days else 1
        for name, value, least in (
            ("hosts", self.hosts, 1),
            ("days", self.days, least_days),
            ("seed", self.seed, 0),
            ("gap", self.gap_days, 0),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")


@dataclass(frozen=True)
class SimulationSummary:
    """What was written for a scenario; `labels` are the lines of `labels_file`."""

    output: str
    scenario: Scenario
    events: int
    planted_events: int
    events_by_type: dict[str, int]
    files: list[str]
    labels_file: str
    labels: list[dict[str, Any]]

    @property
    def events_glob(self) -> str:
        """What to give a detector as its input."""
        return str(Path(self.output) / "events" / "*.parquet")


def simulate(output: str, scenario: Scenario) -> SimulationSummary:
    """Writes `output/events/dt=YYYY-MM-DD.parquet`, one per UTC day, and `output/labels.jsonl`.

    Campaigns begin on day `parameters.campaign_day`; what a
    label expects holds from 33 days and 20 hosts on.

    Raises:
        ConfigurationError: there are not enough days for all campaigns at so many a day.
    """
    folder, seed, sensor = Path(output), scenario.seed, SENSORS[scenario.sensor]
    (folder / "events").mkdir(parents=True, exist_ok=True)
    organisation = build_organisation(scenario.hosts, scenario.days, seed, scenario.first_day, scenario.gap_days)
    campaign_rows = plant(organisation, scenario.campaigns, len(CHANGES), seed, scenario.most_a_day)
    names = {change.name: number for number, change in enumerate(CHANGES)}
    ordinary = Background(organisation, names, seed, scenario.background == "thinned", sensor.guid is not None)
    files = []
    for index in range(scenario.days):
        day = organisation.day(index)
        numbers = event_numbers(seed, day, PARTS, len(campaign_rows[day]))
        rows = [row | {"number": number} for row, number in zip(campaign_rows[day], numbers, strict=True)]
        if running := ordinary.running(index):
            rows = with_instances(rows, running)
        files.append(write_day(folder / "events", day, [*ordinary.day(index), table_of(rows)], sensor))
    campaign_events = pa.concat_tables(file.campaign_events for file in files)
    labels = labels_of([*CHANGES, *scenario.campaigns], campaign_events, organisation)
    write_labels(folder / "labels.jsonl", labels)
    by_type = sum((file.events for file in files), Counter())
    return SimulationSummary(
        output=output,
        scenario=scenario,
        events=by_type.total(),
        planted_events=sum(label["events"] for label in labels),
        events_by_type=dict(by_type),
        files=[str(file.path) for file in files],
        labels_file=str(folder / "labels.jsonl"),
        labels=labels,
    )
