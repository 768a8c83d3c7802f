"""Rare things, planted: what the detector is there to find, and what it must not repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.benchmarks.organisation import DAY, HOUR, Organisation
from tests.benchmarks.scripts import Scripts, child_of, engine_actor, file_script, inline_code
from tests.benchmarks.software import WINDOWS, Software, program_actor
from tests.benchmarks.vocabulary import Actor, ActorTable, Vocabulary, digest, pairs

DESTINATIONS = (
    "api.telegram.org",
    "cdn.discordapp.com",
    "hooks.slack.com",
    "msgapi.threema.ch",
    "api.icq.net",
    "chat.zalo.me",
    "web.whatsapp.com",
    "matrix-client.matrix.org",
    "contoso.webhook.office.com",
)
HOURLY = (0, 1, 2, 26, 50, 75)


class Planted(NamedTuple):
    """One planted event; codes as in the other columns."""

    time: int
    host: int
    actor: int
    domain: int
    address: int


@dataclass
class Planter:
    """Adds planted events; every scenario is one rare program on one host."""

    rng: np.random.Generator
    table: ActorTable
    hosts: Organisation
    programs: Software
    scripts: Scripts
    names: Vocabulary
    addresses: Vocabulary
    pair: Iterator[str]
    events: list[Planted]

    def event(self, time: int, host: int, actor: int, domain: str | None, address: str | None = None) -> None:
        """Plants one event."""
        self.events.append(Planted(time, host, actor, self.names.code(domain), self.addresses.code(address)))

    def repeat(self, time: int, host: int, actor: Actor, domain: str | None, address: str | None = None) -> None:
        """Plants an actor that comes back: within the hour, within the day, on later days."""
        number = self.table.add(actor)
        for after in HOURLY[: int(self.rng.integers(1, len(HOURLY) + 1))]:
            for _ in range(int(self.rng.integers(1, 4))):
                self.event(time + after * HOUR + int(self.rng.integers(HOUR // 2)), host, number, domain, address)

    def vendor(self, system: int, **change: str) -> Actor:
        """A signed tool that nobody else has."""
        pair = next(self.pair)
        title = pair.title().replace("-", "")
        folder = (f"C:\\Program Files\\{title}", f"/Applications/{title}.app", f"/opt/{pair}")[system]
        name = f"{pair}.exe" if system == 0 else pair
        return program_actor(system, name, folder, f"{title} GmbH", "--post")._replace(**change)

    def temporary(self, host: int, name: str) -> Actor:
        """An unsigned program in a folder that anybody may write to."""
        system = int(self.hosts.system[host])
        pair = next(self.pair)
        place = (
            self.hosts.home(host) + "\\AppData\\Local\\Temp\\" + pair,
            "/Users/Shared/" + pair,
            "/tmp/" + pair,
        )
        path = place[system] + ("\\" if system == 0 else "/") + name.format(pair)
        actor = program_actor(system, name.format(pair), place[system], "", "")
        return actor._replace(process_path=path, process_signature_status=("unsigned", "invalid")[len(pair) % 2])

    def script(self, host: int, engine: str, number: int) -> Actor:
        """A script that was never seen before."""
        system = int(self.hosts.system[host])
        engine = engine if system == 0 else "python"
        if number % 3 == 0:
            return engine_actor(system, engine, inline_code(engine, next(self.pair), number))
        if number % 3 == 1 and engine == "python":
            return engine_actor(system, engine, ("-m " + next(self.pair).replace("-", "_"), "-")[number % 2])
        folder = self.hosts.home(host) + ("\\Downloads", "/Downloads", "/Downloads")[system]
        return engine_actor(system, engine, file_script(system, engine, folder, next(self.pair), number))


def _base(p: Planter, time: int, host: int, number: int) -> None:
    address = (None, "149.154.167.220", "2001:b28:f23d:f001::a")[number % 3]
    p.repeat(
        time,
        host,
        p.vendor(int(p.hosts.system[host])),
        None if address else DESTINATIONS[number % 9],
        address,
    )


def _transfer(p: Planter, time: int, host: int, number: int) -> None:
    name = ("curl.exe", "certutil.exe", "rundll32.exe", "msbuild.exe")[number % 4]
    actor = program_actor(
        0, name, r"C:\Windows\System32", "Microsoft Windows", "/x https://" + DESTINATIONS[number % 9]
    )
    p.repeat(time, host, actor, DESTINATIONS[number // 4 % 9])


def _unsigned(p: Planter, time: int, host: int, number: int) -> None:
    name = "invoice.pdf.exe" if number % 4 == 0 else "{}.exe"
    p.repeat(time, host, p.temporary(host, name), DESTINATIONS[number % 9])


def _masked(p: Planter, time: int, host: int, number: int) -> None:
    name = ("chrome.exe", "Telegram.exe", "svchost.exe", "slack.exe")[number % 4]
    actor = p.vendor(0)
    place = str(actor.process_path).rsplit("\\", 1)[0]
    p.repeat(
        time,
        host,
        actor._replace(process_name=name, process_path=f"{place}\\{name}"),
        DESTINATIONS[number % 9],
    )


def _office(p: Planter, time: int, host: int, number: int) -> None:
    line = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE /n"
    document = {
        "parent_process_name": ("WINWORD.EXE", "OUTLOOK.EXE")[number % 2],
        "parent_process_command_line": line,
    }
    plain = p.vendor(0)
    if number % 3 == 0:
        p.repeat(time, host, plain._replace(**document), DESTINATIONS[number % 9])
        return
    # milder, worse, milder again: the second gets through, the third does not
    for after, actor in enumerate((plain, plain._replace(**document), plain)):
        p.event(time + after * HOUR + number, host, p.table.add(actor), DESTINATIONS[number % 9])


def _script(p: Planter, time: int, host: int, number: int) -> None:
    engine = ("python", "powershell", "node")[number % 3]
    p.repeat(time, host, p.script(host, engine, number), DESTINATIONS[number % 9])


def _changing_code(p: Planter, time: int, host: int, number: int) -> None:
    system = int(p.hosts.system[host])
    engine = "powershell" if system == 0 else "python"
    for after in range(1 + number % 4):
        actor = engine_actor(system, engine, inline_code(engine, next(p.pair), number * 4))
        p.event(time + after * HOUR, host, p.table.add(actor), "discord.com")


def _script_starts_tool(p: Planter, time: int, host: int, number: int) -> None:
    owner = p.script(host, "powershell", number)
    p.repeat(time, host, child_of(owner, int(p.hosts.system[host]), "curl"), DESTINATIONS[number % 9])


def _known_script(p: Planter, time: int, host: int, number: int) -> None:
    system = int(p.hosts.system[host])
    which = number % 7
    while p.scripts.stride[system, which]:
        which += 1
    for after in (0, 3):
        p.event(time + after * HOUR, host, int(p.scripts.start[system, which]), DESTINATIONS[number % 9])


def _driven_browser(p: Planter, time: int, host: int, number: int) -> None:
    owner = p.script(host, "python", number)
    name, folder, signer, _, _ = WINDOWS[0]
    chrome = program_actor(0, name, folder, signer, "--headless --remote-debugging-port=0")
    chrome = chrome._replace(
        causality_process_name=owner.process_name, causality_process_command_line=owner.process_command_line
    )
    p.repeat(time, host, chrome, "chat.zalo.me" if number % 2 else "web.threema.ch")


def _excluded(p: Planter, time: int, host: int, number: int) -> None:
    p.event(time, host, p.table.add(p.vendor(0)), "config.edge.skype.com")
    p.event(time + HOUR, host, p.table.add(p.vendor(0)), "config.edge.skype.com", "149.154.167.99")


SCENARIOS: tuple[tuple[Callable[[Planter, int, int, int], None], bool], ...] = (
    (_base, False), (_script, False), (_unsigned, False), (_office, True), (_changing_code, False),
    (_masked, True), (_base, False), (_script_starts_tool, False), (_known_script, False), (_transfer, True),
    (_script, False), (_driven_browser, True), (_unsigned, False), (_excluded, True),
)  # fmt: skip
"""Scenarios, and whether they need a Windows host."""


def _roll_out(p: Planter, begin: int, share: float, days: int, signed: bool) -> None:
    """One new tool on many hosts in one day, which stays in use."""
    members = p.hosts.of(0)[p.hosts.tenant[p.hosts.of(0)] == 0]
    chosen = p.rng.permutation(members)[: min(240, int(len(members) * share))]
    pair = next(p.pair)
    tool = program_actor(0, f"{pair}.exe", f"C:\\Program Files\\{pair}", f"{pair} AG" if signed else "", "--serve")
    tool = tool if signed else tool._replace(process_signature_status="unsigned", process_sha256=digest(pair))
    actor = p.table.add(tool)
    for day in range(days):
        for host in chosen:
            if day == 0 or p.rng.random() < 0.5:
                time = begin + day * DAY + int(p.rng.integers(8 * HOUR, 17 * HOUR))
                p.event(time, int(host), actor, "gateway.discord.gg" if signed else "api.telegram.org")


def plant(planter: Planter, first: int, days: int, count: int) -> list[Planted]:
    """`count` scenarios over the last 36 days (a few before, while the detector learns) and two roll-outs."""
    planter.pair = pairs(start=60_000)
    windows = planter.hosts.of(0)
    for number in range(count):
        scenario, needs_windows = SCENARIOS[number % len(SCENARIOS)]
        host = int(planter.rng.choice(windows)) if needs_windows else int(planter.rng.integers(len(planter.hosts)))
        begin, end = (max(0, days - 36), days - 4) if number % 12 else (2, 13)
        day = int(planter.rng.integers(begin, max(begin + 1, end)))
        time = first + day * DAY + int(planter.rng.integers(20 * HOUR))
        scenario(planter, time, host, number // 2)
    _roll_out(planter, first + (days - 10) * DAY, 0.6, 6, signed=True)
    _roll_out(planter, first + (days - 22) * DAY, 0.5, 6, signed=False)
    return [event for event in planter.events if event.time < first + days * DAY]
