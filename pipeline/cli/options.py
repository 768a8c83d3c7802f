"""The command line: its options, and what they mean together."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NoReturn

from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.exceptions import load_exceptions
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, NATIVE
from uncommon_im.transforms.rules.columns.local_time import UTC_ZONE, zone_of
from uncommon_im.transforms.rules.parsing.decode import formats

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.runner import PipelineResult

    from uncommon_im.pipeline.configuration import Configuration
    from uncommon_im.pipeline.sources.inputs import Input

WORTH_PROCESSES_BYTES = 1 << 24
"""Input (compressed, in files) from which starting processes pays."""
IN_PROCESS_RUNNER = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and exit status 2."""

    def __init__(self, **settings: object) -> None:
        super().__init__(allow_abbrev=False, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raises instead of printing the usage.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(f"{message} (see {self.prog} --help)")


def add_catalogue_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that decide what an instant messaging server is."""
    parser.add_argument("--services", metavar="FILE.yaml", help="your own services and hosts, added to the catalogue")
    parser.add_argument(
        "--operator-ranges",
        action="store_true",
        help="match address ranges that carry the owner's other products too (Teams, LINE, Kakao): more, and noisier",
    )


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that decide what the detector computes."""
    group = parser.add_argument_group("detector")
    group.add_argument("--detector", metavar="FILE.yaml", help="a detector card that replaces what it names")
    add_catalogue_arguments(group)  # type: ignore[arg-type]
    group.add_argument("--exceptions", metavar="FILE.yaml", help="communications that need no alert")
    group.add_argument("--tenant", default="default", metavar="ID", help="tenant of records that name none")
    group.add_argument(
        "--time-zone",
        default=UTC_ZONE,
        metavar="NAME",
        help="of the organisation (Europe/Berlin, Asia/Kolkata): says whether an alert's hour of the day is usual",
    )
    for name, what in (
        ("activation-days", "days with telemetry before the detector speaks (14)"),
        ("training-days", "days of the rolling baseline (30)"),
        ("guard-days", "newest days that do not vouch for a suspicious process (3)"),
        ("max-other-hosts", "rare: at most so many other hosts showed it (3); sets the execution limit too"),
        ("max-host-days", "rare: this host showed it on at most so many days (2); sets the execution limit too"),
        ("max-alerts-per-group", "alerts a program, service, day and variation (25; 0: no limit)"),
    ):
        group.add_argument(f"--{name}", type=whole, metavar="N", help=what)


def add_format_arguments(group: argparse._ArgumentGroup) -> None:
    """Options that say how records are read."""
    group.add_argument(
        "--format", default="auto", choices=formats(load_mappings()), help="of JSON lines (Parquet is native)"
    )
    group.add_argument(
        "--keep-host-domain",
        action="store_true",
        help="where host ids are computer names (sysmon, ecs), keep the domain: host.example.org instead of host",
    )


def add_alert_arguments(group: argparse._ActionsContainer) -> None:
    """Options that say how findings are written."""
    group.add_argument(
        "--no-redact",
        action="store_true",
        help="leave secrets in alerts, verdicts and dead letters: for those who may read them",
    )
    group.add_argument(
        "--alert-format",
        default=NATIVE,
        choices=tuple(ALERT_FORMATS),
        help="of alerts in files and messages; tables hold native ones",
    )


def check_alert_format(arguments: argparse.Namespace, *written: str | None) -> None:
    """Raises `ConfigurationError` if a format is asked for that nothing which is written to has."""
    require(
        arguments.alert_format == NATIVE or any(written),
        f"--alert-format {arguments.alert_format} is that of files and messages: BigQuery's tables hold native alerts",
    )


def add_range_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which days count."""
    group = parser.add_argument_group("days (UTC)")
    group.add_argument("--start", type=day, metavar="DATE", help="first day that is judged; earlier days only train")
    group.add_argument("--end", type=day, metavar="DATE", help="first day that is not read any more")


def add_baseline_arguments(parser: argparse.ArgumentParser, leaves_snapshot: bool = True) -> None:
    """Options that hand what was learned from run to run; a stream leaves no snapshot by itself."""
    group = parser.add_argument_group("baseline")
    group.add_argument("--baseline-in", metavar="DIR", help="start from the snapshot in this directory")
    if leaves_snapshot:
        group.add_argument("--baseline-out", metavar="DIR", help="leave a snapshot of the day --end there")
    group.add_argument(
        "--learn-changed-services",
        action="store_true",
        help="services that are new or changed since the snapshot learn first, instead of stopping the run",
    )


def configuration_of(arguments: argparse.Namespace) -> Configuration:
    """The configuration that the options and the files they name give.

    Raises:
        ConfigurationError: an option or a file is wrong.
    """
    from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
    from uncommon_im.pipeline.baselines.warm_start import with_baseline
    from uncommon_im.pipeline.configuration import Configuration, new_run_id

    if arguments.start and arguments.end and arguments.start >= arguments.end:
        raise ConfigurationError(
            f"--end {arguments.end} must be later than --start {arguments.start} (it is exclusive)"
        )
    if not arguments.tenant.strip():
        raise ConfigurationError("--tenant is empty: give the id of records that name no tenant")
    detector = load_detector(
        arguments.detector,
        activation_days=arguments.activation_days,
        training_days=arguments.training_days,
        guard_days=arguments.guard_days,
        max_other_hosts=arguments.max_other_hosts,
        execution_max_other_hosts=arguments.max_other_hosts,
        max_host_days=arguments.max_host_days,
        execution_max_host_days=arguments.max_host_days,
        max_alerts_per_group=arguments.max_alerts_per_group,
    )
    configuration = Configuration(
        detector=detector,
        catalogue=load_catalogue(arguments.services),
        exceptions=load_exceptions(arguments.exceptions),
        tenant=arguments.tenant.strip(),
        operator_ranges=arguments.operator_ranges,
        time_zone=zone_of(arguments.time_zone).key,
        start=arguments.start,
        end=arguments.end,
        verdicts=arguments.verdicts,
        evidence=arguments.evidence,
        run_id=new_run_id(),
        baseline_out=arguments.baseline_out,
        redact=not arguments.no_redact,
        alert_format=arguments.alert_format,
    )
    _check_baseline(arguments)
    if arguments.baseline_in is None:
        return configuration
    return with_baseline(configuration, open_snapshot(arguments.baseline_in), arguments.learn_changed_services)


def _check_baseline(arguments: argparse.Namespace) -> None:
    came, goes = arguments.baseline_in, arguments.baseline_out
    for option, path in (("--baseline-in", came), ("--baseline-out", goes)):
        if path is not None and not path.strip():
            raise ConfigurationError(f"{option} is empty: give the directory of a snapshot, or leave the option out")
    if goes is not None and not arguments.end:
        raise ConfigurationError("--baseline-out needs --end: the day boundary at which the snapshot is taken")
    if came is not None and goes is not None and came.rstrip("/") == goes.rstrip("/"):
        raise ConfigurationError(
            f"--baseline-out {goes} is the snapshot that the run starts from: give the next one its own directory, "
            "so that the run can be repeated"
        )


def beam_options(rest: Sequence[str], default: Sequence[str] = (f"--runner={IN_PROCESS_RUNNER}",)) -> PipelineOptions:
    """Beam's own options from the rest of the command line; without --runner those of `default` are added.

    Raises:
        ConfigurationError: Beam knows no such option.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    _, unknown = beam_parser().parse_known_args(list(rest))
    if unknown:
        raise ConfigurationError(f"unknown option {name_of(unknown[0])} (see --help; Beam's own options are taken too)")
    flags = list(rest)
    if not any(flag == "--runner" or flag.startswith("--runner=") for flag in flags):
        flags += default
    return PipelineOptions(flags)


def beam_parser() -> Parser:
    """A parser of all options that Beam knows, those of its engines included."""
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.cli import flink_options  # noqa: F401 (declaring its options is enough)

    parser = Parser(prog="uncommon-im", add_help=False)
    for group in PipelineOptions.__subclasses__():
        adder = getattr(group, "_add_argparse_args", None)
        if adder is not None:
            adder(_Tolerant(parser))
    return parser


def only_written(result: PipelineResult) -> bool:
    """Whether a pipeline that was run is only a graph in a file: a template's launcher has it run by Dataflow."""
    return not getattr(result, "has_job", True)


def workers_of(arguments: argparse.Namespace, beam_options: PipelineOptions, inputs: Sequence[Input]) -> int:
    """Processes that scan: as asked for; else, if the pipeline runs in this process and there is much, all cores."""
    from apache_beam.options.pipeline_options import StandardOptions

    if arguments.workers is not None:
        return int(arguments.workers)
    local = beam_options.view_as(StandardOptions).runner == IN_PROCESS_RUNNER
    much = sum(each.size for each in inputs) >= WORTH_PROCESSES_BYTES
    return (os.cpu_count() or 1) if local and much else 1


def shards_of(arguments: argparse.Namespace, beam_options: PipelineOptions, workers: int) -> int:
    """Shards: as asked for; else more the more there is to expect."""
    from apache_beam.options.pipeline_options import StandardOptions

    if arguments.shards is not None:
        return int(arguments.shards)
    if beam_options.view_as(StandardOptions).runner != IN_PROCESS_RUNNER:
        return 256
    return 16 if workers > 1 else 8


class _Tolerant:
    """Adds arguments to a parser, and passes over those that two of Beam's option groups share."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser

    def add_argument(self, *names: str, **settings: object) -> None:
        try:
            self._parser.add_argument(*names, **settings)  # type: ignore[arg-type]
        except argparse.ArgumentError:
            return

    def add_mutually_exclusive_group(self, **_: object) -> _Tolerant:
        return self


def day(text: str) -> date:
    """An option that is a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: write it as YYYY-MM-DD") from None


def whole(text: str) -> int:
    """An option that is a whole number, 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def positive(text: str) -> int:
    """An option that is a whole number, 1 or more."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def no_more(rest: Sequence[str]) -> None:
    """Raises `ConfigurationError` if arguments are left over."""
    if rest:
        raise ConfigurationError(f"unknown argument {name_of(rest[0])} (see --help)")


def name_of(argument: str) -> str:
    """An argument without its value, for messages: what is misspelt may have been meant to hold a password."""
    return argument.partition("=")[0]
