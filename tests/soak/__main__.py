"""`python -m tests.soak --hours 2`: organisation after organisation, each in every way, until the time is over.

What differs is printed with its seed and its way, and the campaign goes on; it ends with exit status 1 then.
`--seed 4711 --way in_a_chain` runs one of them again.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.soak.ways import Way, ways


def differs(way: Way, seed: int) -> bool:
    """Runs one organisation in one way; says what went wrong, if anything did."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            way(seed, Path(folder))
        except Exception:  # whatever it is: the campaign says it and goes on
            print(f"DIFFERS: --seed {seed} --way {way.__name__}\n{traceback.format_exc(limit=-3)[:4000]}", flush=True)
            return True
    return False


def campaign(first: int, seconds: float, chosen: dict[str, Way]) -> int:
    """Seeds from `first` on, each in the ways by turns, for so many seconds; gives how many runs differed."""
    start, runs, wrong = time.monotonic(), Counter[str](), 0
    turns = itertools.cycle(chosen.values())
    for seed in itertools.count(first):
        way = next(turns)
        wrong += differs(way, seed)
        runs[way.__name__] += 1
        if time.monotonic() - start > seconds:
            break
    done = ", ".join(f"{name} {count}" for name, count in sorted(runs.items()))
    print(f"{runs.total()} organisations from seed {first} on ({done}): {wrong} differ")
    return wrong


def main() -> int:
    """Runs what the arguments say; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="random organisations against the oracle")
    parser.add_argument("--hours", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--seed", type=int, help="the first organisation's number; without it a random one")
    parser.add_argument("--way", choices=sorted(ways()), help="run the organisation of --seed in this way only, once")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)  # thin days are meant here
    first = random.randrange(1 << 31) if arguments.seed is None else arguments.seed
    if arguments.way:
        return int(differs(ways()[arguments.way], first))
    return int(campaign(first, arguments.hours * 3600, ways()) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
