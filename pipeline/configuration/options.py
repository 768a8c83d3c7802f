"""The options that decide what a run computes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import MOST_SECONDS, Whole
from uncommon_im.pipeline.storage.places import real_path
from uncommon_im.schemas.catalogue import Catalogue, load_catalogue
from uncommon_im.schemas.detector import BOUNDS, Detector, Limits, load_detector
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.evidence import MAX_OTHER_HOSTS
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, NATIVE
from uncommon_im.transforms.rules.columns.days import SECOND_US
from uncommon_im.transforms.rules.columns.local_time import UTC_ZONE
from uncommon_im.transforms.rules.stream.lateness import Lateness

_LIMITS: Final = (
    *("activation_days", "training_days", "guard_days"),
    *("max_other_hosts", "max_host_days", "max_alerts_per_group"),
    "process_lookback",
)


def _limit(name: str) -> Whole:
    return Whole(*BOUNDS[name])


@dataclass(frozen=True)
class CatalogueOptions(Options, title="detector"):
    """What an instant messaging server is."""

    services: str | None = option("Your own services and hosts. They are added to the catalogue.", metavar="FILE.yaml")
    operator_ranges: bool = option(
        "Also match address ranges that carry their owner's other products (Teams, LINE, Kakao). This finds "
        "more, and it is noisier.",
        False,
    )

    def catalogue(self) -> Catalogue:
        """The catalogue with the user's services.

        Raises:
            ConfigurationError: the file of services is wrong.
        """
        return load_catalogue(self.services)


@dataclass(frozen=True, kw_only=True)
class DetectorOptions(Options, title="detector"):
    """What the detector computes (specification, sections 5 to 7)."""

    detector: str | None = option(
        "A detector card. What it leaves out comes from the shipped card.", metavar="FILE.yaml"
    )
    known: CatalogueOptions
    exceptions: str | None = option("Communications that need no alert.", metavar="FILE.yaml")
    dispositions: str | None = option(
        "What analysts decided, as the report exports it. What they called benign needs no alert. What they called "
        "malicious never counts as normal.",
        metavar="FILE",
    )
    tenant: str = option("The tenant for records that do not name one.", "default", "ID")
    time_zone: str = option(
        "The time zone of the organisation, such as Europe/Berlin. It decides which local hour an event falls into.",
        UTC_ZONE,
        "NAME",
    )
    activation_days: int | None = option(
        "How many days with telemetry a tenant needs before the detector raises alerts. The shipped card has 14.",
        parse=_limit("activation_days"),
    )
    training_days: int | None = option(
        "How many days the rolling baseline covers. The shipped card has 30.", parse=_limit("training_days")
    )
    guard_days: int | None = option(
        "If a process is suspicious, hosts that showed it only in the last N days are not counted, so that an outbreak "
        "cannot make itself look common. The shipped card has 3.",
        parse=_limit("guard_days"),
    )
    max_other_hosts: int | None = option(
        "A communication is rare only if at most N other hosts showed it; the limit of --max-host-days must hold too. "
        "This also sets the limit for executions. The shipped card has 3.",
        parse=_limit("max_other_hosts"),
    )
    max_host_days: int | None = option(
        "A communication is rare only if its own host showed it on at most N days; the limit of --max-other-hosts must "
        "hold too. This also sets the limit for executions. The shipped card has 2.",
        parse=_limit("max_host_days"),
    )
    max_alerts_per_group: int | None = option(
        "How many alerts one program, service, day and variation may raise. Further ones are rolled up. 0 means "
        "no limit. The shipped card has 25.",
        parse=_limit("max_alerts_per_group"),
    )

    process_lookback: int | None = option(
        "How many days before a connection its process may have started. What the connection does not say of the "
        "process is taken from that start. 0 takes nothing. The shipped card has 7.",
        parse=_limit("process_lookback"),
        metavar="DAYS",
    )

    def card(self) -> Detector:
        """The detector card with these limits.

        Raises:
            ConfigurationError: the card or a limit is wrong.
        """
        limits: dict[str, int | None] = {name: getattr(self, name) for name in _LIMITS}
        for name in ("max_other_hosts", "max_host_days"):
            limits[f"execution_{name}"] = limits[name]
        return load_detector(self.detector, **limits)


@dataclass(frozen=True)
class DayOptions(Options, title="days (UTC)"):
    """Which days count."""

    start: date | None = option("The first day that is judged. Earlier days only train the baseline.")
    end: date | None = option("End date, exclusive: this day is not read.")

    def check(self) -> None:
        """Raises `ConfigurationError` unless there is a day between them."""
        require(
            not (self.start and self.end) or self.start < self.end,
            f"--end {self.end} must be later than --start {self.start} (it is exclusive)",
        )


@dataclass(frozen=True)
class StreamDays(DayOptions, title=""):
    """The same for a stream, which has no end."""

    start: date | None = option("The first day (UTC) that is judged.")
    end: None = None


@dataclass(frozen=True)
class BaselineOptions(Options, title="baseline"):
    """What was learned, from run to run."""

    baseline_in: str | None = option("Start from the snapshot in this directory.", metavar="DIR")
    baseline_out: str | None = option("Leave a snapshot of the day --end in this directory.", metavar="DIR")
    learn_changed_services: bool = option(
        "Continue although services changed since the snapshot. They raise no alert until they have enough days of "
        "their own. Without this option the run stops with an error.",
        False,
    )

    def check(self, end: date | None) -> None:
        """Raises `ConfigurationError` unless directories are named, of two snapshots, and `end` says the day."""
        if self.baseline_out is None:
            return
        require(end, "--baseline-out needs --end: the day boundary at which the snapshot is taken")
        check_places(self.baseline_in, self.baseline_out)


def check_places(baseline_in: str | None, baseline_out: str) -> None:
    """Raises `ConfigurationError` if two directories of snapshots are one, by whatever names."""
    require(
        baseline_in is None or real_path(baseline_in) != real_path(baseline_out),
        f"--baseline-out {baseline_out} is the snapshot that the run starts from: give the next one its own "
        "directory, so that the run can be repeated",
    )


@dataclass(frozen=True)
class StreamBaseline(BaselineOptions):
    """The same for a stream, which leaves no snapshot by itself."""

    baseline_out: None = None


@dataclass(frozen=True)
class FindingOptions(Options, title="output"):
    """Which findings are written, and in what form."""

    verdicts: bool = option("Also write the verdicts, one row per activity.", False)
    no_redact: bool = option(
        "Leave secrets in alerts, verdicts and dead letters. Use it only if all readers may see them.", False
    )
    alert_format: str = option(
        "The format of alerts in files, messages and requests. Tables hold native alerts.",
        NATIVE,
        choices=tuple(ALERT_FORMATS),
    )
    evidence: int | None = option(
        "Also write the activities that at most N other hosts showed, with their figures: `tune` and `review` read "
        f"them. --evidence alone means N = {MAX_OTHER_HOSTS}; without the option nothing is written.",
        const=MAX_OTHER_HOSTS,
    )

    def check(self, *written: str | bool | None) -> None:
        """Raises `ConfigurationError` if a format is asked for that nothing which is written to has."""
        require(
            self.alert_format == NATIVE or any(written),
            f"--alert-format {self.alert_format} is that of files and messages: BigQuery's tables hold native alerts",
        )


@dataclass(frozen=True)
class StreamFindings(FindingOptions):
    """The same for a stream, which writes no evidence."""

    evidence: None = None


@dataclass(frozen=True)
class LatenessOptions(Options, title="stream"):
    """How long a stream waits (specification, section 9)."""

    lateness: int = option(
        "How long records may take to arrive. An activity is judged once that time has passed.",
        600,
        "SECONDS",
        parse=Whole(0, MOST_SECONDS),
    )
    late_horizon: int = option(
        "Records that took longer than this teach the baseline, but they are not judged.",
        86_400,
        "SECONDS",
        parse=Whole(0, MOST_SECONDS),
    )

    def allowed(self, limits: Limits) -> Lateness:
        """How long the stream waits, and how far back it goes.

        Raises:
            ConfigurationError: the horizon is shorter than the lateness.
        """
        return Lateness(self.lateness * SECOND_US, self.late_horizon * SECOND_US, limits.training_days)
