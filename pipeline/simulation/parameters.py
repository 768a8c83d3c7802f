"""Every number of the simulated organisation, with its unit and where it comes from.

Sources, by the short name used below:

lab         records of public attack laboratories and of a student competition (Sysmon, Zeek), measured: they give
            the shape, not the truth about an enterprise
LANL        LANL "Comprehensive, Multi-Source Cyber-Security Events" (csr.lanl.gov/data/cyber1): 415 process starts,
            127 flows and 40 lookups a computer-day, internal traffic only
Schomp      Schomp et al. 2016, "Towards a model of DNS client behavior": a lookup precedes over 60 % of connections
judgement   nobody has published the figure; chosen so that the whole is believable
"""

from __future__ import annotations

from datetime import date

FIRST_DAY = date(2026, 1, 5)
"""First UTC day unless the caller says otherwise: a Monday."""

# --- volume -----------------------------------------------------------------------------------------------------

EVENTS_PER_HOST_DAY = 150.0
"""Events a host and calendar day, weekends included (lab: median 70 network and DNS events, 90th percentile 277)."""
PROCESS_START_SHARE = 0.25
"""Share of process starts among ordinary events (LANL says 71 %; kept low, as they are only the baseline's food)."""
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

WEB_SITES = 3000
"""Distinct web sites that the organisation visits (judgement: 20,000 would suit 500 hosts)."""
WEB_ZIPF = 1.3
"""Zipf exponent of their popularity (lab: 1.26 by lookups, 1.48 by TLS server name)."""
LOCAL_PROGRAMS = (2, 6)
"""Least and most programs that only this host or few others have (lab: 56 % of process names on one host)."""
LOCAL_PROGRAM_NAMES = 400
"""Distinct names such programs are drawn from (judgement)."""

# --- people -----------------------------------------------------------------------------------------------------

OS_SHARES = {"windows": 0.70, "macos": 0.20, "linux": 0.10}
"""Operating systems of workstations (judgement)."""
SERVERS_PER_HOST = 0.06
"""Linux servers a host: CI, monitoring, backup in turn (judgement)."""
OFFICES = (("ham", 1, 0.5), ("lon", 0, 0.3), ("nyc", -5, 0.2))
"""Offices: code, hours ahead of UTC (winter), share of the workstations (judgement)."""
DEPARTMENTS = {"engineering": 0.30, "sales": 0.25, "support": 0.20, "finance": 0.15, "marketing": 0.10}
"""Departments and their shares of the people (judgement)."""
AT_WORK = 0.93
"""Chance that a workstation is used on a working day: holidays, illness, travel (judgement)."""
WEEKEND_ON = 0.25
"""Chance that a workstation is on on a day of the weekend (judgement)."""
WEEKEND_ACTIVITY = 0.3
"""How much happens there then, against a working day (judgement)."""

# --- telemetry --------------------------------------------------------------------------------------------------

DAYS_AFTER_GAP = 21
"""Days after a gap of the whole organisation, to the end: after three lost weeks a detector learns for two."""

# --- instant messaging ------------------------------------------------------------------------------------------
# No public figure was found for messaging as a share of endpoint connections. Lab: 0.4 % of lookups, 0.2 % of TLS.
# The rates below are connections a working day; with their lookups they come to 1 to 2 % of all events, of which
# about 85 % by native clients, 13 % by browsers and 2 % by integrations.

CLIENT_RATE = 1.2
"""Connections of a native client a working day."""
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
"""Its connections a working day."""
ODD_VISIT_RATE = 0.004
"""Visits to a messenger nobody here uses, a host and working day: an invitation, a link, a help page."""
EDGE_TELEMETRY_RATE = 3.0
"""Lookups of config.edge.skype.com by Edge and Windows, a Windows host and day it is on (lab: 95 % of what looked
like messaging in Sysmon was this)."""

# --- campaigns --------------------------------------------------------------------------------------------------

CAMPAIGN_DAY = 32
"""Campaigns begin on this day of the telemetry (0 = the first): the baseline is full by then."""
CAMPAIGN_START_SHARE = 0.72
"""In shorter telemetry they begin after this share of it (the detector may then still be learning)."""
ROLL_OUT_SHARE = 0.25
"""Share of the hosts that get the new messenger in the roll-out."""
OUTBREAK_SHARE = 0.12
"""Share of the hosts that the outbreak reaches within an hour, at least 3."""
ORDINARY_COMPANY = 20
"""Hosts an organisation needs before the campaigns that presuppose company (new hire, roll-out) are planted."""
