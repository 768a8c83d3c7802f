"""Scenes about time: windows, repeats, borders, outbreaks, roll-outs."""

from __future__ import annotations

from tests.oracle.builder import (
    DAY,
    DISCORD,
    DISCORD_CDN,
    HOUR,
    MINUTE,
    SECOND,
    SERVICES,
    SLACK,
    TELEGRAM,
    TELEGRAM_BOT,
    WHATSAPP,
    Builder,
    chrome,
    discord,
    plain,
    signed,
)


def population(b: Builder, tenant: str) -> None:
    """People who chat, most of them with the usual clients, one alone with a client of its own."""
    hosts = b.hosts(7)
    loner = b.hosts(1, "loner")[0]
    client = signed(b.unique("ferry") + ".exe", "Ferry GmbH")
    for day in b.tenants[tenant]:
        for host in b.rng.sample(hosts, b.rng.randint(0, 2)):
            b.add(tenant, host, day, b.moment(), discord(), b.rng.choice((DISCORD, DISCORD_CDN)))
        if b.rng.random() < 0.5:
            b.add(tenant, b.rng.choice(hosts), day, b.moment(), chrome(), b.rng.choice(SERVICES))
        if b.rng.random() < 0.4:
            b.add(tenant, loner, day, b.moment(), client, SLACK)


def window_border(b: Builder, tenant: str) -> None:
    """Sightings exactly 30 and 31 days back, of three and of four other hosts and of the host itself."""
    day = b.later()
    for back in (30, 31, 1):
        for others in (3, 4):
            program = signed(b.unique("helper") + ".exe", "Helper Ltd")
            hosts = b.hosts(others + 1)
            for host in hosts[1:]:
                b.add(tenant, host, day - back, b.moment(), program, TELEGRAM)
            b.add(tenant, hosts[0], day, b.moment(), program, TELEGRAM)
        for own_days in (2, 3):
            program = signed(b.unique("agent") + ".exe", "Helper Ltd")
            host = b.hosts(1)[0]
            for seen in [day - back, *range(day - 5, day - 5 + own_days - 1)]:
                b.add(tenant, host, seen, b.moment(), program, DISCORD)
            b.add(tenant, host, day, b.moment(), program, DISCORD)


def repeats(b: Builder, tenant: str) -> None:
    """Repeats exactly 24 hours apart and one microsecond less; worse and milder variations in between."""
    day = b.later()
    for offset in (DAY - 1, DAY, DAY + 1, HOUR):
        program = signed(b.unique("sync") + ".exe", "Sync AB")
        host = b.hosts(1)[0]
        start = b.rng.randrange(23) * HOUR
        b.add(tenant, host, day, start, program, WHATSAPP)
        b.add(tenant, host, day, start + offset, program, WHATSAPP)
        b.add(tenant, host, day, start + 2 * offset, program, WHATSAPP)
    worse = {"parent_process_name": "WINWORD.EXE"}
    program = signed(b.unique("sync") + ".exe", "Sync AB")
    host = b.hosts(1)[0]
    for hours, parent in ((0, {}), (3, worse), (5, {}), (9, worse), (25, {}), (27, worse), (51, {})):
        b.add(tenant, host, day, hours * HOUR + MINUTE, program, TELEGRAM, parent)


def hour_and_day_borders(b: Builder, tenant: str) -> None:
    """Bursts that cross the border of an hour and of a day by one microsecond."""
    day = b.later()
    for border in (b.rng.randint(1, 23) * HOUR, DAY):
        program = signed(b.unique("notes") + ".exe", "Notes Inc")
        for host in b.hosts(b.rng.randint(2, 6)):
            for step in (-SECOND, -1, 0, 1, SECOND):
                if step in (-1, 0) or b.rng.random() < 0.5:
                    b.add(tenant, host, day, border + step, program, DISCORD, bytes_sent=b.rng.randrange(9999))


def outbreak(b: Builder, tenant: str) -> None:
    """Malware that spreads over three days and more; the guard days keep it from becoming normal."""
    start = b.later(30, 50)
    folder = b.rng.choice(("C:\\Users\\al\\AppData\\Local\\Temp\\x1\\", "C:\\Users\\bo\\Downloads\\"))
    program = plain(b.unique("update") + ".exe", folder, "windows", "unsigned")
    harmless = signed(b.unique("tray") + ".exe", "Tray SA")
    hosts = b.hosts(16)
    for day, count in enumerate((2, 3, 5, 4, 3, 3, 2, 2)):
        for host in b.rng.sample(hosts, count):
            b.add(tenant, host, start + day, b.moment(), program, TELEGRAM_BOT)
            b.add(tenant, host, start + day, b.moment(), harmless, TELEGRAM_BOT)


def roll_out(b: Builder, tenant: str) -> None:
    """A new program on many hosts in a day, some of them at the same moment, and on more the day after."""
    day = b.later()
    program = signed(b.unique("newchat") + ".exe", "Newchat Oy")
    hosts = b.hosts(b.rng.randint(30, 38))
    same = b.moment() % (20 * HOUR)
    for number, host in enumerate(hosts):
        at = same if number % 5 == 0 else b.moment()
        parent = {"parent_process_name": "outlook.exe"} if number % 7 == 3 else {}
        b.add(tenant, host, day, at, program, SLACK, parent)
        if number % 4 == 0:
            b.add(tenant, host, day, at + HOUR, program, SLACK)
    for host in b.hosts(4) + hosts[:3]:
        b.add(tenant, host, day + 1, b.moment(), program, SLACK)


def equal_times(b: Builder, tenant: str) -> None:
    """Equal times, different ids: the smaller id represents the hour, and comes first in a group."""
    day = b.later()
    program = signed(b.unique("gadget") + ".exe", "Gadget KK")
    for host in b.hosts(8):
        at = 9 * HOUR
        for destination in b.rng.sample((TELEGRAM, TELEGRAM_BOT, {"remote_ip": "149.154.167.99"}), 2):
            b.add(tenant, host, day, at, program, destination, event_id=f"{b.rng.getrandbits(32):08x}")
        parent = {"parent_process_name": "excel.exe"}
        b.add(tenant, host, day, at, program, TELEGRAM, parent, event_id=f"{b.rng.getrandbits(32):08x}")
    for host in b.hosts(4):
        for _ in range(3):
            owner = {
                "causality_process_name": "perl",
                "causality_process_command_line": f"perl /{b.unique('x')}.pl",
            }
            b.add(tenant, host, day, 11 * HOUR, program, SLACK, owner, event_id=f"{b.rng.getrandbits(32):08x}")
    host = b.hosts(1)[0]
    for name in ("WINWORD.EXE", "AcroRd32.exe", "explorer.exe"):
        parent = {"parent_process_name": name}
        b.add(tenant, host, day, 10 * HOUR, program, DISCORD, parent, event_id=b.unique("same"))


SCENES = (population, window_border, repeats, hour_and_day_borders, outbreak, roll_out, equal_times)
