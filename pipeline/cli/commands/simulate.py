"""`uncommon-im simulate`: labelled telemetry of an invented organisation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from uncommon_im.pipeline.cli import options
from uncommon_im.schemas.documents import ConfigurationError


def simulate_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `simulate`."""
    sub.add_argument("--output", required=True, metavar="DIR", help="where events/ and labels.jsonl go")
    sub.add_argument("--hosts", type=options.positive, default=50, metavar="N", help="hosts (50)")
    sub.add_argument("--days", type=options.positive, default=45, metavar="N", help="days (45)")
    sub.add_argument("--seed", type=options.whole, default=1, metavar="N", help="the same seed, the same events (1)")
    sub.add_argument("--first-day", type=options.day, metavar="DATE", help="the first UTC day (2026-01-05)")
    sub.add_argument(
        "--background",
        choices=("full", "thinned"),
        default="full",
        help="thinned: of ordinary events only what detectors read; the same alerts from a fraction of the events",
    )
    sub.add_argument(
        "--gap-days",
        type=options.whole,
        default=0,
        metavar="N",
        help="days without any telemetry, three weeks before the end (0: none)",
    )
    sub.add_argument("--marginals", action="store_true", help="also measure shares and skews, into marginals.json")


def run_simulate(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im simulate`.

    Raises:
        ConfigurationError: an argument is wrong.
    """
    from uncommon_im.pipeline.lab.simulation import FIRST_DAY, Scenario, simulate
    from uncommon_im.pipeline.lab.simulation.marginals import marginals_of
    from uncommon_im.pipeline.storage.upload import local_folder

    options.no_more(rest)
    output = arguments.output.rstrip("/") or "/"
    with local_folder("--output", output, replaced="events/dt=*.parquet") as folder:
        try:
            scenario = Scenario(
                arguments.hosts,
                arguments.days,
                arguments.seed,
                arguments.first_day or FIRST_DAY,
                arguments.background,
                arguments.gap_days,
            )
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        made = simulate(folder, scenario)
        marginals = json.dumps(marginals_of(made.files), indent=2) if arguments.marginals else None
        if marginals:
            Path(folder, "marginals.json").write_text(marginals + "\n", encoding="utf-8")
    events, labels = (path.replace(folder, output, 1) for path in (made.events_glob, made.labels_file))
    print(f"{made.events:,} events of {scenario.hosts} hosts in {events}, labels in {labels}")
    if marginals:
        print(marginals)
