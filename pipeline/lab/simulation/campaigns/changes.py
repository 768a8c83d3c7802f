"""Harmless changes that look like news to a baseline: labelled, so that nobody counts them as background."""

from __future__ import annotations

from uncommon_im.pipeline.lab.simulation import parameters as p
from uncommon_im.pipeline.lab.simulation.campaigns.campaign import Campaign
from uncommon_im.pipeline.lab.simulation.campaigns.stage import Stage, Transfer, has_company
from uncommon_im.pipeline.lab.simulation.organisation.programs import INTUNE, Program, developer_id
from uncommon_im.pipeline.lab.simulation.organisation.software_windows import WINDOWS_PROGRAMS

CHANGES = [
    Campaign(
        "messenger-adoption",
        title="A messenger spreads through a department",
        malicious=False,
        expected="base",
        why="the first few hosts are news; after them it is common",
    ),
    Campaign(
        "client-renamed",
        title="An update gives a messenger's client another name",
        malicious=False,
        expected="base",
        why="a program of another name is another program to the baseline, until more than three hosts show it",
    ),
]
"""What happens in the ordinary background: the habits that bring it about carry its name."""


@Campaign(
    "roll-out",
    title="A signed messenger is rolled out within a day",
    malicious=False,
    expected="base",
    why="new to every host that day and one group; on the next day it is common",
)
def roll_out(stage: Stage) -> None:
    if not has_company(stage.organisation):
        return
    client = Program(
        r"C:\Program Files\Cisco Spark\CiscoCollabHost.exe",
        "Cisco Systems, Inc.",
        INTUNE,
        "--silent",
        versions=("45.12.0.33000",),
    )
    day, transfer = stage.day, Transfer("mercury-connection-a.wbx2.com")
    for host in stage.pick_many("windows", round(len(stage.organisation.hosts) * p.ROLL_OUT_SHARE)):
        when = stage.at(host, day, 9 + float(stage.rng.uniform(0, 6)))
        stage.run(host, client, when, transfer, range(0, 120 * 60, 40 * 60))
        for later in stage.days_on(host):
            if later > day and stage.organisation.is_working_day(later):
                stage.connect(host, client, transfer, stage.at(host, later, 10))


@Campaign(
    "new-hire",
    title="A new colleague signs in to the client that all others use",
    malicious=False,
    expected="none",
    why="the host is new, the program is not: more than three other hosts show it",
)
def new_hire(stage: Stage) -> None:
    for host in stage.newcomers("windows"):
        transfer, when = Transfer("teams.microsoft.com"), stage.at(host, host.joined, 9)
        stage.run(host, WINDOWS_PROGRAMS["teams"], when, transfer, range(0, 60 * 60, 15 * 60))


@Campaign(
    "developer-bot",
    title="A developer starts their own bot, which posts to Slack",
    malicious=False,
    expected="uncommon_scripting_engine",
    why="harmless, but to the baseline the same as a malicious script; after three days it is the host's habit",
)
def developer_bot(stage: Stage) -> None:
    bot = Program(
        "/opt/homebrew/bin/node",
        developer_id("Node.js Foundation", "HX7739G8FX"),
        ("zsh", "-zsh"),
        "/Users/{user}/src/release-bot/bot.js",
    )
    for host in stage.pick("macos", department="engineering"):
        for day in stage.days_on(host):
            if stage.organisation.is_working_day(day):
                stage.start(host, bot, stage.at(host, day, 9))
                for hour in (9.25, 11, 14, 16.5):
                    stage.connect(host, bot, Transfer("slack.com"), stage.at(host, day, hour))
