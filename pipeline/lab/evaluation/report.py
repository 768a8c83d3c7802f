"""Scores of several organisations, added up: what `uncommon-im evaluate` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from uncommon_im.pipeline.lab.evaluation.intervals import Estimate, ratio, share
from uncommon_im.pipeline.lab.evaluation.scoring import LEARNING_DAYS, Alert, CampaignScore, Score

PER_HOSTS = 1_000
"""Rates are alerts per day for so many hosts."""


def report_of(scores: Sequence[Score]) -> dict[str, Any]:
    """All figures of one detector over some organisations, as JSON has them.

    Rates are alerts per 1,000 hosts per day, after the learning days. Recall by severity counts malicious campaigns
    with an alert of that severity, whatever others they have. Recall by class names what was missed. Intervals are
    95 %, as `intervals` says.
    """
    return {
        "organisations": len(scores),
        "hosts": [score.organisation.hosts for score in scores],
        "days": [score.organisation.days for score in scores],
        "learning_days": LEARNING_DAYS,
        "recall": recall(scores)._asdict(),
        "recall_by_severity": {
            name: recall(scores, _alerts_with(name))._asdict() for name in _names(scores, lambda alert: alert.severity)
        },
        "recall_by_class": [
            _of_class(kind, scores) for kind in sorted({each.campaign.kind for each in _malicious(scores)})
        ],
        "told_as_expected": {
            name: told_as_expected(scores, name)._asdict()
            for name in sorted({each.campaign.expected for each in _malicious(scores)} - {"none"})
        },
        "alerts_per_1000_hosts_per_day": {
            "all": rate(scores, lambda score, alert: True)._asdict(),
            "about_nothing_malicious": rate(scores, lambda score, alert: not score.is_true(alert))._asdict(),
            "by_variation": {
                name: rate(scores, _is_of(name))._asdict() for name in _names(scores, lambda alert: alert.variation)
            },
        },
        "precision": {
            "all": precision(scores)._asdict(),
            "by_severity": {
                name: precision(scores, name)._asdict() for name in _names(scores, lambda alert: alert.severity)
            },
        },
        "alerts": sum(len(score.alerts) for score in scores),
        "alerts_in_learning_days": sum(len(score.learning) for score in scores),
        "campaigns": [_of_campaign(each) for each in _by_campaign(scores)],
    }


def recall(scores: Iterable[Score], counts: Callable[[CampaignScore], bool] = lambda each: each.detected) -> Estimate:
    """Malicious campaigns that count (that were detected), a share of those that were planted."""
    planted = _malicious(scores)
    return share(sum(map(counts, planted)), len(planted))


def told_as_expected(scores: Iterable[Score], variation: str) -> Estimate:
    """Malicious campaigns with an alert of the variation that is expected of them, a share of those of which it is."""
    planted = [each for each in _malicious(scores) if each.campaign.expected == variation]
    return share(sum(any(alert.variation == variation for alert in each.alerts) for each in planted), len(planted))


def rate(scores: Sequence[Score], counts: Callable[[Score, Alert], bool]) -> Estimate:
    """Alerts that count, per 1,000 hosts per day."""
    numbers = [PER_HOSTS * sum(counts(score, alert) for alert in score.alerts) for score in scores]
    return ratio(numbers, [score.host_days for score in scores])


def precision(scores: Sequence[Score], severity: str | None = None) -> Estimate:
    """Alerts about something malicious, a share of all of a severity (or of any)."""
    chosen = [[alert for alert in score.alerts if severity in (None, alert.severity)] for score in scores]
    true = [sum(map(score.is_true, alerts)) for score, alerts in zip(scores, chosen, strict=True)]
    return ratio(true, [len(alerts) for alerts in chosen])


def _malicious(scores: Iterable[Score]) -> list[CampaignScore]:
    return [each for score in scores for each in score.campaigns if each.campaign.malicious]


def _alerts_with(severity: str) -> Callable[[CampaignScore], bool]:
    return lambda each: any(alert.severity == severity for alert in each.alerts)


def _is_of(variation: str) -> Callable[[Score, Alert], bool]:
    return lambda score, alert: alert.variation == variation


def _names(scores: Iterable[Score], of: Callable[[Alert], str]) -> list[str]:
    return sorted({of(alert) for score in scores for alert in score.alerts} - {""})


def _by_campaign(scores: Iterable[Score]) -> list[list[CampaignScore]]:
    """The scores of each campaign, malicious campaigns first, else in the order in which they were planted."""
    grouped: dict[str, list[CampaignScore]] = {}
    for score in scores:
        for each in score.campaigns:
            grouped.setdefault(each.campaign.name, []).append(each)
    return sorted(grouped.values(), key=lambda group: not group[0].campaign.malicious)


def _of_class(kind: str, scores: Iterable[Score]) -> dict[str, Any]:
    """What was found of a class of malicious campaigns, and how often which of them was missed."""
    planted = [each for each in _malicious(scores) if each.campaign.kind == kind]
    missed = Counter(each.campaign.name for each in planted if not each.detected)
    found = len(planted) - missed.total()
    return {
        "class": kind,
        "planted": len(planted),
        "detected": found,
        "recall": share(found, len(planted))._asdict(),
        "missed": dict(sorted(missed.items())),
    }


def _of_campaign(group: Sequence[CampaignScore]) -> dict[str, Any]:
    campaign = group[0].campaign
    delays = [each.delay_seconds for each in group if each.delay_seconds is not None]
    return {
        "campaign": campaign.name,
        "title": campaign.title,
        "class": campaign.kind,
        "technique": campaign.technique,
        "malicious": campaign.malicious,
        "expected_variation": campaign.expected,
        "planted": len(group),
        "detected": sum(each.detected for each in group),
        "hidden": sum(each.hidden for each in group),
        "share_detected": share(sum(each.detected for each in group), len(group))._asdict(),
        "seconds_to_first_alert": {"median": median(delays), "most": max(delays)} if delays else None,
        "alerts": {"median": median(len(each.alerts) for each in group), "most": max(len(e.alerts) for e in group)},
        "hosts": sum(each.hosts for each in group),
        "hosts_told": sum(each.alerted_hosts for each in group),
        "variations": dict(sorted(Counter(alert.variation for each in group for alert in each.alerts).items())),
    }
