"""Every number of the simulated organisation, with its unit and where it comes from.

Sources, by the short name used below:

lab         records of public attack laboratories and of a student competition (Sysmon, Zeek), measured: they give
            the shape, not the truth about an enterprise
LANL        LANL "Comprehensive, Multi-Source Cyber-Security Events" (csr.lanl.gov/data/cyber1): 415 process starts,
            127 flows and 40 lookups per computer and day, internal traffic only
Schomp      Schomp et al. 2016, "Towards a model of DNS client behavior": a lookup precedes over 60 % of connections
judgement   nobody has published the figure; chosen so that the whole is believable
"""

from __future__ import annotations

from datetime import date

FIRST_DAY = date(2026, 1, 5)
"""First UTC day unless the caller says otherwise: a Monday."""

# --- volume -----------------------------------------------------------------------------------------------------

EVENTS_PER_WORKING_DAY = 730.0
"""Events per host and working day on which it is on, 550 of them connections and lookups (judgement; lab: 70 in the
median and 277 at the 90th percentile within the minutes of a capture)."""
PROCESS_START_SHARE = 0.25
"""Share of process starts among ordinary events (LANL says 71 %; kept low, as they are only the baseline's food)."""
LIVELINESS = 0.35
"""Standard deviation of the logarithm of how much is done on a host (judgement)."""
LOOKUP_BEFORE_CONNECTION = 0.45
"""Share of connections whose lookup is recorded too (Schomp: over 60 %; lab: 54 % of connections joined one)."""
LOOKUP_BY_RESOLVER = 0.5
"""Share of those lookups that the system's resolver makes for the program (judgement)."""
LOOKUP_LEAD_SECONDS = (0.005, 0.25)
"""How long before its connection a lookup is made (lab: 207 of 264 within a second)."""
FAILED_LOOKUP_SHARE = 0.15
"""Lookups of names that do not exist, a share of the connections' lookups (judgement: 10 to 25 %; lab: 78 %)."""
LOOKUP_TIMEOUT_SHARE = 0.02
"""Share of ordinary lookups that fail nevertheless (judgement)."""
NAMELESS_SHARE = 0.06
"""Share of ordinary connections for which the agent saw no host name (judgement; Sysmon alone: 99 %, lab)."""

# --- skew -------------------------------------------------------------------------------------------------------

WEB_SITES = 20_000
"""Distinct web sites that there are to visit (judgement)."""
WEB_ZIPF = 1.3
"""Zipf exponent of their popularity (lab: 1.26 by lookups, 1.48 by TLS server name)."""
EVERYDAY_CONNECTIONS = (
    ("chrome", "web", 34.0),
    ("chrome", "internal", 4.0),
    ("edge", "web", 10.0),
    ("edge", "internal", 2.0),
    ("firefox", "web", 2.0),
    ("outlook", "mail", 8.0),
    ("word", "files", 1.5),
    ("excel", "files", 1.5),
    ("onedrive", "files", 4.0),
    ("svchost", "microsoft", 5.0),
    ("defender", "microsoft", 2.5),
    ("background", "microsoft", 2.0),
    ("updater", "updates", 1.5),
)
"""Programs, what they connect to, and how often, relative to one another (judgement, so that five of them come to two
thirds of the connections, as in the lab)."""
EVERYDAY_STARTS = {
    "chrome": 6.0,
    "edge": 3.0,
    "svchost": 5.0,
    "conhost": 4.0,
    "runtime": 5.0,
    "background": 4.0,
    "updater": 1.0,
    "word": 1.0,
    "excel": 1.0,
    "outlook": 1.0,
}
"""How often programs are started, relative to one another (judgement)."""
DEVELOPER_CONNECTIONS = {"code": 4.0, "git": 5.0, "python": 2.0}
"""The same of a developer's tools; they are started as often."""
LOCAL_PROGRAMS = (2, 6)
"""Least and most programs that only this host or few others have."""
LOCAL_PROGRAM_NAMES = 6.0
"""Distinct names per host that such programs are drawn from: more than half of all are on one host (lab: 56 %)."""

