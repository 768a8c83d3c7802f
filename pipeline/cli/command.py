"""What a command is: its name, its options, and what it does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.storage.temporary import temporary_home


@dataclass(frozen=True)
class Command:
    """One of the commands of `uncommon-im`.

    Args:
        name: as it is typed.
        about: what it does, in a sentence.
        options: the dataclass of its options.
        run: takes them, and what of the command line is left over if `beam`; gives the exit status, where it is not 0.
        beam: it takes Beam's own options too.
    """

    name: str
    about: str
    options: type[Options]
    run: Callable[..., int | None]
    beam: bool = False

    def __call__(self, options: Any, rest: list[str]) -> int:
        """Runs it; returns the exit status."""
        if not self.beam:
            return self.run(options) or 0
        from uncommon_im.pipeline.local.direct import tie_workers  # imports Beam, which takes seconds

        tie_workers()
        with temporary_home():
            return self.run(options, rest) or 0


@dataclass(frozen=True)
class TerminalOptions(Options):
    """The options of every command."""

    verbose: bool = option("Show more messages, and tracebacks.", False)
