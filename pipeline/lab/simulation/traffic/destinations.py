"""Where programs connect to: named profiles of destinations with their popularity and addresses."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation import parameters as p

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _profiles(text: str) -> dict[str, tuple[str, ...]]:
    """The hosts of each profile of a text: `NAME: HOST HOST ...`."""
    parts = re.split(r"([\w-]+):\s", text)
    return {name: tuple(hosts.split()) for name, hosts in zip(parts[1::2], parts[2::2], strict=True)}


MESSENGER_HOSTS = _profiles(
    """
    teams: teams.microsoft.com emea.ng.msg.teams.microsoft.com go.trouter.teams.microsoft.com
        statics.teams.cdn.office.net presence.teams.microsoft.com
    slack: wss-primary.slack.com slack.com files.slack.com a.slack-edge.com edgeapi.slack.com
    discord: gateway.discord.gg discord.com cdn.discordapp.com media.discordapp.net
    whatsapp: web.whatsapp.com g.whatsapp.net mmg.whatsapp.net static.whatsapp.net
    zoom: zoom.us us04xmpp1.zoom.us us05web.zoom.us
    google-chat: chat.google.com
    signal: chat.signal.org storage.signal.org cdn2.signal.org updates2.signal.org
    slack-api: slack.com
    slack-hooks: hooks.slack.com
    teams-hooks: corpexample.webhook.office.com
    discord-update: updates.discord.com dl.discordapp.net
    """
)
"""Messengers in ordinary use, by profile."""

ODD_HOSTS = _profiles(
    """
    odd: web.telegram.org t.me web.skype.com app.element.io signal.org www.viber.com line.me threema.ch
        open.rocket.chat chat.zulip.org app.wire.com www.icq.com
    """
)
"""Messengers that nobody here uses; somebody opens a page of theirs now and then."""

_COMMON_SITES = """
www.google.com github.com outlook.office365.com login.microsoftonline.com www.youtube.com www.wikipedia.org
fonts.gstatic.com www.linkedin.com stackoverflow.com ajax.googleapis.com cdn.jsdelivr.net www.amazon.com
docs.google.com www.bing.com api.github.com www.reddit.com
"""
_WORDS = """
amber birch cedar delta ember fjord grove harbor inlet juniper knoll lagoon meadow north orchard prairie
"""
_THINGS = """
bank books cloud data daily forum goods health jobs labs maps media news parts radio shop travel weather
"""

COMMON_SITES, WORDS, THINGS = _COMMON_SITES.split(), _WORDS.split(), _THINGS.split()

LIKE_MESSENGERS = ("odd", "edge-config")
"""Further profiles of hosts that are messengers', or lie under a messenger's domain."""

OTHER_PROFILES = _profiles(
    """
    edge-config: config.edge.skype.com mobile.pipe.aria.microsoft.com
    microsoft: settings-win.data.microsoft.com v10.events.data.microsoft.com self.events.data.microsoft.com
        ctldl.windowsupdate.com slscr.update.microsoft.com fe3cr.delivery.mp.microsoft.com login.live.com
        nexusrules.officeapps.live.com
    mail: outlook.office365.com outlook.office.com autodiscover-s.outlook.com substrate.office.com
    files: corpexample.sharepoint.com corpexample-my.sharepoint.com graph.microsoft.com
    apple: gateway.icloud.com ocsp2.apple.com swscan.apple.com mesu.apple.com gs-loc.apple.com
    linux: updates.corp.example connectivity-check.ubuntu.com api.snapcraft.io changelogs.ubuntu.com
    development: github.com api.github.com objects.githubusercontent.com packages.corp.example mirror.corp.example
    updates: update.googleapis.com clients2.google.com edgedl.me.gvt1.com
    internal: files.corp.example intranet.corp.example git.corp.example print.corp.example dc1.corp.example
    agent: agents.corp.example
    missing: wpad.corp.example printer-3.corp.example isatap.corp.example old-nas.corp.example
        ocsp.expired-vendor.example tracker.gone.example
    """
)

NETWORKS = {
    "messenger": ((162, 159, 128), (3, 68, 160), (52, 113, 192), (157, 240, 20)),
    "internal": ((10, 20, 0),),
    "web": ((104, 16, 0), (151, 101, 0), (142, 250, 0), (23, 34, 0), (18, 164, 0)),
}
"""First three bytes that addresses are drawn from. None lies in a range of the catalogue that counts by default."""


@dataclass(frozen=True)
class Destinations:
    """All destinations, each with a block of addresses, and the profiles' cumulative weights laid end to end.

    Profile `k` owns `choice[start[k]:start[k + 1]]`; its weights, cumulated, plus `k`, stand in `cumulative` there,
    so that one search serves all events of a day.
    """

    hosts: list[str]
    addresses: list[str]
    first_address: Ints
    address_count: Ints
    profiles: dict[str, int]
    cumulative: Floats
    choice: Ints

    def pick(self, profile: Ints, rng: np.random.Generator) -> Ints:
        """One destination for each given profile."""
        where = np.searchsorted(self.cumulative, profile + rng.random(len(profile)), side="right")
        return self.choice[np.minimum(where, len(self.choice) - 1)]

    def pick_address(self, destination: Ints, rng: np.random.Generator) -> Ints:
        """One address (an index into `addresses`) for each given destination."""
        count = self.address_count[destination]
        return self.first_address[destination] + np.floor(rng.random(len(destination)) * count).astype(np.int64)


def web_sites() -> list[str]:
    """The web, most popular first: well-known sites, then invented ones under a reserved top-level domain."""
    sites = list(COMMON_SITES)
    n = 0
    while len(sites) < p.WEB_SITES:
        word, thing, more = WORDS[n % 16], THINGS[n // 16 % 18], n // 288
        sites.append(f"www.{word}{thing}{more or ''}.example")
        n += 1
    return sites


def build_destinations(vendors: list[str]) -> Destinations:
    """All profiles; `vendors` are names of makers of local programs, each with an update server of its own."""
    ranks = np.arange(1, p.WEB_SITES + 1, dtype=np.float64)
    wanted: dict[str, tuple[tuple[str, ...], Floats]] = {"web": (tuple(web_sites()), ranks**-p.WEB_ZIPF)}
    for group in (MESSENGER_HOSTS, OTHER_PROFILES, ODD_HOSTS):
        for name, hosts in group.items():
            wanted[name] = (hosts, np.arange(1, len(hosts) + 1, dtype=np.float64) ** -0.7)
    for vendor in vendors:
        wanted[vendor] = ((f"update.{vendor}.example",), np.ones(1))

    index: dict[str, int] = {}
    cumulative: list[Floats] = []
    choice: list[int] = []
    for k, (hosts, weights) in enumerate(wanted.values()):
        cumulative.append(k + np.cumsum(weights) / weights.sum())
        cumulative[-1][-1] = k + 1.0
        choice += [index.setdefault(host, len(index)) for host in hosts]
    addresses: list[str] = []
    first, count = [], []
    for host in index:
        own = addresses_of(host)
        first.append(len(addresses))
        count.append(len(own))
        addresses += own
    return Destinations(
        hosts=list(index),
        addresses=addresses,
        first_address=np.array(first),
        address_count=np.array(count),
        profiles={name: k for k, name in enumerate(wanted)},
        cumulative=np.concatenate(cumulative),
        choice=np.array(choice, dtype=np.int64),
    )


def addresses_of(host: str) -> list[str]:
    """One to four addresses that always belong to this host name."""
    messengers = {name for hosts in MESSENGER_HOSTS.values() for name in hosts}
    kind = "messenger" if host in messengers or host in ODD_HOSTS["odd"] else "web"
    kind = "internal" if host.endswith(".corp.example") else kind
    digest = zlib.crc32(host.encode())
    a, b, c = NETWORKS[kind][digest % len(NETWORKS[kind])]
    third = c + (digest >> 8) % (1 if kind == "internal" else 28)
    return [f"{a}.{b}.{third}.{1 + (digest >> 16) % 250 + i}" for i in range(1 + (digest >> 4) % 4)]
