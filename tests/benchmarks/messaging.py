"""Everyday traffic to instant messengers: clients, browsers and a few bots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.organisation import Organisation
from tests.benchmarks.scripts import child_of, engine_actor, file_script
from tests.benchmarks.software import BROWSERS, EDGE, EXCEL, Software, ordinary, program_actor
from tests.benchmarks.vocabulary import ActorTable, Codes, Vocabulary, pairs

DOMAINS = {
    "microsoft-teams": ["teams.microsoft.com", "emea.ng.msg.teams.microsoft.com", "statics.teams.cdn.office.net",
                        "api.teams.skype.com", "teams.events.data.microsoft.com"],
    "slack": ["wss-primary.slack.com", "slack.com", "files.slack.com", "a.slack-edge.com", "App.Slack.com"],
    "whatsapp": ["web.whatsapp.com", "g.whatsapp.net", "mmg.whatsapp.net", "media-fra3-1.cdn.whatsapp.net"],
    "telegram": ["web.telegram.org", "t.me", "venus.web.telegram.org.", "cdn4.cdn-telegram.org"],
    "discord": ["gateway.discord.gg", "discord.com", "cdn.discordapp.com", "media.discordapp.net"],
    "webex": ["idbroker.webex.com", "mercury-connection-a.wbx2.com", "api.ciscospark.com"],
    "edge-trap": ["config.edge.skype.com", "mobile.pipe.aria.microsoft.com"],
    "bot-api": ["api.telegram.org", "hooks.slack.com", "discord.com", "contoso.webhook.office.com"],
}  # fmt: skip
SERVICES = ["microsoft-teams", "slack", "whatsapp", "telegram", "discord", "webex"]
HAVE = (0.92, 0.35, 0.07, 0.02, 0.03, 0.02)
ADDRESSES = {
    "telegram": [f"149.154.{167 + n % 3}.{40 + n}" for n in range(24)] + ["91.108.56.123", "2001:67c:4e8:f002::a"],
    "webex": [f"170.72.{n}.{10 + n}" for n in range(20)],
}
SLOTS = 8
# name, folder, signer by service and system; {u}: the user's folder, {v}: version
CLIENTS: dict[str, list[tuple[str, str, str]]] = {
    "microsoft-teams": [
        ("ms-teams.exe", r"C:\Program Files\WindowsApps\MSTeams_{v}_x64__8wekyb3d8bbwe", "Microsoft Corporation"),
        ("MSTeams", "/Applications/Microsoft Teams.app/Contents/MacOS",
         "Developer ID Application: Microsoft Corporation (UBF8T346G9)"),
        ("teams-for-linux", "/opt/teams-for-linux", ""),
    ],
    "slack": [
        ("slack.exe", r"{u}\AppData\Local\slack\app-{v}", "Slack Technologies, LLC"),
        ("Slack Helper", "/Applications/Slack.app/Contents/Frameworks/Slack Helper.app/Contents/MacOS",
         "Developer ID Application: Slack Technologies, Inc. (BQR82RBBHL)"),
        ("slack", "/usr/lib/slack", ""),
    ],
    "whatsapp": [
        ("WhatsApp.exe", r"C:\Program Files\WindowsApps\5319275A.WhatsAppDesktop_{v}_x64__cv1g1gvanyjgm",
         "24803D75-212C-471A-BC57-9EF86AB91435"),
        ("WhatsApp", "/Applications/WhatsApp.app/Contents/MacOS",
         "Developer ID Application: WhatsApp Inc. (57T9237FN3)"),
    ],
    "telegram": [
        ("Telegram.exe", r"{u}\AppData\Roaming\Telegram Desktop", "Telegram FZ-LLC"),
        ("Telegram", "/Applications/Telegram.app/Contents/MacOS",
         "Developer ID Application: Telegram FZ-LLC (C67CF9S4VU)"),
        ("telegram-desktop", "/usr/bin", ""),
    ],
    "discord": [
        ("Discord.exe", r"{u}\AppData\Local\Discord\app-{v}", "Discord Inc."),
        ("Discord Helper", "/Applications/Discord.app/Contents/Frameworks",
         "Developer ID Application: Discord, Inc. (53Q6R32WPB)"),
        ("Discord", "/usr/share/discord", ""),
    ],
    "webex": [("CiscoCollabHost.exe", r"C:\Program Files\Cisco Spark\dependencies", "Cisco Systems, Inc.")],
}  # fmt: skip
VERSIONS = 2


@dataclass(frozen=True)
class Messaging:
    """Who uses which messenger, and what the traffic looks like."""

    slots: Codes
    """The services of each host, the favourite one several times."""
    client: Codes
    """By host and service: the first actor of the client, or -1 if the host has none."""
    updater: Codes
    """Slack's updater, by host, or -1."""
    domain: dict[str, Codes]
    """Codes of the host names."""
    address: dict[str, Codes]
    """Codes of the addresses that have no name."""
    bot_host: Codes
    bot_actor: Codes
    bot_domain: Codes


