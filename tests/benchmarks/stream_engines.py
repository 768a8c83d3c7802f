"""The stream on one core of a real engine, from messages to alerts: how fast, how late, and where the time goes.

`python -m tests.benchmarks.stream_engines throughput|delay|popular --engine prism|flink`; `parse` needs no engine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.benchmarks.measuring import DATA, machine, prepare
from tests.benchmarks.popular_events import EVERYWHERE, SELDOM
from tests.benchmarks.step_sampler import INTERVAL, WAITING
from tests.benchmarks.stream_messages import HappenNow, ReadMessages, lines_of, messages_of
from tests.benchmarks.stream_runs import Ran, alerts_over_kafka, run
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.queues.messages import BLOCK_RECORDS, blocks_of_messages
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes, index_of, read_block, spool
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.transforms.rules.columns.days import DAY_US, SECOND_US
from uncommon_im.transforms.rules.stream.arrivals import Arrivals
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES

LATENESS: Final = Lateness()
DELAYED: Final = ArrivalTimes(seed=1, lateness=LATENESS.allowed)
BRIEF: Final = Lateness(allowed=5 * SECOND_US, horizon=DAY_US)
"""For events that happen now: alerts are due 5 s after them."""
FORMS: Final = ("native", "xdr", "elastic")
WARM_SECONDS: Final = 30
"""What an engine may take until it is steady."""
MORNING: Final = 1_709_280_000_000
"""2024-03-01 08:00 in ms."""


def throughput(given: argparse.Namespace) -> None:
    """A lake of 35 days with 1 % of instant messaging, as fast as the engine takes it."""
    lines = lines_of(lake_of(given), given.form)
    show(given.engine, run_lines(given.engine, lines, DELAYED))


def lake_of(given: argparse.Namespace) -> Path:
    """Where a lake of 35 days is."""
    data = DATA / f"messages-{given.events}"
    prepare(data, {"events": given.events, "hosts": given.hosts, "days": 35, "files": 4, "seed": 1})
    return data


def parse(given: argparse.Namespace) -> None:
    """Messages of one record through Parse, in this process: blocks are made, read, and what leaves is encoded."""
    arrivals = Arrivals(Configuration(load_detector(), load_catalogue()).scan, LATENESS)
    reader = OpenArrivals(JsonOptions())
    for form in FORMS:
        with spooled(lines_of(lake_of(given), form), DELAYED) as folder:
            messages = [message for place in index_of(folder) for message in messages_of(read_block(folder, place))]
        begun = time.process_time()
        for first in range(0, len(messages), BLOCK_RECORDS):
            for block, _ in blocks_of_messages(messages[first : first + BLOCK_RECORDS]):
                for batch in reader(block):
                    arrived = arrivals.read(*batch)
                    for found in arrived.hosts:
                        MESSAGES.encode(found.records)
                    for instance in arrived.instances:
                        MESSAGES.encode(instance.message)
        took = time.process_time() - begun
        print(f"{form}: {len(messages):,} messages in {took:.1f} s of CPU time: {len(messages) / took:,.0f} a second")


def popular(given: argparse.Namespace) -> None:
    """Communications of one program on many hosts within an hour, beside as many of as many programs."""
    for name, process in (("one program on all hosts", "slack.exe"), ("a program a host", "slack-{number}.exe")):
        print(name, flush=True)
        lines = (
            json.dumps(
                EVERYWHERE
                | {
                    "event_time": MORNING + number * 3_600_000 // given.hosts,
                    "host_id": f"host-{number}",
                    "process_name": process.format(number=number),
                }
            ).encode()
            for number in range(given.hosts)
        )
        show(given.engine, run_lines(given.engine, lines, ArrivalTimes()))


def run_lines(engine: str, lines: Iterable[bytes], times: ArrivalTimes) -> Ran:
    """The stream over lines in the order of arrival, one message each."""
    with spooled(lines, times) as folder:
        return run(engine, ReadMessages(folder), LATENESS)


@contextmanager
def spooled(lines: Iterable[bytes], times: ArrivalTimes) -> Iterator[str]:
    """A folder of lines in the order of arrival."""
    with tempfile.TemporaryDirectory() as temporary:
        path, folder = Path(temporary, "events.jsonl"), Path(temporary, "spool")
        with path.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
        spool(match_files([str(path)]), JsonOptions(), times, folder)
        yield str(folder)


def delay(given: argparse.Namespace) -> None:
    """Events that happen now at a steady rate, 1 % of them instant messaging; once a second a program that is new."""
    data = DATA / f"messages-{given.hosts}-hosts"
    prepare(data, {"events": 400_000, "hosts": given.hosts, "days": 1, "files": 1, "seed": 1})
    rare = SELDOM | {"event_time": 0, "host_id": "host-{number}", "process_name": "tool-{number}.exe"}
    everywhere = EVERYWHERE | {"event_time": 0, "host_id": "host-{number}"}
    lines = []
    for number, line in enumerate(lines_of(data)):
        ordinary = json.loads(line) | {"event_time": 0}
        chosen = rare if number % given.rate == 0 else everywhere if number % 1000 < given.popular else ordinary
        lines.append(json.dumps(chosen, separators=(",", ":")).encode())
    limits = {"activation_days": 0, "max_alerts_per_group": 1_000_000}
    if given.engine == "flink":
        show_delays(alerts_over_kafka(lines, given.rate, given.seconds, BRIEF, **limits))
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(lines))
        file.flush()
        source = HappenNow(file.name, given.rate, given.seconds)
        ran = run(given.engine, source, BRIEF, watched=False, **limits)
    show(given.engine, ran)
    show_delays(ran.alerts)


def show(engine: str, ran: Ran) -> None:
    """Figures of a run, and a line for each step that took part of its time."""
    print(
        f"{engine}: {ran.messages:,} messages, {ran.counts.get('communications', 0):,} communications, "
        f"{len(ran.alerts):,} alerts in {ran.wall:.1f} s: {ran.messages / ran.wall:,.0f} messages/s; "
        f"CPU {ran.workers:.1f} s workers, {ran.engine:.1f} s engine"
    )
    if not ran.steps:
        return
    seen = Counter(ran.steps)
    idle = seen.pop(WAITING, 0)
    total = seen.total()
    for step, times in seen.most_common():
        print(f"  {100 * times / total:5.1f} %  {step}")
    print(f"  beside {idle * INTERVAL:.0f} s in which a worker's bundle waited for elements", flush=True)


def show_delays(alerts: list[tuple[float, float]]) -> None:
    """How much later than due alerts were written, given when each was and when its event happened."""
    begun = min(happened for _, happened in alerts)
    late = [
        written - happened - BRIEF.allowed / SECOND_US
        for written, happened in alerts
        if happened >= begun + WARM_SECONDS
    ]
    cuts = statistics.quantiles(late, n=100)
    print(
        f"  arrival to alert beyond the lateness: p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, most {max(late):.2f} s "
        f"({len(late):,} alerts after the first {WARM_SECONDS} s)",
        flush=True,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("throughput", "delay", "popular", "parse"))
    parser.add_argument("--engine", choices=("prism", "flink"), default="prism")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--events", type=int, default=300_000, help="of throughput")
    parser.add_argument("--form", choices=FORMS, default="native", help="of throughput: of the messages")
    parser.add_argument("--hosts", type=int, help="throughput: 500; delay, popular: 20,000")
    parser.add_argument("--rate", type=int, default=2_000, help="of delay: messages a second")
    parser.add_argument("--seconds", type=int, default=300, help="of delay")
    parser.add_argument(
        "--popular", type=int, default=0, help="of delay: of a thousand messages, those of one program on all hosts"
    )
    given = parser.parse_args()
    given.hosts = given.hosts or (20_000 if given.what in ("delay", "popular") else 500)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.cores])
    print(f"{machine()}, used: {given.cores}", flush=True)
    {"throughput": throughput, "delay": delay, "popular": popular, "parse": parse}[given.what](given)


if __name__ == "__main__":
    main()
