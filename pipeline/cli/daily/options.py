"""The options of `uncommon-im daily`, and the backfill that they make of a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from posixpath import join
from typing import Final

from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME, BigQueryOptions
from uncommon_im.pipeline.cli.commands.backfill import BackfillOptions, SizeOptions
from uncommon_im.pipeline.configuration.options import BaselineOptions, DayOptions, DetectorOptions, FindingOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import MOST_DAYS, Whole
from uncommon_im.pipeline.sinks.bigquery.options import MergeOptions
from uncommon_im.pipeline.sinks.delivery.options import DeliveryOptions
from uncommon_im.pipeline.sinks.files.options import LockOptions, RunFolder
from uncommon_im.pipeline.sources.files.options import FileOptions
from uncommon_im.pipeline.sources.host_names import HostNameOptions
from uncommon_im.pipeline.sources.options import InputOptions
from uncommon_im.pipeline.storage.places import real_path
from uncommon_im.schemas.documents import require

_DAY: Final = timedelta(days=1)
_TWO_DAYS: Final = date(2026, 1, 1), date(2026, 1, 2)


@dataclass(frozen=True, kw_only=True)
class LakeOptions(FileOptions, title="input"):
    """The files of a lake that has a place for each day."""

    input: tuple[str, ...] = ()
    lake: tuple[str, ...] = option(
        "The files of each day, here or on gs://, s3://, az:// and whatever else Beam knows. {date} stands for the "
        "day, as 2026-03-01; other forms are {date:%Y%m%d} and {date:%Y}/{date:%m}/{date:%d}.",
        (),
        "GLOB",
    )
    partition_slack_days: int = option(
        "How many later partitions are read too, for a lake whose {date} is the day of ingestion: late records are in "
        "later partitions. A day is judged once they are over.",
        0,
        parse=Whole(0, MOST_DAYS),
    )

    def check(self) -> None:
        """Raises `ConfigurationError` unless each pattern tells days apart."""
        from uncommon_im.pipeline.sources.files.partitions import on_day, require_form

        require(self.lake, "nothing to read: --lake says where the files of each day are")
        for pattern in self.lake:
            require(
                not pattern.startswith(TABLE_SCHEME),
                f"--lake {pattern}: days that look after themselves are files: export the table, or use `backfill`",
            )
            require_form(pattern, "--lake")
            first, second = (on_day(pattern, day) for day in _TWO_DAYS)
            require(
                first != second,
                f"--lake {pattern}: it names the same files for two days: say with {{date}} where those of one day are",
            )


@dataclass(frozen=True)
class DayFolders(RunFolder, title="output"):
    """The folder of the folders of days."""

    output: str | None = option(
        "Each day gets a folder in it, named by its date, as `backfill` writes it.", metavar="DIR"
    )


@dataclass(frozen=True)
class ChainOptions(BaselineOptions, title="baseline"):
    """Snapshots are the chain's own business."""

    baseline_in: None = None
    baseline_out: None = None


@dataclass(frozen=True)
class WaitOptions(Options, title="days (UTC)"):
    """Which days are judged, and when."""

    until: date | None = option(
        "The last day that is judged. By default this is yesterday, less the --partition-slack-days."
    )
    first_day: date | None = option(
        "The first day that is judged, if the state folder is new. By default this is the last one."
    )
    wait_days: int = option(
        "After how many days a day that looks incomplete is taken as it is. Until then the command ends with exit "
        "status 75.",
        2,
        parse=Whole(0, MOST_DAYS),
    )


@dataclass(frozen=True, kw_only=True)
class DailyOptions(Options):
    """The options of `daily`."""

    lake: LakeOptions
    state: str = option(
        "The folder of what the command knows: the snapshot of each day, and which files it was made of.",
        metavar="DIR",
        required=True,
    )
    keep_snapshots: int = option(
        "How many snapshots are kept. Files that come late are taken in if their day begins with one of these.",
        8,
        parse=Whole(2, MOST_DAYS),
    )
    bigquery: BigQueryOptions
    folder: DayFolders
    tables: MergeOptions
    days: WaitOptions
    baseline: ChainOptions
    detector: DetectorOptions
    findings: FindingOptions
    hosts: HostNameOptions
    delivery: DeliveryOptions
    size: SizeOptions
    lock: LockOptions

    def check(self) -> None:
        """Raises `ConfigurationError` unless what is asked for can be read, kept and written."""
        self.lake.check()
        output = self.folder.output
        require(
            output is None or real_path(output) != real_path(self.state),
            f"--output {output} is the folder of --state: give each a folder of its own",
        )
        self.of_day((date.min, date.min), "", None).check()

    @property
    def until(self) -> date:
        """The last day that may be judged."""
        slack = timedelta(days=self.lake.partition_slack_days)
        return self.days.until or datetime.now(UTC).date() - _DAY - slack

    def output_of(self, day: date) -> str | None:
        """The folder of a day."""
        return join(self.folder.output, str(day)) if self.folder.output else None

    def of_day(self, days: tuple[date, date], snapshot: str, before: str | None) -> BackfillOptions:
        """The backfill of a day.

        Args:
            days: the first day that is judged, and the one after the last, in whose folder the findings go.
            snapshot: the directory of the snapshot that it leaves.
            before: the directory of the snapshot that it starts from; `None`: it learns from the days before.
        """
        start, last = days
        files = replace(self.lake, input=self.lake.lake, require_marker=None)  # the chain has looked for it
        return BackfillOptions(
            input=InputOptions(files=files),
            bigquery=self.bigquery,
            folder=RunFolder(self.output_of(last)),
            tables=self.tables,
            days=DayOptions(start, last + _DAY),
            baseline=BaselineOptions(before, snapshot, self.baseline.learn_changed_services),
            detector=self.detector,
            findings=self.findings,
            hosts=self.hosts,
            delivery=self.delivery,
            size=self.size,
            lock=self.lock,
        )
