"""Generates a lake of native endpoint events: `python -m tests.benchmarks.generate --events 10_000_000 --out DIR`.

Each row group covers one span of time, so that files are in the order of time as those of a lake that is partitioned
by day, and no more than one row group is ever in memory.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from tests.benchmarks import messaging, plants, scripts, software
from tests.benchmarks.columns import Columns, Rows
from tests.benchmarks.instances import Starts
from tests.benchmarks.organisation import DAY, Organisation, organisation
from tests.benchmarks.vocabulary import ActorTable, Codes, Vocabulary, domains, draw, zipf_pool

FIRST_DAY = 19_783 * DAY  # 2024-03-01
GROUP = 500_000
MARKER = "generated.json"
"""Written last: what the folder holds."""
DOMAINS = 20_000
ADDRESSES = 4
FEWER_STARTS = (0.706, 0.963)
"""Shares of connections, and of both these and lookups, among ordinary rows of a lake with instances: about 8 % of all
are starts."""
IM, ENGINE, CHILD, OWN = 0.010, 0.030, 0.010, 0.040
"""Shares of the rows: instant messaging, scripting engines, what scripts start, software of one host only."""


class Settings(NamedTuple):
    """What is asked for."""

    events: int
    hosts: int
    days: int
    files: int
    seed: int
    event_ids: bool = False
    messaging: float = IM
    """Share of the rows that is instant messaging."""
    processes: str = ""
    """`whole`: each event names its process's instance, and fewer are starts. `bare`: so it is, and connections and
    lookups leave out of it what Elastic Defend does."""


@dataclass
class World:
    """Everything that stays the same from row group to row group."""

    settings: Settings
    rng: np.random.Generator
    hosts: Organisation
    actors: ActorTable
    names: Vocabulary
    addresses: Vocabulary
    programs: software.Software
    scripts: scripts.Scripts
    messaging: messaging.Messaging
    plants: list[plants.Planted]
    program_pool: Codes
    domain_pool: Codes
    script_pool: Codes


def world(settings: Settings) -> World:
    """Builds the organisation, its software and what is planted."""
    rng = np.random.default_rng(settings.seed)
    hosts = organisation(rng, settings.hosts)
    actors, names, addresses = ActorTable(), Vocabulary(), Vocabulary()
    names.codes(domains(DOMAINS))
    block = rng.integers(0, 128, DOMAINS * ADDRESSES) * 2
    first = (13, 20, 34, 40, 52, 104, 142, 151, 172, 186, 199, 203, 10)
    addresses.codes(
        f"{first[n % len(first)]}.{b + (n >> 16)}.{n >> 8 & 255}.{n & 255}" if n % 16 else f"2a03:{b:x}::{n:x}"
        for n, b in enumerate(block)
    )
    programs = software.software(actors, hosts)
    running = scripts.scripts(actors, hosts)
    chats = messaging.messaging(rng, actors, hosts, names, addresses)
    planter = plants.Planter(rng, actors, hosts, programs, running, names, addresses, running.names, [])
    planted = plants.plant(planter, FIRST_DAY, settings.days, min(500, max(40, settings.hosts // 4)))
    return World(
        settings, rng, hosts, actors, names, addresses, programs, running, chats, sorted(planted),
        program_pool=zipf_pool(rng, software.PROGRAMS, 1.25),
        domain_pool=zipf_pool(rng, DOMAINS, 1.15),
        script_pool=zipf_pool(rng, scripts.TEMPLATES, 1.0),
    )  # fmt: skip


def calendar(days: int) -> npt.NDArray[np.float64]:
    """The share of all events before each hour: busy office hours, quiet nights and weekends."""
    hour = np.arange(days * 24)
    weight = 0.35 + np.exp(-(((hour % 24 - 12.5) / 4.5) ** 2)) * np.where(hour // 24 % 7 < 5, 1.6, 0.3)
    share: npt.NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(weight)])
    return share / float(share[-1])


def background(w: World, time: np.ndarray) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Ordinary rows at these times, IM traffic included, and which are of processes that communicate or run scripts."""
    rng, count = w.rng, len(time)
    host = draw(rng, w.hosts.pool, count)
    line = rng.integers(0, 1 << 20, count, dtype=np.int32)
    actor = software.ordinary(w.programs, w.hosts, host, draw(rng, w.program_pool, count), line, time, FIRST_DAY)
    kind = rng.random(count)
    domain = draw(rng, w.domain_pool, count)
    address = domain * ADDRESSES + line % ADDRESSES
    edges = np.cumsum([w.settings.messaging, ENGINE, CHILD, OWN])

    rows = np.flatnonzero(kind < edges[0])
    host[rows], actor[rows], domain[rows], fixed = messaging.everyday(
        rng, w.messaging, w.programs, w.hosts, host[rows], time[rows], FIRST_DAY
    )
    address[rows] = np.where(fixed >= 0, fixed, address[rows])
    chat = np.zeros(count, np.bool_)
    chat[rows] = True

    rows = np.flatnonzero((kind >= edges[0]) & (kind < edges[1]))
    system = w.hosts.system[host[rows]]
    which = draw(rng, w.script_pool, len(rows))
    recurring = w.scripts.start[system, which] + w.hosts.rank[host[rows]] * w.scripts.stride[system, which]
    local = w.scripts.own[host[rows]] + line[rows] % scripts.OWN
    actor[rows] = np.where(line[rows] % 100 < 38, local, recurring)
    once = rows[line[rows] % 100 >= 98]
    actor[once] = scripts.unique(w.actors, w.hosts, w.scripts, host[once])

    rows = np.flatnonzero((kind >= edges[1]) & (kind < edges[2]))
    actor[rows] = w.scripts.children[w.hosts.system[host[rows]]] + line[rows] % scripts.CHILDREN
    rows = np.flatnonzero((kind >= edges[2]) & (kind < edges[3]))
    actor[rows] = w.programs.own[host[rows]] + line[rows] % software.OWN

    # 0 network, 1 dns, 2 process; scripting engines mostly start, messengers never
    chance = rng.random(count)
    event_type = np.searchsorted(FEWER_STARTS if w.settings.processes else [0.55, 0.75], chance).astype(np.int32)
    event_type[(kind >= edges[0]) & (kind < edges[1]) & (chance > 0.3)] = 2
    event_type[chat] = (chance[chat] < 0.25) & (domain[chat] >= 0)
    nameless = (event_type == 0) & ~chat & (line % 4 == 0)
    resolver = np.array([w.programs.start[s, software.RESOLVER[s]] for s in range(3)], np.int32)
    looked_up = (event_type == 1) & (line % 5 < 3)
    actor[looked_up] = resolver[w.hosts.system[host[looked_up]]]
    domain[nameless] = -1
    address[event_type == 1] = -1
    domain[event_type == 2] = -1
    address[event_type == 2] = -1
    return Rows(time.copy(), host, actor, domain, address, event_type, line), kind < edges[2]


