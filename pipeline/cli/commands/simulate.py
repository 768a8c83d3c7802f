"""`uncommon-im simulate`: labelled telemetry of an invented organisation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

from uncommon_im.pipeline.cli.closing import command
from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import say_next
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import MOST, MOST_DAYS, Whole, positive, seed, text
from uncommon_im.pipeline.sinks.files.options import LockOptions
from uncommon_im.schemas.documents import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class SimulateOptions(Options):
    """The options of `simulate`."""

    output: str = option("Where events/ and labels.jsonl go.", metavar="DIR", required=True)
    hosts: int = option("How many hosts the organisation has.", 50, parse=positive)
    days: int = option("How many days of telemetry are made.", 45, parse=Whole(1, MOST_DAYS))
    seed: int = option("The same seed gives the same events.", 1, parse=seed)
    first_day: date | None = option("The first day (UTC). By default this is 2026-01-05.")
    background: Literal["full", "thinned"] = option(
        "The ordinary events. `thinned` keeps only those that detectors read: the same alerts from a fraction of the "
        "events.",
        "full",
    )
    sensor: Literal["xdr", "elastic", "sysmon", "crowdstrike", "sentinelone"] = option(
        "In whose shape the telemetry is: what it says of a process in each event, and what only when that starts. "
        "`xdr` says all in each event.",
        "xdr",
    )
    gap_days: int = option(
        "How many days, three weeks before the end, have no telemetry at all.", 0, parse=Whole(0, MOST_DAYS)
    )
    campaigns: tuple[str, ...] = option(
        "What is planted: a campaign's name, a class, or a glob of such. `malicious` and `harmless` are classes, "
        "too, and so is `default`: what is planted otherwise, with all of --cards. The option can be repeated.",
        (),
        "NAME",
        parse=text,
    )
    campaigns_per_day: int | None = option(
        "At most so many campaigns begin on a day. By default any number may.", parse=Whole(1, MOST)
    )
    cards: str | None = option("A folder with campaigns of your own: a card each, in *.yaml.", metavar="DIR")
    marginals: bool = option("Also measure shares and skews, into marginals.json.", False)
    lock: LockOptions


def run_simulate(options: SimulateOptions) -> None:
    """`uncommon-im simulate`.

    Raises:
        ConfigurationError: an argument is wrong.
    """
    from uncommon_im.pipeline.lab.simulation import FIRST_DAY, Scenario, simulate
    from uncommon_im.pipeline.lab.simulation.campaigns.deck import chosen
    from uncommon_im.pipeline.lab.simulation.folder import simulation_folder
    from uncommon_im.pipeline.lab.simulation.marginals import marginals_of

    campaigns = tuple(chosen(options.campaigns, options.cards))
    try:
        scenario = Scenario(
            options.hosts,
            options.days,
            options.seed,
            options.first_day or FIRST_DAY,
            options.background,
            options.gap_days,
            options.sensor,
            campaigns,
            options.campaigns_per_day,
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    output = options.output.rstrip("/") or "/"
    with simulation_folder(output, options.lock.force) as folder:
        made = simulate(folder, scenario)
        marginals = json.dumps(marginals_of(made.files), indent=2) if options.marginals else None
        if marginals:
            Path(folder, "marginals.json").write_text(marginals + "\n", encoding="utf-8")
    events, labels = (path.replace(folder, output, 1) for path in (made.events_glob, made.labels_file))
    print(f"{made.events:,} events of {scenario.hosts} hosts in {events}, labels in {labels}")
    if marginals:
        print(f"shares and skews are in {output}/marginals.json, too:\n{marginals}")
    say_next(
        f"{command('backfill', '--input', events, '--output', f'{output}/run', '--verdicts')} judges it, then "
        f"{command('evaluate', output)} says what was found"
    )


SIMULATE: Final = Command("simulate", "Make labelled telemetry.", SimulateOptions, run_simulate)
