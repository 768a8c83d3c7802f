"""Ordinary messaging: clients, browsers, adoption of a new messenger, automation, bots, and what only looks like it."""

from __future__ import annotations

from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import Habit, HabitBuilder, process_starts, wave_lag


def add_messaging(builder: HabitBuilder) -> None:
    """The messaging habits of all hosts."""
    for host in builder.organisation.hosts:
        if host.os == "windows":
            builder.add(host, "edge", Habit("edge-config", p.edge_telemetry_rate * 0.7))
            builder.add(host, "background", Habit("edge-config", p.edge_telemetry_rate * 0.3, hours="flat"))
        if host.is_server:
            _server(builder, host)
            continue
        _clients(builder, host)
        _browser(builder, host)
        _adopt(builder, host)
        if host.department == "engineering" and builder.chance(p.bot_share):
            _bot(builder, host)
    _help_desk(builder)


def _clients(builder: HabitBuilder, host: Host) -> None:
    """Native clients by department."""
    for key, shares in p.client_shares.items():
        if not builder.chance(shares[host.department]):
            continue
        if key == "whatsapp" and host.os == "windows":
            _renamed(builder, host, key, "whatsapp-root", "client-renamed")
            continue
        _client(builder, host, key, key)
        if key == "teams":
            builder.add(host, "webview", Habit("teams", p.client_rate / 3))
            builder.add(host, "outlook", Habit("teams", 0.1 * (host.os == "windows")))
        if key == "discord":
            builder.add(host, "discord-update", Habit("discord-update", 0.5, hours="morning"))


def _client(
    builder: HabitBuilder, host: Host, key: str, where: str, days: range | None = None, label: str | None = None
) -> None:
    builder.add(host, key, Habit(where, p.client_rate, days=days, label=label))
    builder.add(host, key, process_starts(1.0, hours="morning", days=days, label=label))


def _renamed(builder: HabitBuilder, host: Host, old: str, new: str, label: str) -> None:
    """A client whose program gets another name with an update."""
    organisation = builder.organisation
    change = min(organisation.campaign_day + p.rename_after_days + wave_lag(host), organisation.days)
    _client(builder, host, old, old, range(change))
    _client(builder, host, new, old, range(change, organisation.days), label)


def _browser(builder: HabitBuilder, host: Host) -> None:
    """A web client for some, an odd visit now and then."""
    browser = "chrome" if builder.chance(0.75) or host.os != "windows" else "edge"
    favourite = ("teams", "whatsapp", "google-chat", "slack")[int(builder.rng.integers(4))]
    if builder.chance(p.web_client_share):
        builder.add(host, browser, Habit(favourite, p.web_client_rate))
    builder.add(host, browser, Habit("odd", p.odd_visit_rate))


def _adopt(builder: HabitBuilder, host: Host) -> None:
    """A messenger that spreads through a department: few begin, most follow within days."""
    if host.department != p.adopting_department or not builder.chance(p.adoption_share):
        return
    organisation = builder.organisation
    place = float(builder.rng.logistic(p.adoption_middle_days, p.adoption_scale_days))
    begin = organisation.campaign_day + round(max(place, 0.0))
    if begin < organisation.days:
        _client(builder, host, "signal", "signal", range(begin, organisation.days), "messenger-adoption")


def _bot(builder: HabitBuilder, host: Host) -> None:
    """A developer's own bot: a script that nobody else has, from some day on."""
    days = range(int(builder.rng.integers(builder.organisation.days)), builder.organisation.days)
    where = "slack-api" if builder.chance(0.5) else "discord"
    builder.add(host, "bot", Habit(where, p.bot_rate, days=days))
    builder.add(host, "bot", process_starts(1.0, days=days))


def _server(builder: HabitBuilder, host: Host) -> None:
    """Jobs that tell a channel how they went."""
    rate = p.webhook_rates[host.role]
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
    rate = p.webhook_rates["help desk"]
    for host in support[: max(1, round(len(support) * p.help_desk_share))]:
        builder.add(host, "notify", Habit("teams-hooks", rate))
        builder.add(host, "notify", process_starts(rate))
