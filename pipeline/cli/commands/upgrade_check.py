"""`uncommon-im upgrade-check`: what to do before this version runs where another one ran."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.bigquery.options import BigQueryOptions
from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.configuration.options import BaselineOptions, DayOptions, DetectorOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import dataset
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    from uncommon_im.pipeline.cli.upgrade import Line


@dataclass(frozen=True, kw_only=True)
class UpgradeOptions(Options):
    """The options of `upgrade-check`."""

    baseline_in: str | None = option("The snapshot from which the next run starts.", metavar="DIR")
    run: str | None = option("The folder of a run of the earlier version.", metavar="DIR")
    bigquery_output: str | None = option("The dataset that runs write to.", metavar="PROJECT.DATASET", parse=dataset)
    sightings_out: str | None = option(
        "The directory in which the running stream leaves what it learns.", metavar="DIR"
    )
    stream_contract: str | None = option(
        "The update contract of the running stream: tests/golden/stream/contract.json of its version.", metavar="FILE"
    )
    bigquery: BigQueryOptions
    detector: DetectorOptions


def run_upgrade_check(options: UpgradeOptions, rest: list[str]) -> int:
    """`uncommon-im upgrade-check`; returns 1 if something is to do.

    Raises:
        ConfigurationError: nothing is to be checked, or BigQuery cannot be reached.
    """
    from uncommon_im.pipeline.cli.upgrade import show

    given = (
        *(options.baseline_in, options.run, options.bigquery_output),
        *(options.sightings_out, options.stream_contract),
    )
    require(
        any(given),
        "nothing to check: give --baseline-in, --run, --bigquery-output, --sightings-out or --stream-contract",
    )
    return show(_lines(options, rest), print)


def _lines(options: UpgradeOptions, rest: list[str]) -> Iterator[Line]:
    from uncommon_im.pipeline.cli import upgrade
    from uncommon_im.pipeline.configuration.from_options import configuration_of
    from uncommon_im.pipeline.options.beam import beam_options

    configuration = configuration_of(options.detector, DayOptions(), BaselineOptions())
    if options.baseline_in:
        yield from upgrade.check_snapshot(options.baseline_in, configuration)
    if options.run:
        yield from upgrade.check_run(options.run, configuration)
    if options.bigquery_output:
        from uncommon_im.pipeline.bigquery.tables import Dataset  # needs Google's client

        dataset = Dataset(options.bigquery.access(beam_options(rest)), options.bigquery_output)
        client = dataset.access.reached_client(f"--bigquery-output {dataset.name}")
        yield from upgrade.check_tables(dataset, client)
    if options.sightings_out:
        yield from upgrade.check_learned(options.sightings_out, configuration)
    if options.stream_contract:
        yield from upgrade.check_contract(options.stream_contract)


UPGRADE_CHECK: Final = Command(
    "upgrade-check",
    "Say what to do before this version runs where another one ran.",
    UpgradeOptions,
    run_upgrade_check,
    beam=True,
)
