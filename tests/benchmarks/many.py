"""`python -m tests.benchmarks.many`: what many exceptions and many alerts cost, at 1x, 10x and 100x.

Exceptions: backfills of the same simulated events with none, 500, 5,000 and 50,000 of them, in turns, and
`exceptions check` of the same files. Alerts: backfills in which ever more programs are new and suspicious. The CPU time
of whole processes is compared, start-up included. `--pipeline` measures another version on the same files.
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.measuring import DATA, PIPELINE, Cost, backfill, machine, measure, median

EXCEPTIONS = (0, 500, 5_000, 50_000)
ALERTS = (0, 1_250, 12_500, 125_000)
SERVICES = ("telegram", "slack", "discord", "whatsapp", "signal", "microsoft_teams")
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> int:
    """Measures all of it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=600, help="of the simulated organisation")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--most", type=int, default=125_000, help="exceptions and alerts, at most")
    parser.add_argument("--pipeline", default=PIPELINE, help="the program, as a shell would read it")
    options = parser.parse_args()
    data = DATA / "many"
    data.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    _exceptions(options, data)
    _alerts(options, data)
    return 0


def _exceptions(options: argparse.Namespace, data: Path) -> None:
    events = data / f"events-{options.hosts}"
    if not events.exists():
        measure(
            [*shlex.split(PIPELINE), "simulate", "--output", str(events), "--hosts", str(options.hosts)], _log(data)
        )
    counts = [count for count in EXCEPTIONS if count <= options.most]
    costs: dict[int, list[Cost]] = {count: [] for count in counts}
    for count in counts:
        rows = [json.dumps(entry) for entry in exceptions(count)]
        _file(data, count).write_text("exceptions:\n" + "".join(f"- {row}\n" for row in rows) if rows else "[]")
    for _ in range(options.runs):
        for count in counts:
            more = ("--exceptions", str(_file(data, count)))
            command = backfill(options.pipeline, f"{events}/events/*.parquet", data / "run", *more)
            costs[count].append(measure(command, _log(data)))
    least = median(costs[0]).cpu
    for count in counts:
        cpu = median(costs[count]).cpu
        check = [*shlex.split(options.pipeline), "exceptions", "check", "--json", "--exceptions"]
        took = measure(["sh", "-c", f"{shlex.join([*check, str(_file(data, count))])} || true"], _log(data)).cpu
        print(f"{count:>9,} exceptions: backfill {cpu:6.2f} s ({cpu / least:.2f} x), check {took:6.2f} s", flush=True)


def _alerts(options: argparse.Namespace, data: Path) -> None:
    least = 0.0
    for count in (count for count in ALERTS if count <= options.most):
        path = data / "alerts.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(event)}\n" for event in rare_programs(count))
        runs = [measure(backfill(options.pipeline, str(path), data / "run"), _log(data)) for _ in range(options.runs)]
        cpu = median(runs).cpu
        least = least or cpu
        each = f", {(cpu - least) / count * 1000:.2f} ms an alert" if count else ""
        print(f"{count:>9,} alerts: backfill {cpu:6.2f} s{each}", flush=True)


def exceptions(count: int) -> Iterator[dict[str, str]]:
    """Exceptions as users write them: most name a program and a service; some have globs, and some of these are bad."""
    chance = random.Random(1)
    for number in range(count):
        service = chance.choice(SERVICES)
        path = chance.choice(("c:\\apps\\tool{}\\*", "*\\tool{}.exe", "c:\\users\\*\\tool{}\\*", "*tool{}*"))
        kinds: tuple[dict[str, str], ...] = (
            {"process_name": f"tool{number}.exe", "service_id": service},
            {"host_id": f"host-{number:05}"},
            {"process_path": path.format(number), "service_id": service},
            {"process_name": f"agent{number}*", "origin": f"vendor {number} inc", "user_name": f"*\\svc{number}"},
            {"remote_host": f"*.tenant{number}.example.com", "process_name": "*"},
            {"process_path": "*a*b*c*?d*", "user_name": "?*", "host_id": f"*{number}"},
        )
        entry = chance.choices(kinds, (60, 15, 15, 7, 3, 0.01))[0] | {"reason": f"known since ticket {number}"}
        yield entry | ({"expires": f"2026-0{chance.randint(1, 9)}-15"} if chance.random() < 0.1 else {})


def rare_programs(count: int) -> Iterator[dict[str, object]]:
    """Events of a browser on 50 hosts for 30 days, then of `count` unsigned programs that nobody had before."""
    for day in range(30):
        for host in range(50):
            moment = FIRST_DAY + timedelta(days=day, hours=9)
            known = {"process_name": "chrome.exe", "process_signature_status": "signed", "process_signer": "Google LLC"}
            yield _event(f"b{day}-{host}", moment, host) | known | {"remote_host": "web.telegram.org"}
    chance = random.Random(3)
    for number in range(count):
        moment = FIRST_DAY + timedelta(days=25 + number % 5, seconds=chance.randrange(86_400))
        folder = f"C:\\Apps\\Vendor {number}"
        yield _event(f"r{number}", moment, number % 50) | {
            "process_name": f"rare{number}.exe",
            "process_path": f"{folder}\\rare{number}.exe",
            "process_command_line": f'"{folder}\\rare{number}.exe" --endpoint https://api.telegram.org --log C:\\l.txt',
            "process_sha256": f"{chance.getrandbits(256):064x}",
            "process_signature_status": "unsigned",
            "parent_process_name": "explorer.exe",
            "parent_process_command_line": f"C:\\Windows\\explorer.exe /factory,{number}",
            "remote_host": "api.telegram.org",
            "bytes_sent": chance.randrange(1_000_000),
        }


def _event(event_id: str, moment: datetime, host: int) -> dict[str, object]:
    same = {"event_type": "network", "os": "windows", "user_name": f"ACME\\user{host}"}
    return same | {"event_id": event_id, "event_time": moment.isoformat(), "host_id": f"host-{host}"}


def _file(data: Path, count: int) -> Path:
    return data / f"exceptions-{count}.yaml"


def _log(data: Path) -> Path:
    return data / "log"


if __name__ == "__main__":
    sys.exit(main())
