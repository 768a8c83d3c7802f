"""Scenes about starts: which of them, if any, describes the process of a connection that says less."""

from __future__ import annotations

from tests.oracle.builder import DAY, DISCORD, HOUR, SECOND, TELEGRAM, WHATSAPP, Builder, Record
from tests.oracle.scenes_instances import BARE, HALF, WHOLE, some, start, talk

LOOKBACKS = (1, 7, 30)


def borders(b: Builder, tenant: str) -> None:
    """Starts exactly as old as each lookback and a microsecond more, at the event's own time and right after it."""
    ages = [lookback * DAY + more for lookback in LOOKBACKS for more in (-1, 0, 1)]
    for age in (*ages, 0, 1, -1, -SECOND, -HOUR):
        for host in b.hosts(2):
            program, guid, at = some(b, "edge"), b.unique("guid"), b.later() * DAY + b.moment()
            start(b, tenant, host, at - age, guid, program)
            talk(b, tenant, host, at, guid, program, b.rng.choice((DISCORD, TELEGRAM)), b.rng.choice((HALF, BARE)))


def two_starts(b: Builder, tenant: str) -> None:
    """Two starts of one instance: at different times and at the same one, with two ids, one or none."""
    numbered = [{"event_id": f"{number:08x}"} for number in b.rng.sample(range(1 << 32), 2)]
    cases: list[tuple[int, list[Record]]] = [
        (HOUR, [WHOLE, WHOLE]),
        (HOUR, [WHOLE, HALF]),
        (HOUR, [WHOLE, BARE | {"process_path": "/opt/bare/daemon"}]),
        (0, numbered),
        (0, [numbered[0], numbered[0]]),
        (0, [{"event_id": None}, {"event_id": None}]),
        (0, [{"event_id": None}, numbered[1]]),
        (3 * HOUR, [WHOLE, WHOLE]),
    ]
    for apart, parts in cases:
        for host in b.hosts(2):
            guid, began = b.unique("guid"), b.later() * DAY + b.moment()
            programs = [some(b, "twin"), some(b, "twin")]
            for number, (program, part) in enumerate(zip(programs, parts, strict=True)):
                start(b, tenant, host, began + number * apart, guid, program, part)
            for _ in range(2):
                told = b.rng.choice((HALF, BARE))
                talk(b, tenant, host, began + 2 * HOUR + b.moment() % HOUR, guid, programs[0], DISCORD, told)


def one_guid_elsewhere(b: Builder, tenant: str) -> None:
    """One guid on two hosts, and on one host's name in two tenants, of which perhaps one has no start."""
    places = [[(tenant, host) for host in b.hosts(2)] for _ in range(3)]
    places += [[(name, host) for name in b.tenants] for host in b.hosts(3) if len(b.tenants) > 1]
    for place in places:
        guid, began, lost = b.unique("guid"), b.later() * DAY + b.moment(), b.rng.choice((0, 1, None))
        for number, (where, host) in enumerate(place):
            program = some(b, "same")
            if number != lost:
                start(b, where, host, began + number * SECOND, guid, program)
            talk(b, where, host, began + HOUR, guid, program, WHATSAPP, BARE)
            talk(b, where, host, began + 2 * HOUR, guid, program, TELEGRAM, HALF)


def used_again(b: Builder, tenant: str) -> None:
    """A guid that another process has after weeks, and connections long after a start."""
    for host in b.hosts(3):
        guid, day = b.unique("guid"), b.later(33, 45)
        for began, days in ((day - 25, (0, 1, 9, 20)), (day, (0, 2, 12))):
            program = some(b, "again")
            start(b, tenant, host, began * DAY, guid, program)
            for later in days:
                talk(b, tenant, host, (began + later) * DAY + b.moment(), guid, program, TELEGRAM, BARE)


def across_midnight(b: Builder, tenant: str) -> None:
    """Starts right before and at each midnight, one of which begins or ends a run's range."""
    for day in range(19, 61):
        host, guid, program = b.hosts(1)[0], b.unique("guid"), some(b, "night")
        start(b, tenant, host, day * DAY - b.rng.choice((1, 0)), guid, program)
        talk(b, tenant, host, day * DAY + b.rng.choice((0, HOUR)), guid, program, DISCORD, b.rng.choice((HALF, BARE)))


SCENES = (borders, two_starts, one_guid_elsewhere, used_again, across_midnight)
