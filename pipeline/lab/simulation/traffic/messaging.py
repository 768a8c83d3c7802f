"""Ordinary messaging: clients, browsers, adoption of a new messenger, automation, bots, and what only looks like it."""

from __future__ import annotations

from uncommon_im.pipeline.lab.simulation import parameters as p
from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.organisation.programs import Program, developer_id
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import Habit, HabitBuilder, process_starts, wave_lag

NODE = {
    "windows": (r"C:\Program Files\nodejs\node.exe", "OpenJS Foundation", r"C:\Users\{user}\src"),
    "macos": ("/opt/homebrew/bin/node", developer_id("Node.js Foundation", "HX7739G8FX"), "/Users/{user}/src"),
    "linux": ("/usr/bin/node", None, "/home/{user}/src"),
}
"""Node.js: path, signer, and where its user keeps what he writes."""


def add_messaging(builder: HabitBuilder) -> None:
    """The messaging habits of all hosts."""
    for host in builder.organisation.hosts:
        if host.os == "windows":
            builder.add(host, "edge", Habit("edge-config", p.EDGE_TELEMETRY_RATE * 0.7))
            builder.add(host, "background", Habit("edge-config", p.EDGE_TELEMETRY_RATE * 0.3, hours="flat"))
        if host.is_server:
            _server(builder, host)
            continue
        _clients(builder, host)
        _browser(builder, host)
        _adopt(builder, host)
        if host.department == "engineering" and builder.chance(p.BOT_SHARE):
            _bot(builder, host)
    _help_desk(builder)


def _clients(builder: HabitBuilder, host: Host) -> None:
    """Native clients by department."""
    for key, shares in p.CLIENT_SHARES.items():
        if not builder.chance(shares[host.department]):
            continue
        if key == "whatsapp" and host.os == "windows":
            _renamed(builder, host, key, "whatsapp-root", "client-renamed")
            continue
        _client(builder, host, key, key)
        if key == "teams":
            builder.add(host, "webview", Habit("teams", p.CLIENT_RATE / 3))
            builder.add(host, "outlook", Habit("teams", 0.1 * (host.os == "windows")))
        if key == "discord":
            builder.add(host, "discord-update", Habit("discord-update", 0.5, hours="morning"))


def _client(
    builder: HabitBuilder, host: Host, key: str, where: str, days: range | None = None, label: str | None = None
) -> None:
    builder.add(host, key, Habit(where, p.CLIENT_RATE, days=days, label=label))
    builder.add(host, key, process_starts(1.0, hours="morning", days=days, label=label))


def _renamed(builder: HabitBuilder, host: Host, old: str, new: str, label: str) -> None:
    """A client whose program gets another name with an update."""
    organisation = builder.organisation
    change = min(organisation.campaign_day + p.RENAME_AFTER_DAYS + wave_lag(host), organisation.days)
    _client(builder, host, old, old, range(change))
    _client(builder, host, new, old, range(change, organisation.days), label)


def _browser(builder: HabitBuilder, host: Host) -> None:
    """A web client for some, an odd visit now and then."""
    browser = "chrome" if builder.chance(0.75) or host.os != "windows" else "edge"
    favourite = ("teams", "whatsapp", "google-chat", "slack")[int(builder.rng.integers(4))]
    if builder.chance(p.WEB_CLIENT_SHARE):
        builder.add(host, browser, Habit(favourite, p.WEB_CLIENT_RATE))
    builder.add(host, browser, Habit("odd", p.ODD_VISIT_RATE))


def _adopt(builder: HabitBuilder, host: Host) -> None:
    """A messenger that spreads through a department: few begin, most follow within days."""
    if host.department != p.ADOPTING_DEPARTMENT or not builder.chance(p.ADOPTION_SHARE):
        return
    organisation = builder.organisation
    place = float(builder.rng.logistic(p.ADOPTION_MIDDLE_DAYS, p.ADOPTION_SCALE_DAYS))
    begin = organisation.campaign_day + round(max(place, 0.0))
    if begin < organisation.days:
        _client(builder, host, "signal", "signal", range(begin, organisation.days), "messenger-adoption")


def _bot(builder: HabitBuilder, host: Host) -> None:
    """A developer's own bot: a script that nobody else has, from some day on."""
    path, signer, folder = NODE[host.os]
    script = f"{folder}/{host.user.replace('.', '-')}-bot/index.js"
    bot = Program(
        path,
        signer,
        ("Code.exe", "Code.exe") if host.os == "windows" else ("zsh", "-zsh"),
        script.replace("/", "\\") if host.os == "windows" else script,
        status="signed" if signer else "unknown",
    )
    days = range(int(builder.rng.integers(builder.organisation.days)), builder.organisation.days)
    where = "slack-api" if builder.chance(0.5) else "discord"
    builder.add(host, "bot", Habit(where, p.BOT_RATE, days=days), bot)
    builder.add(host, "bot", process_starts(1.0, days=days), bot)


def _server(builder: HabitBuilder, host: Host) -> None:
    """Jobs that tell a channel how they went."""
    rate = p.WEBHOOK_RATES[host.role]
    if host.role == "ci":
        builder.add(host, "ci-notify", Habit("slack-hooks", rate))
        builder.add(host, "ci-notify", process_starts(rate))
    elif host.role == "monitoring":
        builder.add(host, "grafana", Habit("slack-hooks", rate))
    else:
        builder.add(host, "backup-notify", Habit("slack-hooks", rate, hours="backup"))


def _help_desk(builder: HabitBuilder) -> None:
    """Automation of the help desk posts to a Teams channel."""
    support = [h for h in builder.organisation.hosts if h.os == "windows" and h.department == "support" and h.stays]
    rate = p.WEBHOOK_RATES["help desk"]
    for host in support[: max(1, round(len(support) * p.HELP_DESK_SHARE))]:
        builder.add(host, "notify", Habit("teams-hooks", rate))
        builder.add(host, "notify", process_starts(rate))
