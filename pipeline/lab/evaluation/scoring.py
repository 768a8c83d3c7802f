"""What a detector made of one simulated organisation: each campaign found or not, each alert explained or not.

Any detector can be scored whose alerts name an event: all of them are judged by the same activities (specification,
section 1), whatever they group by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US, SECOND_US

LEARNING_DAYS: Final = Limits().activation_days
"""Days at the start that are counted apart: the activation period (specification, section 6)."""
_DEDUPLICATION_US: Final = Limits().deduplication_hours * HOUR_US
"""An alert speaks for its subject for so long (specification, section 7, deduplication)."""


class Subject(NamedTuple):
    """Who talks to whom: what an alert speaks for until it may be repeated. `script` is the reduced one."""

    host: str
    program: str
    origin: str
    script: str
    service: str


class Activity(NamedTuple):
    """The communications of one hour that one alert stands for; `hour` in hours since 1970."""

    host: str
    program: str
    origin: str
    script: str
    service: str
    hour: int


class Communication(NamedTuple):
    """One communication; `time` in µs since 1970."""

    activity: Activity
    subject: Subject
    time: int


class Alert(msgspec.Struct, frozen=True, order=True):
    """An alert as far as it is scored. Detectors without variations or severities of their own leave them empty."""

    event_id: str
    severity: str = ""
    variation: str = ""


class Campaign(msgspec.Struct, frozen=True):
    """A line of `labels.jsonl`: what was planted, of which class, and which events that were."""

    name: str = msgspec.field(name="campaign")
    title: str
    technique: str
    malicious: bool
    expected: str = msgspec.field(name="expected_variation")
    event_ids: tuple[str, ...] = ()
    kind: str = msgspec.field(name="class", default="")


@dataclass(frozen=True)
class Organisation:
    """What was recorded of one organisation.

    Args:
        hosts: distinct hosts that delivered events.
        first_day: day number of the first event.
        days: days from then to the last event, both included.
        communications: event id -> what it is part of. Events that are no communication are left out.
        campaigns: what was planted.
    """

    hosts: int
    first_day: int
    days: int
    communications: Mapping[str, Communication]
    campaigns: Sequence[Campaign]


@dataclass(frozen=True)
class CampaignScore:
    """What became of one campaign.

    Args:
        campaign: which.
        alerts: those about one of its activities, in order of time.
        hidden: it has none of its own, but an alert about the same program, service and host was less than a day old:
            deduplication suppresses another one.
        hosts: hosts on which it communicates.
        alerted_hosts: those of them that an alert names.
        delay_seconds: from its first communication to the first alert, 0 if it is hidden; `None`: there is none.
    """

    campaign: Campaign
    alerts: Sequence[Alert]
    hidden: bool
    hosts: int
    alerted_hosts: int
    delay_seconds: float | None

    @property
    def detected(self) -> bool:
        """Whether there was an alert about it, or about the same subject shortly before."""
        return bool(self.alerts) or self.hidden


@dataclass(frozen=True)
class Score:
    """One detector's score on one organisation.

    Args:
        organisation: which.
        campaigns: one score each of those that communicate.
        alerts: all alerts after the learning days, in order of time.
        learning: alerts in the learning days.
        explained: alert -> its campaigns, malicious ones first; only alerts that have one.
    """

    organisation: Organisation
    campaigns: Sequence[CampaignScore]
    alerts: Sequence[Alert]
    learning: Sequence[Alert]
    explained: Mapping[Alert, Sequence[Campaign]] = field(repr=False)

    def is_true(self, alert: Alert) -> bool:
        """Whether an alert is about a malicious campaign."""
        return any(campaign.malicious for campaign in self.explained.get(alert, ()))

    @property
    def host_days(self) -> int:
        """Hosts times days after the learning days."""
        return self.organisation.hosts * max(self.organisation.days - LEARNING_DAYS, 0)


def score(organisation: Organisation, alerts: Iterable[Alert]) -> Score:
    """Scores alerts. One belongs to a campaign if its event shares an activity with one of the campaign's.

    A campaign whose alerts flood control rolled up, and that has no alert at all, is not detected.

    Args:
        organisation: what was recorded, and what was planted.
        alerts: in any order, each about one of the organisation's communications.

    Raises:
        KeyError: an alert is about another event.
    """
    communications = organisation.communications
    ordered = sorted(alerts, key=lambda alert: (communications[alert.event_id].time, alert))
    by_activity: defaultdict[Activity, list[Alert]] = defaultdict(list)
    moments: defaultdict[Subject, list[int]] = defaultdict(list)
    for alert in ordered:
        communication = communications[alert.event_id]
        by_activity[communication.activity].append(alert)
        moments[communication.subject].append(communication.time)
    explained: defaultdict[Alert, list[Campaign]] = defaultdict(list)
    scores = []
    for campaign in sorted(organisation.campaigns, key=lambda campaign: not campaign.malicious):
        events = [communications[event_id] for event_id in campaign.event_ids if event_id in communications]
        if events:
            scores.append(_score(campaign, events, by_activity, moments, communications))
            for alert in scores[-1].alerts:
                explained[alert].append(campaign)
    start = (organisation.first_day + LEARNING_DAYS) * DAY_US
    return Score(
        organisation,
        scores,
        [alert for alert in ordered if communications[alert.event_id].time >= start],
        [alert for alert in ordered if communications[alert.event_id].time < start],
        explained,
    )


def _score(
    campaign: Campaign,
    events: Sequence[Communication],
    by_activity: Mapping[Activity, Sequence[Alert]],
    moments: Mapping[Subject, Sequence[int]],
    communications: Mapping[str, Communication],
) -> CampaignScore:
    mine = [alert for activity in {event.activity for event in events} for alert in by_activity.get(activity, ())]
    mine.sort(key=lambda alert: (communications[alert.event_id].time, alert))
    hidden = not mine and any(_alert_before(event, moments.get(event.subject, ())) for event in events)
    delay = 0.0 if hidden else None
    if mine:
        first = min(event.time for event in events)
        delay = max(communications[mine[0].event_id].time - first, 0) / SECOND_US
    return CampaignScore(
        campaign=campaign,
        alerts=mine,
        hidden=hidden,
        hosts=len({event.activity.host for event in events}),
        alerted_hosts=len({communications[alert.event_id].activity.host for alert in mine}),
        delay_seconds=delay,
    )


def _alert_before(event: Communication, moments: Sequence[int]) -> bool:
    return any(event.time - _DEDUPLICATION_US < moment <= event.time for moment in moments)
