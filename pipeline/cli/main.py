"""The command `uncommon-im`. Beam is imported by the commands that run it: the others answer at once.

Exit status: 0 done, 1 the run failed or `exceptions check` has findings, 2 the arguments or a file that they name are
wrong.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from uncommon_im.pipeline.cli import options
from uncommon_im.pipeline.cli.commands.backfill import backfill_arguments, run_backfill
from uncommon_im.pipeline.cli.commands.evaluate import evaluate_arguments, run_evaluate
from uncommon_im.pipeline.cli.commands.exceptions import exceptions_arguments, run_exceptions
from uncommon_im.pipeline.cli.commands.lookup import lookup_arguments, run_lookup
from uncommon_im.pipeline.cli.commands.replay import replay_arguments, run_replay, run_snapshot, snapshot_arguments
from uncommon_im.pipeline.cli.commands.report import report_arguments, run_report
from uncommon_im.pipeline.cli.commands.review import review_arguments, run_review
from uncommon_im.pipeline.cli.commands.schema import run_schema, schema_arguments
from uncommon_im.pipeline.cli.commands.simulate import run_simulate, simulate_arguments
from uncommon_im.pipeline.cli.commands.stream import run_stream, stream_arguments
from uncommon_im.pipeline.cli.commands.tune import run_tune, tune_arguments
from uncommon_im.pipeline.cli.terminal import complain, start_logging
from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.local.memory import collect_seldom
from uncommon_im.schemas.documents import ConfigurationError

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)
Command = Callable[[argparse.Namespace, list[str]], int | None]
"""Does what the arguments say; gives the exit status, where it is not 0."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    arguments: argparse.Namespace | None = None
    try:
        arguments, rest = parser().parse_known_args(argv)
        start_logging(arguments.verbose)
        collect_seldom()
        return int(arguments.command(arguments, rest) or 0)
    except ConfigurationError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        complain("stopped; the output is not complete")
        return 1
    except Exception as error:  # the last line of defence: whatever failed, say it in one line
        if arguments is not None and arguments.verbose:
            log.exception("the run failed")
        complain(f"the run failed: {_reason(error)} (--verbose shows all)")
        return 1


def _reason(error: Exception) -> str:
    """An error in one line; our own say it themselves, others need their name."""
    text = str(error).partition(" [while running")[0].strip()
    first = text.splitlines()[0] if text else "no message"
    return first if isinstance(error, RunFailed) else f"{type(error).__name__}: {first}"


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = options.Parser(
        prog="uncommon-im",
        description="Finds uncommon communication between a process and an instant messaging server.",
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add(commands, "backfill", run_backfill, "judge a range of history", backfill_arguments)
    _add(commands, "stream", run_stream, "judge what Pub/Sub or Kafka delivers, until stopped", stream_arguments)
    _add(commands, "replay", run_replay, "history through the stream, on Prism", replay_arguments)
    _add(commands, "snapshot", run_snapshot, "a snapshot of what a stream learned", snapshot_arguments)
    _add(commands, "schema", run_schema, "the tables that runs write to: print or apply them", schema_arguments)
    _add(commands, "exceptions", run_exceptions, "check the file of exceptions", exceptions_arguments)
    _add(commands, "tune", run_tune, "what other limits and exceptions would change", tune_arguments)
    _add(commands, "review", run_review, "what few hosts do on many days", review_arguments)
    _add(commands, "report", run_report, "a run as a page to look at", report_arguments)
    _add(commands, "simulate", run_simulate, "make labelled telemetry", simulate_arguments)
    _add(commands, "evaluate", run_evaluate, "what runs found of what was planted", evaluate_arguments)
    _add(commands, "lookup", run_lookup, "is this an IM server, and why", lookup_arguments)
    return top


def _add(
    commands: argparse._SubParsersAction[options.Parser],
    name: str,
    command: Command,
    what: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
) -> None:
    sub = commands.add_parser(name, help=what, description=what)
    add_arguments(sub)
    sub.add_argument("--verbose", action="store_true", help="more messages, and tracebacks")
    sub.set_defaults(command=command)


if __name__ == "__main__":
    sys.exit(main())