# --- people -----------------------------------------------------------------------------------------------------

OS_SHARES = {"windows": 0.70, "macos": 0.20, "linux": 0.10}
"""Operating systems of workstations (judgement)."""
SERVERS_PER_HOST = 0.06
"""Linux servers per host: CI, monitoring, backup in turn (judgement)."""
OFFICES = (("ham", 1, 0.5), ("lon", 0, 0.3), ("nyc", -5, 0.2))
"""Offices: code, hours ahead of UTC (winter), share of the workstations (judgement)."""
DEPARTMENTS = {"engineering": 0.30, "sales": 0.25, "support": 0.20, "finance": 0.15, "marketing": 0.10}
"""Departments and their shares of the people (judgement)."""
HOURS = {
    "work": (0, 0, 0, 0, 0, 0, 0.5, 2, 6, 9, 10, 9, 6, 8, 9, 9, 8, 6, 3, 1.5, 1, 0.7, 0.3, 0.1),
    "early": (0, 0, 0, 0, 0.5, 4, 9, 10, 9, 8, 6, 9, 9, 7, 3, 1) + (0.3,) * 4 + (0,) * 4,
    "late": (0.5,) + (0,) * 10 + (0.5, 2, 5, 9, 10, 9, 8, 6, 9, 9, 8, 5, 2),
    "night": (9, 9, 8, 6, 8, 7, 3, 0.5) + (0,) * 12 + (0.5, 3, 8, 9),
    "flat": (1,) * 24,
    "backup": (0, 2, 5, 4, 1) + (0,) * 19,
    "morning": (0,) * 6 + (0.5, 2, 6, 4, 1) + (0,) * 13,
}
"""Weight of each local hour by time of day: the working day, the three shifts of those who have shifts, servers,
their nightly jobs, and what is done when somebody signs in (judgement)."""
SHIFTS = {"support": {"work": 0.5, "early": 0.2, "late": 0.2, "night": 0.1}}
"""Departments with shifts, and the shares of their people in each (judgement)."""
AT_WORK = 0.95
"""Chance that a workstation is used on a working day: illness, travel, meetings (judgement)."""
HOLIDAY_EVERY_DAYS = 90
"""Each person is away once in so many days (judgement) ..."""
HOLIDAY_DAYS = (5, 16)
"""... for at least this many calendar days, and fewer than that."""
WEEKEND_ON = 0.2
"""Chance that a laptop is on on a day of the weekend (judgement)."""
WEEKEND_ACTIVITY = 0.3
"""How much happens there then, against a working day (judgement)."""
DESKTOP_SHARE = 0.1
"""Share of workstations that stay on at the weekend (judgement)."""
NEW_HOSTS_PER_MONTH = 0.03
"""New workstations per workstation and 30 days, at least one while the campaigns run (judgement) ..."""
REPLACEMENT_SHARE = 0.5
"""... of which this share replaces an older machine of a colleague, the others are new hires'."""

FIRST_REPLACEMENT = 5
"""Working days before the first of them, so that each machine is seen."""

# --- software ---------------------------------------------------------------------------------------------------

UPDATE_WAVE_DAYS = 5
"""Days from the first host that gets a new version, or a renamed client, to the last (judgement)."""
UPDATE_SPREAD_DAYS = 14
"""Programs are updated on different days within so many (judgement)."""

# --- telemetry --------------------------------------------------------------------------------------------------

HOST_GAP_RATE = 0.002
"""Chance, per host and day, that its agent falls silent (judgement) ..."""
HOST_GAP_DAYS = (2, 9)
"""... for at least this many days, and fewer than that."""
DAYS_AFTER_GAP = 21
"""Days after a gap of the whole organisation, to the end: after three lost weeks a detector learns for two."""
DELIVERY_SECONDS = 5.0
"""Mean delay of an event that is not late (lab: 3.4 s in the median, collectors with lab clocks)."""
LATE_SHARE = 0.05
"""Share of events that arrive more than `LATE_SECONDS` later (judgement; lab: 9 % after more than a day) ..."""
LATE_SECONDS = 600
"""... and by how much more in the mean:"""
LATE_MEAN_SECONDS = 7_200
DAY_LATE_SHARE = 0.001
"""Share of events that arrive more than a day later, up to three (judgement)."""
DUPLICATE_SHARE = 0.01
"""Share of events that are delivered twice (judgement)."""

