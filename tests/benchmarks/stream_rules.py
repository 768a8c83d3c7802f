"""What the stream's rules cost by themselves, and what they keep: `python -m tests.benchmarks.stream_rules GLOB`.

Blocks go through the four steps in the order of arrival, without an engine: no transport, no storage, one core.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes, read_block, spool
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.transforms.rules.stream.arrivals import Arrivals
from uncommon_im.transforms.rules.stream.baselines import Baselines
from uncommon_im.transforms.rules.stream.flood import Flood
from uncommon_im.transforms.rules.stream.hosts import Hosts
from uncommon_im.transforms.rules.stream.judging import Judging, JudgingRules
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Alert, Output, VerdictRow
from uncommon_im.transforms.rules.stream.step import Effects, Step, add_message, fire_timer

NEXT = {"sightings": "baselines", "questions": "baselines", "activities": "judge", "answers": "judge"}
NEXT |= {"candidates": "flood"}
END = 2**61


@dataclass
class Keyed:
    """A step with its keys, and what it took."""

    step: Step[Any]
    cells: dict[str, bytes] = field(default_factory=dict)
    bags: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    timers: dict[str, int] = field(default_factory=dict)
    due: list[tuple[int, str]] = field(default_factory=list)
    messages: int = 0
    firings: int = 0
    seconds: float = 0.0


class InOrder:
    """Runs the steps in order: messages at once, timers when the watermark passes them."""

    def __init__(self, configuration: Configuration, lateness: Lateness) -> None:
        limits = configuration.detector.limits
        self.steps = {
            "hosts": Keyed(Hosts(lateness, None)),
            "baselines": Keyed(Baselines(lateness, limits)),
            "judge": Keyed(Judging(JudgingRules(configuration.judge.writer, lateness))),
            "flood": Keyed(Flood(lateness, limits.max_alerts_per_group)),
        }
        self.verdicts: Counter[str] = Counter()
        self.alerts: list[dict[str, Any]] = []

    def add(self, name: str, key: str, message: bytes) -> None:
        """Delivers a message, and what follows from it at once."""
        keyed = self.steps[name]
        begun = time.process_time()
        effects = add_message(keyed.step, key, lambda: keyed.cells.get(key), message)
        keyed.seconds += time.process_time() - begun
        keyed.messages += 1
        self._apply(keyed, key, effects)

    def advance(self, watermark: int) -> None:
        """Fires all timers up to an instant (ms), in the order of time and of the steps."""
        while True:
            heads = [
                (keyed.due[0][0], place, name) for place, (name, keyed) in enumerate(self.steps.items()) if keyed.due
            ]
            if not heads or min(heads)[0] > watermark:
                return
            now, _, name = min(heads)
            keyed = self.steps[name]
            _, key = heapq.heappop(keyed.due)
            if keyed.timers.get(key) != now:
                continue
            del keyed.timers[key]
            begun = time.process_time()
            effects = fire_timer(
                keyed.step, key, keyed.cells.get(key), lambda k=keyed, key=key: k.bags.get(key, []), now
            )
            keyed.seconds += time.process_time() - begun
            keyed.firings += 1
            if effects.read_waiting or effects.cell is None:
                keyed.bags.pop(key, None)
            if effects.cell is None:
                keyed.cells.pop(key, None)
            self._apply(keyed, key, effects)

    def _apply(self, keyed: Keyed, key: str, effects: Effects) -> None:
        if effects.cell is not None:
            keyed.cells[key] = effects.cell
        if effects.wait:
            keyed.bags[key] += effects.wait
        if effects.timer is not None:
            keyed.timers[key] = effects.timer
            heapq.heappush(keyed.due, (effects.timer, key))
        for outcome in effects.outcomes:
            if isinstance(outcome, Output) and outcome.to in NEXT:
                self.add(NEXT[outcome.to], outcome.key, MESSAGES.encode(outcome.message))
            elif isinstance(outcome, VerdictRow):
                self.verdicts[outcome.row["verdict"]] += 1
            elif isinstance(outcome, Alert):
                self.alerts.append(outcome.alert)


def measure(pattern: str) -> dict[str, Any]:
    """Runs a lake through the rules; what each step took and what it holds at the end."""
    configuration = Configuration(load_detector(), load_catalogue())
    lateness = Lateness()
    reader, arrivals = OpenArrivals(JsonOptions()), Arrivals(configuration.scan, lateness)
    engine, parsing, records = InOrder(configuration, lateness), 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        times = ArrivalTimes(seed=1, lateness=lateness.allowed)
        index = spool(match_files([pattern]), JsonOptions(), times, Path(folder))
        for place in index:
            begun = time.process_time()
            parsed = [arrivals.read(*batch) for batch in reader(read_block(folder, place))]
            parsing += time.process_time() - begun
            records += place.records
            engine.advance(place.arrival // 1000)
            for arrived in parsed:
                for found in arrived.hosts:
                    engine.add("hosts", found.key, MESSAGES.encode(found.records))
                for covered in arrived.covered:
                    engine.add("baselines", covered.key, MESSAGES.encode(covered.sighting))
    steps = {
        name: {
            "messages": keyed.messages,
            "firings": keyed.firings,
            "seconds": round(keyed.seconds, 1),
            "keys": len(keyed.cells),
            "state_bytes": _sizes([len(cell) for cell in keyed.cells.values()]),
            "waiting_bytes": sum(len(message) for waiting in keyed.bags.values() for message in waiting),
        }
        for name, keyed in engine.steps.items()
    }
    engine.advance(END)
    counted = {"records": records, "parse_seconds": round(parsing, 1), "verdicts": engine.verdicts}
    return counted | {"alerts": len(engine.alerts), "digest": digest_of(engine.alerts)} | steps


def digest_of(alerts: list[dict[str, Any]]) -> str:
    """Of what "same alerts" compares; `python -m tests.benchmarks.stream_rules --digest RUN` gives that of a run."""
    left_out = ("activity", "run_id", "late")
    facts = [json.dumps({k: v for k, v in alert.items() if k not in left_out}, sort_keys=True) for alert in alerts]
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()


def _sizes(sizes: list[int]) -> dict[str, int]:
    if not sizes:
        return {}
    return {"sum": sum(sizes), "mean": int(np.mean(sizes)), "p99": int(np.percentile(sizes, 99)), "max": max(sizes)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("glob", nargs="?", help="of a lake")
    parser.add_argument("--digest", metavar="RUN", help="only the digest of the alerts in a run's folder")
    given = parser.parse_args()
    if given.digest:
        lines = [line for path in Path(given.digest, "alerts").glob("*.jsonl") for line in path.open(encoding="utf-8")]
        print(len(lines), digest_of([json.loads(line) for line in lines]))
    else:
        print(json.dumps(measure(given.glob), indent=1))
