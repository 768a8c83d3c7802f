"""Beam's own options: what of the command line is left over is theirs."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, TypeVar, cast

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners import create_runner

from uncommon_im.pipeline.options.parser import Parser, name_of
from uncommon_im.schemas.documents import ConfigurationError, require

AnyOptions = TypeVar("AnyOptions", bound=PipelineOptions)
IN_PROCESS_RUNNER: Final = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


class FlinkStreamOptions(PipelineOptions):
    """Options of Beam's Flink runner that its Python SDK does not know, although its job server does.

    Source: the runner's own list, https://beam.apache.org/documentation/runners/flink/ ("Pipeline options for the Flink
    Runner"). The job server gets what is given.
    """

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        numbers = {
            "--checkpointing_interval": "ms between checkpoints; without it there are none, and a failed job is over",
            "--checkpoint_timeout_millis": "ms after which a checkpoint is given up",
            "--min_pause_between_checkpoints": "ms",
            "--number_of_execution_retries": "how often a failed job is started again",
            "--execution_retry_delay": "ms",
            "--max_bundle_size": "elements of a bundle",
            "--max_bundle_time_mills": "ms that a bundle may take to fill",
            "--auto_watermark_interval": "ms",
            "--shutdown_sources_after_idle_ms": "ms after which a source that has ended is closed",
        }
        for flag, meaning in numbers.items():
            parser.add_argument(flag, type=int, help=meaning)
        parser.add_argument("--checkpointing_mode", help="EXACTLY_ONCE or AT_LEAST_ONCE")
        parser.add_argument("--state_backend", help="rocksdb, filesystem or a factory class")
        parser.add_argument("--state_backend_storage_path", help="where checkpoints go")
        parser.add_argument("--savepoint_path", help="from which to go on")
        # Else what a bundle emits while a checkpoint is made is kept in it, and comes behind the watermark that it
        # should have preceded: verdicts are other ones then, after a recovery and even without a failure.
        parser.add_argument(
            "--finish_bundle_before_checkpointing",
            action=BooleanOptionalAction,
            default=True,
            help="what a bundle emits leaves before a checkpoint: needed for the same alerts",
        )


class OnceParsedOptions(PipelineOptions):
    """Beam's options, each view of which is parsed once: Beam asks for some five hundred as it builds a graph.

    Views share what they know, so that a view which was made before tells the same as a new one.
    """

    @cached_property
    def _views(self) -> dict[type[PipelineOptions], PipelineOptions]:
        return {}

    def view_as(self, cls: type[AnyOptions]) -> AnyOptions:
        """These options as those of a class."""
        if cls not in self._views:
            self._views[cls] = super().view_as(cls)
        return cast(AnyOptions, self._views[cls])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_views"}


def beam_options(rest: Sequence[str], default: Sequence[str] = (f"--runner={IN_PROCESS_RUNNER}",)) -> PipelineOptions:
    """Beam's own options from the rest of the command line; without --runner those of `default` are added.

    Raises:
        ConfigurationError: Beam knows no such option, or not with this value.
    """
    unknown = unknown_options(rest)
    if unknown:
        raise ConfigurationError(f"unknown option {name_of(unknown[0])} (see --help; Beam's own options are taken too)")
    options = OnceParsedOptions([*rest, *(() if names_runner(rest) else default)])
    _check(options)
    return options


def _check(options: PipelineOptions) -> None:
    """Raises `ConfigurationError` unless there is such an engine, and it takes these options."""
    named = options.view_as(StandardOptions).runner
    try:
        problems = PipelineOptionsValidator(options, create_runner(named)).validate()
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"--runner {named}: {' '.join(str(error).split())}") from None
    require(not problems, " ".join(" ".join(problems).split()))


def unknown_options(flags: Sequence[str]) -> list[str]:
    """What of a command line no option of Beam's or of its engines takes.

    Raises:
        ConfigurationError: an option has a value that it cannot have.
    """
    known: list[ArgumentParser] = []
    PipelineOptions([]).get_all_options(add_extra_args_fn=known.append)
    parser = Parser(prog="uncommon-im", add_help=False, parents=known)
    return parser.parse_known_args(list(flags))[1]


def names_runner(flags: Sequence[str]) -> bool:
    """Whether a command line says which engine runs."""
    return any(name_of(flag) == "--runner" for flag in flags)


def runs_in_process(options: PipelineOptions) -> bool:
    """Whether the pipeline runs in this process."""
    return bool(options.view_as(StandardOptions).runner == IN_PROCESS_RUNNER)
