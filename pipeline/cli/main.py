"""The command `uncommon-im`. Beam is imported by the commands that run it: the others answer at once.

Exit status: 0 done, 1 the run failed, or `exceptions check` or `upgrade-check` has findings, 2 the arguments or a file
that they name are wrong, 75 what it waits for is not there yet, 130 or 143 it was stopped by SIGINT (Ctrl-C) or
SIGTERM.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Final

from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME
from uncommon_im.pipeline.cli.command import Command, TerminalOptions
from uncommon_im.pipeline.cli.commands.backfill import BACKFILL
from uncommon_im.pipeline.cli.commands.cases import CASES
from uncommon_im.pipeline.cli.commands.evaluate import EVALUATE
from uncommon_im.pipeline.cli.commands.exceptions import EXCEPTIONS
from uncommon_im.pipeline.cli.commands.export_query import EXPORT_QUERY
from uncommon_im.pipeline.cli.commands.inspect import INSPECT
from uncommon_im.pipeline.cli.commands.lookup import LOOKUP
from uncommon_im.pipeline.cli.commands.replay import REPLAY
from uncommon_im.pipeline.cli.commands.report import REPORT
from uncommon_im.pipeline.cli.commands.review import REVIEW
from uncommon_im.pipeline.cli.commands.schema import SCHEMA
from uncommon_im.pipeline.cli.commands.send import SEND
from uncommon_im.pipeline.cli.commands.simulate import SIMULATE
from uncommon_im.pipeline.cli.commands.snapshot import SNAPSHOT
from uncommon_im.pipeline.cli.commands.stream import STREAM
from uncommon_im.pipeline.cli.commands.tune import TUNE
from uncommon_im.pipeline.cli.commands.upgrade_check import UPGRADE_CHECK
from uncommon_im.pipeline.cli.daily.command import DAILY
from uncommon_im.pipeline.cli.remedies import missing_extra, remedy_of
from uncommon_im.pipeline.cli.stopping import Stop, stoppable
from uncommon_im.pipeline.cli.terminal import complain, start_logging
from uncommon_im.pipeline.errors import NotReady, RunFailed
from uncommon_im.pipeline.local.deaths import death_told_by
from uncommon_im.pipeline.local.garbage import collect_seldom
from uncommon_im.pipeline.local.without_clouds import without_clouds
from uncommon_im.pipeline.options.declaration import Options
from uncommon_im.pipeline.options.parser import Parser, add_options, given, no_more, paths_in, read_options
from uncommon_im.pipeline.storage.opening import is_remote
from uncommon_im.pipeline.storage.reach import require_engine, require_reachable
from uncommon_im.schemas.detector import DETECTOR_VERSION
from uncommon_im.schemas.documents import ConfigurationError

log = logging.getLogger(__name__)

_ALL: Final = (
    *(INSPECT, EXPORT_QUERY, BACKFILL, DAILY, STREAM, REPLAY, SNAPSHOT, SCHEMA, UPGRADE_CHECK),
    *(CASES, REPORT, REVIEW, EXCEPTIONS, TUNE, SEND),
    *(SIMULATE, EVALUATE, LOOKUP),
)
_NOT_READY: Final = 75
"""`EX_TEMPFAIL` of sysexits.h: the same command later may do."""
COMMANDS: Final[dict[str, Command]] = {command.name: command for command in _ALL}
"""The commands, in the order of `--help`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status.

    Args:
        argv: the command and its arguments; without them those of this process, which runs nothing else then.
    """
    terminal = TerminalOptions()
    with stoppable() as stop:
        try:
            command, options, terminal, rest = parse(argv)
            start_logging(terminal.verbose)
            collect_seldom()
            require_reachable(_remote(options, rest), rest if command.beam else ())
            if command.beam:
                require_engine(rest)
            with without_clouds() if argv is None and stays_here(options, rest) else nullcontext():
                return command(options, rest)
        except BaseException as error:
            return _ended(error, stop, terminal.verbose)


def _remote(options: Options, rest: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(option, path) of what is on other file systems, with Beam's own options of such paths."""
    for option, path in paths_in(options):
        if is_remote(path) and not path.startswith(TABLE_SCHEME):
            yield option, path
    for before, argument in zip(["", *rest], rest, strict=False):
        name, _, value = argument.rpartition("=")
        if value.startswith("gs://"):
            yield name or before, value


def stays_here(options: Options, rest: Sequence[str]) -> bool:
    """Whether a command names nothing on other machines, and no engine that might."""
    return not rest and not any(
        option.is_served or (option.is_path and is_remote(value)) for option, value in given(options)
    )


def _ended(error: BaseException, stop: Stop, verbose: bool) -> int:
    """Says in one line why a command ended; returns the exit status."""
    if stop.told:  # whatever else went wrong on the way out
        log.debug("stopped", exc_info=error)
        if stop.death:
            complain(f"the run failed: {stop.death}")
            return 1
        complain(f"stopped by {stop.told.signal.name}; the output is not complete")
        return stop.told.status
    if isinstance(error, ConfigurationError):
        complain(error)
        return _NOT_READY if isinstance(error, NotReady) else 2
    if missing := missing_extra(error):
        complain(missing)
        return 2
    if isinstance(error, Exception):  # the last line of defence: whatever failed, say it in one line
        if verbose:
            log.error("the run failed", exc_info=error)
        complain(f"the run failed: {_reason(error)} (--verbose shows all)")
        return 1
    raise error


def _reason(error: Exception) -> str:
    """An error in one line; our own say it themselves, others need their name."""
    error = death_told_by(error) or error
    remedy = remedy_of(error)
    if remedy:
        return remedy
    text = str(error).partition(" [while running")[0].strip()
    first = text.splitlines()[0] if text else "no message"
    return first if isinstance(error, RunFailed) else f"{type(error).__name__}: {first}"


def parse(argv: Sequence[str] | None = None) -> tuple[Command, Options, TerminalOptions, list[str]]:
    """(the command, its options, those of every command, what is left over: Beam's own options).

    Raises:
        ConfigurationError: an argument is wrong, or left over where none may be.
    """
    arguments, rest = parser().parse_known_args(argv)
    command = COMMANDS[arguments.command]
    if not command.beam:
        no_more(rest)
    return command, read_options(command.options, arguments), read_options(TerminalOptions, arguments), rest


def parser() -> Parser:
    """The parser of all commands."""
    top = Parser(
        prog="uncommon-im",
        description="Finds uncommon communication between a process and an instant messaging server.",
    )
    top.add_argument("--version", action="version", version=f"uncommon-im {DETECTOR_VERSION}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for command in COMMANDS.values():
        sub = commands.add_parser(command.name, help=command.about, description=command.about)
        add_options(sub, command.options)
        add_options(sub, TerminalOptions)
    return top


if __name__ == "__main__":
    sys.exit(main())
