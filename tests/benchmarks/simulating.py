"""`python -m tests.benchmarks.simulating`: how long ten million simulated events take, and 5,000 thinned hosts."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measuring import measure

CASES = {
    "10 million events": "--hosts 900 --days 23",
    "5,000 hosts over 50 days, thinned": "--hosts 5000 --days 50 --background thinned",
}


def main() -> int:
    """Measures each case once; returns the exit status."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name, options in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "uncommon_im.pipeline.cli.main",
                "simulate",
                "--output",
                folder,
                *options.split(),
            ]
            cost = measure(command, Path(folder, "log"))
        print(f"{name}: {cost.cpu:.1f} s CPU, {cost.wall:.1f} s wall, {cost.memory:,.0f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
