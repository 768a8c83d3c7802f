"""The options of history as a stream: when its records arrive, and where they are sorted by that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import Whole, path, seed
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.columns.days import DAY_US, day_number

if TYPE_CHECKING:
    from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes
    from uncommon_im.transforms.rules.stream.lateness import Lateness


@dataclass(frozen=True)
class ArrivalOptions(Options, title="arrival"):
    """When records arrive."""

    shuffle_seed: int | None = option(
        "Delay each record by up to --lateness. The same seed gives the same delays.", parse=seed
    )
    arrival_column: str | None = option("The column or JSON key with a record's arrival time.", metavar="NAME")
    arrived_since: date | None = option("Leave out records that arrived before this day (UTC).")
    rate: int | None = option(
        "How many records are replayed in a second. By default the replay is as fast as it can be.",
        parse=Whole(1, 1_000_000_000),
    )
    spool: str | None = option(
        "The folder where records are sorted by arrival. Every worker must see it. By default it is a temporary "
        "folder.",
        metavar="FOLDER",  # of this machine
        parse=path,
    )

    def check(self) -> None:
        """Raises `ConfigurationError` unless the options fit together."""
        require(
            "://" not in (self.spool or ""),
            f"--spool {self.spool}: expected a folder of a file system that this machine and all workers have mounted",
        )
        require(
            self.arrival_column is None or self.shuffle_seed is None,
            "--arrival-column and --shuffle-seed both say when records arrive: give one of them",
        )

    def times(self, lateness: Lateness) -> ArrivalTimes:
        """When each record arrives."""
        from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes

        since = None if self.arrived_since is None else day_number(self.arrived_since) * DAY_US
        return ArrivalTimes(self.arrival_column, self.shuffle_seed, lateness.allowed, since)