# --- instant messaging ------------------------------------------------------------------------------------------
# No public figure was found for messaging as a share of endpoint connections. Lab: 0.4 % of lookups, 0.2 % of TLS.
# The rates below are connections per working day; with their lookups they come to 0.5 to 1 % of all events. Of the
# connections of 500 hosts native clients (and what they embed) make 84 %, browsers 7 %, integrations 9 %.

CLIENT_RATE = 1.5
"""Connections of a native client per working day."""
CLIENT_SHARES = {
    "teams": {"engineering": 0.6, "sales": 1.0, "support": 0.9, "finance": 1.0, "marketing": 1.0},
    "slack": {"engineering": 1.0, "sales": 0.1, "support": 0.7, "finance": 0.0, "marketing": 0.3},
    "zoom": {"engineering": 0.2, "sales": 0.7, "support": 0.3, "finance": 0.2, "marketing": 0.4},
    "whatsapp": {"engineering": 0.0, "sales": 0.5, "support": 0.1, "finance": 0.0, "marketing": 0.4},
    "discord": {"engineering": 0.4, "sales": 0.0, "support": 0.2, "finance": 0.0, "marketing": 0.0},
}
"""Who has which native client, by department (judgement; a poll of 2016: 57 % of organisations use two or more)."""
WEB_CLIENT_SHARE = 0.35
"""Share of people who keep a messenger's web client open in the browser."""
WEB_CLIENT_RATE = 0.9
"""Its connections per working day."""
ODD_VISIT_RATE = 0.004
"""Visits to a messenger nobody here uses, per host and working day: an invitation, a link, a help page."""
EDGE_TELEMETRY_RATE = 3.0
"""Lookups of config.edge.skype.com by Edge and Windows, per Windows host and day on which it is on (lab: 95 % of what
looked like messaging in Sysmon was this)."""
WEBHOOK_RATES = {"help desk": 2.0, "ci": 5.0, "monitoring": 3.0, "backup": 1.5}
"""Posts to a channel per day, by who posts: a help desk's automation, a CI runner, monitoring, a backup tool."""
HELP_DESK_SHARE = 0.04
"""Share of the support department's Windows hosts that run the help desk's automation, at least one."""
BOT_SHARE = 0.04
"""Share of the engineers who have a bot of their own, begun on some day (judgement) ..."""
BOT_RATE = 3.0
"""... and its calls per working day."""
ADOPTING_DEPARTMENT = "marketing"
"""The department through which a messenger spreads: Signal, from colleague to colleague (judgement) ..."""
ADOPTION_SHARE = 0.8
"""... until this share of it has it ..."""
ADOPTION_MIDDLE_DAYS = 3
"""... half of them this many days after campaigns begin ..."""
ADOPTION_SCALE_DAYS = 2.0
"""... along a logistic curve of this scale: from 12 % to 88 % of them in four times as long."""

# --- campaigns --------------------------------------------------------------------------------------------------

CAMPAIGN_DAY = 32
"""Campaigns begin on this day of the telemetry (0 = the first) or, as the seed says, later: the baseline is full."""
CAMPAIGN_START_SHARE = 0.72
"""In shorter telemetry they begin after this share of it (the detector may then still be learning)."""
RENAME_AFTER_DAYS = 5
"""The first host gets a renamed client so many days after that."""
ROLL_OUT_SHARE = 0.25
"""Share of the hosts that get the new messenger in the roll-out."""
OUTBREAK_HOSTS = 200
"""Hosts that the outbreak reaches within an hour ..."""
OUTBREAK_SHARE = 0.4
"""... but no more than this share of the Windows workstations, and at least 3."""
ORDINARY_COMPANY = 20
"""Hosts an organisation needs before the campaigns that presuppose company (new hire, roll-out) are planted."""
