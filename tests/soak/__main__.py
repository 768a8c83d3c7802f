"""`python -m tests.soak --hours 2`: organisation after organisation, the ways by turns, until the time is over.

What differs is printed with its seed and its way, and the campaign goes on; it ends with exit status 1 then. Stopped
early (Ctrl-C, SIGTERM) it still says what it did. `--seed 4711 --way in_a_chain` runs one of them again.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from tests.soak.ways import Way, slow_ways, ways

SELDOM: Final = 3
"""Rounds of the quick ways before a slow one has its turn."""
SAID_EVERY: Final = 100
"""Organisations between two lines that say how far it is."""


@dataclass
class Campaign:
    """What was run and what differed.

    Args:
        first: the first organisation's seed.
        runs: how many organisations by way.
        differing: (seed, way) of those that differed.
    """

    first: int
    runs: Counter[str] = field(default_factory=Counter)
    differing: list[tuple[int, str]] = field(default_factory=list)

    def run(self, turns: Iterator[Way], seconds: float, most: int | None = None) -> None:
        """Seeds from the first on, each in the way whose turn it is, for so many seconds or organisations."""
        start = time.monotonic()
        for seed, way in zip(itertools.count(self.first), turns, strict=False):
            if differs(way, seed):
                self.differing.append((seed, way.__name__))
            self.runs[way.__name__] += 1
            if time.monotonic() - start > seconds or self.runs.total() == most:
                return
            if self.runs.total() % SAID_EVERY == 0:
                print(f"so far: {self}", flush=True)

    def __str__(self) -> str:
        """The whole campaign in a line, and a line to run each of those that differed again."""
        if not self.runs:
            return "no organisation was compared"
        done = ", ".join(f"{name} {count}" for name, count in sorted(self.runs.items()))
        line = f"{self.runs.total()} organisations from seed {self.first} on, by way: {done}: "
        again = [f"\n  python -m tests.soak --seed {seed} --way {way}" for seed, way in self.differing]
        return f"{line}{len(again)} differ{''.join(again)}" if again else f"{line}all equal the oracle"


STOPPED: Final = threading.Event()
"""Set when the campaign is told to end."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    STOPPED.set()
    raise KeyboardInterrupt


def differs(way: Way, seed: int) -> bool:
    """Runs one organisation in one way; says what went wrong, if anything did."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            way(seed, Path(folder))
        except Exception:  # whatever it is: the campaign says it and goes on
            if STOPPED.is_set():  # Beam makes another error of the interrupt
                raise KeyboardInterrupt from None
            print(f"DIFFERS: --seed {seed} --way {way.__name__}\n{traceback.format_exc(limit=-3)[:4000]}", flush=True)
            return True
    return False


def turns_of(quick: Mapping[str, Way], slow: Mapping[str, Way]) -> Iterator[Way]:
    """The quick ways by turns for ever, and after every few rounds one of the slow ones."""
    seldom = itertools.cycle(slow.values())
    for number in itertools.count(1):
        yield from quick.values()
        if slow and (not quick or number % SELDOM == 0):
            yield next(seldom)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the arguments say; 1 if anything differs, or nothing was compared."""
    quick, slow = ways(), slow_ways()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="random organisations against the oracle")
    parser.add_argument("--hours", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--organisations", type=int, help="how many at most")
    parser.add_argument("--seed", type=int, help="the first organisation's number; without it a random one")
    parser.add_argument("--way", choices=sorted(quick | slow), help="this way only; with --seed: that one once")
    given = parser.parse_args(arguments)
    if given.way:
        quick, slow = {given.way: (quick | slow)[given.way]}, {}
    STOPPED.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    campaign = Campaign(random.randrange(1 << 31) if given.seed is None else given.seed)
    most = 1 if given.way and given.seed is not None else given.organisations
    try:
        campaign.run(turns_of(quick, slow), given.hours * 3600, most)
    except KeyboardInterrupt:
        print("stopped", flush=True)
    print(campaign, flush=True)
    return int(bool(campaign.differing) or not campaign.runs)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # thin days are meant here
    status = main()
    sys.stdout.flush()
    # The engines' clients leave threads of gRPC behind, and an interpreter that takes itself down under them may end
    # with a segmentation fault. Everything is compared and said by now.
    os._exit(status)
