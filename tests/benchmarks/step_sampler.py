"""A pool of Beam workers that says which step they were in: `python -m tests.benchmarks.step_sampler PORT REPORT`.

A thread looks at the stacks of all others a hundred times a second and counts, for each worker that has a bundle, the
step whose code it runs and whether it waits there for the engine to read or take state. Beam's own
`process_bundle_msecs` says nothing of bundles that last only some ms, as most of a stream's do.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import apache_beam as beam
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

INTERVAL: Final = 0.01
"""Seconds between two looks."""
REPORT_SECONDS: Final = 1.0
WAITING: Final = "waiting for work"
MOVING: Final = "Beam moving elements"
COMMITTING: Final = "state written at the end of bundles"
_HARNESS: Final = ("sdk_worker.py", "bundle_processor.py", "data_plane.py")


def part_of(frame: FrameType | None) -> str | None:
    """What a thread is busy with; `None`: it has no bundle.

    Args:
        frame: the innermost one of its stack.
    """
    inner: set[tuple[str, str]] = set()
    while frame is not None:
        place = (Path(frame.f_code.co_filename).name, frame.f_code.co_name)
        inner.add(place)
        owner = frame.f_locals.get("self")
        if isinstance(owner, beam.DoFn):
            asked = any(file in _HARNESS for file, _ in inner)
            return f"{_name(owner)}: state" if asked else _name(owner)
        if place == ("bundle_processor.py", "process_bundle"):
            if ("data_plane.py", "input_elements") in inner:
                return WAITING
            return COMMITTING if ("bundle_processor.py", "commit") in inner else MOVING
        frame = frame.f_back
    return None


def _name(step: beam.DoFn) -> str:
    function = getattr(step, "fn", None)  # of beam.Map and its like
    return (getattr(function, "__name__", None) or type(step).__name__).strip("_")


def watch(report: Path) -> None:
    """Counts for ever; writes the counts to a file again and again."""
    counts: Counter[str] = Counter()
    written = time.monotonic()
    while True:
        time.sleep(INTERVAL)
        for frame in sys._current_frames().values():
            part = part_of(frame)
            if part is not None:
                counts[part] += 1
        if time.monotonic() - written > REPORT_SECONDS:
            partial = report.with_suffix(".partial")
            partial.write_text(json.dumps(counts), encoding="utf-8")
            partial.rename(report)
            written = time.monotonic()


def main(port: int, report: Path) -> None:
    """Serves workers as threads of this process until it is killed."""
    threading.Thread(target=watch, args=(report,), daemon=True).start()
    _address, _server = BeamFnExternalWorkerPoolServicer.start(port=port)  # it serves as long as it is held
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
