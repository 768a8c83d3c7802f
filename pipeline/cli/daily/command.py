"""`uncommon-im daily`: each day that is over, in a chain that looks after itself."""

from __future__ import annotations

from typing import Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.daily.options import DailyOptions


def run_daily(options: DailyOptions, rest: list[str]) -> None:
    """`uncommon-im daily`."""
    from uncommon_im.pipeline.cli.daily.chain import Chain
    from uncommon_im.pipeline.cli.daily.state import StateFolder
    from uncommon_im.pipeline.options.beam import beam_options

    options.check()
    beam_options(rest)  # what is misspelt is wrong, also on a day that is not complete
    state = StateFolder(options.state)
    with state.claimed(force=options.lock.force):
        Chain(options, rest, state).run()


DAILY: Final = Command(
    "daily", "Judge each day that is over, in a chain that looks after itself.", DailyOptions, run_daily, beam=True
)