def planted_rows(events: list[plants.Planted], names: Vocabulary) -> Rows:
    """The planted events as rows: connections."""
    table = np.array(events, np.int64).reshape(-1, 5)
    rest = table[:, 1:].astype(np.int32)
    count = len(table)
    zero = np.zeros(count, np.int32)
    return Rows(
        table[:, 0],
        rest[:, 0],
        rest[:, 1],
        rest[:, 2],
        rest[:, 3],
        zero,
        np.arange(count, dtype=np.int32) * 100 + 7,
    )


def write(settings: Settings, out: Path) -> dict[str, int]:
    """Writes all files and says how many rows they have."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [out / MARKER, *out.glob("events-*.parquet")]:
        old.unlink(missing_ok=True)
    w = world(settings)
    columns = Columns(w.rng, w.hosts, w.actors, w.names, w.addresses, settings.event_ids, FIRST_DAY, settings.processes)
    starts = Starts(FIRST_DAY)
    per_file = max(1, math.ceil(settings.events / settings.files / GROUP))
    groups = settings.files * per_file
    share = calendar(settings.days)
    hours = np.arange(len(share)) * 3600e6 + FIRST_DAY
    edges = np.interp(np.arange(groups + 1) / groups, share, hours).astype(np.int64)
    cuts = np.searchsorted([event.time for event in w.plants], edges)
    written = 0
    for file in range(settings.files):
        path = out / f"events-{file:04d}.parquet"
        with pq.ParquetWriter(path, columns.schema, compression="zstd", compression_level=1,
                              use_dictionary=True, store_schema=False) as writer:  # fmt: skip
            for group in range(file * per_file, (file + 1) * per_file):
                total = settings.events * (group + 1) // groups - settings.events * group // groups
                planted = planted_rows(w.plants[cuts[group] : cuts[group + 1]], w.names)
                ordinary = max(0, total - len(planted.time))
                position = (group + np.sort(w.rng.random(ordinary))) / groups
                time = np.interp(position, share, hours).astype(np.int64)
                rows, needed = background(w, time)
                rows = rows.join(planted)
                if settings.processes:
                    rows = rows.join(starts.of(rows, np.append(needed, np.ones(len(planted.time), np.bool_))))
                order = np.argsort(rows.time, kind="stable")
                table = columns.table(rows.take(order))
                writer.write_table(table, row_group_size=max(GROUP, len(rows.time)))
                written += table.num_rows
    about = {**settings._asdict(), "rows": written, "planted": len(w.plants)}
    (out / MARKER).write_text(json.dumps(about), encoding="utf-8")
    return about


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("events", 10_000_000), ("hosts", 2000), ("days", 50), ("files", 20), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--event-ids", action="store_true", help="give every event an id of its own")
    parser.add_argument("--messaging", type=float, default=IM, help="share of the rows that is instant messaging")
    parser.add_argument("--processes", choices=["whole", "bare"], default="", help="events that name instances")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    settings = Settings(
        given.events,
        given.hosts,
        given.days,
        given.files,
        given.seed,
        given.event_ids,
        given.messaging,
        given.processes,
    )
    print(json.dumps(write(settings, given.out)))


if __name__ == "__main__":
    main()