def _client(table: ActorTable, hosts: Organisation, host: int, service: str, shared: dict[tuple[str, int], int]) -> int:
    system = int(hosts.system[host])
    if system >= len(CLIENTS[service]):
        return -1
    name, folder, signer = CLIENTS[service][system]
    key = (service, system)
    if "{u}" not in folder and key in shared:
        return shared[key]
    start = len(table)
    for version in range(VERSIONS):
        place = folder.replace("{u}", hosts.home(host)).replace("{v}", f"4.{36 + version}.{140 - version}")
        table.add(program_actor(system, name, place, signer, "--type=utility", version=version))
    if "{u}" not in folder:
        shared[key] = start
    return start


def messaging(
    rng: np.random.Generator, table: ActorTable, hosts: Organisation, names: Vocabulary, addresses: Vocabulary
) -> Messaging:
    """Gives hosts their messengers and adds the actors."""
    count = len(hosts)
    slots = np.zeros((count, SLOTS), np.int32)
    client = np.full((count, len(SERVICES)), -1, np.int32)
    updater = np.full(count, -1, np.int32)
    have = rng.random((count, len(SERVICES))) < HAVE
    shared: dict[tuple[str, int], int] = {}
    for host in range(count):
        mine = np.flatnonzero(have[host])
        mine = mine if len(mine) else np.array([0])
        slots[host] = np.concatenate([mine, rng.choice(mine, SLOTS)])[:SLOTS]
        for place in mine:
            client[host, place] = _client(table, hosts, host, SERVICES[place], shared)
        if hosts.system[host] == 0 and have[host, 1]:
            updater[host] = table.add(
                program_actor(
                    0,
                    "Update.exe",
                    hosts.home(host) + r"\AppData\Local\slack",
                    "Slack Technologies, LLC",
                    "--checkForUpdate",
                )
            )
    bots = max(6, count // 40)
    bot_host = rng.choice(count, bots, replace=bots > count).astype(np.int32)
    bot_actor = np.zeros(bots, np.int32)
    pair = pairs(start=12_000)
    bot_domain = names.codes(DOMAINS["bot-api"][number % 4] for number in range(bots))
    for number, host in enumerate(bot_host):
        system = int(hosts.system[host])
        name = f"{next(pair)}-notify" if number % 3 else "on-call-notify"
        script = engine_actor(
            system,
            "python",
            file_script(system, "python", ("C:\\ops\\bots", "/opt/bots")[system > 0], name, 0),
        )
        bot_actor[number] = table.add(child_of(script, system, "curl") if number % 5 == 4 else script)
    domain = {service: names.codes(hosts_of) for service, hosts_of in DOMAINS.items()}
    address = {service: addresses.codes(ADDRESSES.get(service, [])) for service in SERVICES}
    return Messaging(slots, client, updater, domain, address, bot_host, bot_actor, bot_domain)


def everyday(
    rng: np.random.Generator,
    model: Messaging,
    programs: Software,
    hosts: Organisation,
    host: Codes,
    time: np.ndarray,
    first: int,
) -> tuple[Codes, Codes, Codes, Codes]:
    """Host, actor, domain and address (-1: any of the domain's) of rows that go to messengers."""
    count = len(host)
    host = host.copy()
    service = model.slots[host, rng.integers(0, SLOTS, count)]
    chance = rng.random(count)
    line = rng.integers(0, 1 << 20, count, dtype=np.int32)
    browsers = np.array([[mine[number % len(mine)] for number in range(6)] for mine in BROWSERS], np.int32)
    system = hosts.system[host]
    actor = ordinary(programs, hosts, host, browsers[system, (host + (line % 50 == 0)) % 6], line, time, first)
    client = model.client[host, service]
    native = (chance < 0.83) & (client >= 0)
    newer = (time - first) // 86_400_000_000 > 10 + host % 25
    actor = np.where(native, client + newer, actor)
    domain = np.zeros(count, np.int32)
    address = np.full(count, -1, np.int32)
    for number, name in enumerate(SERVICES):
        rows = np.flatnonzero(service == number)
        domain[rows] = model.domain[name][line[rows] % len(model.domain[name])]
        nameless = model.address[name]
        if len(nameless):
            rows = rows[native[rows] & (line[rows] % 10 < 7)]
            domain[rows] = -1
            address[rows] = nameless[line[rows] % len(nameless)]
    squirrel = (service == 1) & (line % 40 == 0) & (model.updater[host] >= 0)
    actor = np.where(squirrel, model.updater[host], actor)
    office = (service == 0) & (system == 0) & (line % 60 == 7) & native
    actor = np.where(office, programs.start[0, EXCEL] + line % 2, actor)
    bots = np.flatnonzero(chance >= 0.98)
    which = line[bots] % len(model.bot_host)
    host[bots], actor[bots], domain[bots] = (
        model.bot_host[which],
        model.bot_actor[which],
        model.bot_domain[which],
    )
    address[bots] = -1
    traps = np.flatnonzero((hosts.system[host] == 0) & (line % 4 == 3) & (chance < 0.3))
    domain[traps] = model.domain["edge-trap"][line[traps] // 4 % 10 // 9]
    actor[traps] = ordinary(programs, hosts, host[traps], np.full(len(traps), EDGE), line[traps], time[traps], first)
    address[traps] = -1
    return host, actor.astype(np.int32), domain, address
