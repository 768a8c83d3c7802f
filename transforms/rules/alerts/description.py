"""An alert in a few short sentences, with its values (specification, section 8).

A sentence has one idea and at most 25 words. None claims what the event does not report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from uncommon_im.schemas.detector import Limits, Variation
from uncommon_im.transforms.rules.alerts.figures import ActivityFigures, is_new
from uncommon_im.transforms.rules.alerts.investigation import REASONS_IN_WORDS, reasons_of
from uncommon_im.transforms.rules.columns.days import moment_of
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.command_line import engine_name

_CODE_IN_WORDS: Final = {
    "script": "the script {}",
    "module": "the module {}",
    "inline": "code from its command line (hash {})",
    "stdin": "code from standard input",
    "interactive": "an interactive session",
    "unknown": "code that is not reported",
}
"""Kind of a fingerprint's target (section 4) -> what the scripting engine ran."""
_SIGNATURE_IN_WORDS: Final = {"unsigned": "It is not signed", "invalid": "Its signature is not valid"}


def describe(
    activity: Mapping[str, Any],
    service: str,
    client_known_by: str | None,
    variations: Sequence[Variation],
    figures: ActivityFigures,
    limits: Limits,
) -> str:
    """Who, what, where, when, how rare, and why this severity.

    Args:
        activity: a row of `ACTIVITY_SCHEMA`.
        service: its name.
        client_known_by: `signature` or `name`, if it is the service's own client.
        variations: all that hold, the deciding one first.
        figures: those of the activity.
        limits: the lengths of the window and of the guard.
    """
    sentences = [
        f"{activity['process_name']} on {activity['host_name'] or activity['host']} communicated with {service} "
        f"({_destination(activity)}) on {moment_of(activity['event_time']):%Y-%m-%d at %H:%M} UTC",
        *_process(activity),
        *_client(service, client_known_by),
        *_rarity(activity, service, figures, limits),
        *_news(activity, service, figures),
        *_severity(activity, variations, figures),
    ]
    return " ".join(sentence if sentence.endswith(".") else f"{sentence}." for sentence in sentences)


def _destination(activity: Mapping[str, Any]) -> str:
    """Which server it was, and by what it was recognised; a lookup may have no connection after it."""
    host, address = activity["remote_host"], activity["remote_ip"]
    if activity["attribution"] == "domain":
        return f"recognised by the name {host}{' in a lookup' if activity['event_type'] == 'dns' else ''}"
    return f"{f'{host}, ' if host else ''}recognised by the address {address}"


def _process(activity: Mapping[str, Any]) -> Iterator[str]:
    """What it ran, who signed it, what started it, who ran it, and what of that is not reported."""
    if activity["fingerprint"]:
        engine, _, target = activity["fingerprint"].partition("|")
        kind, _, value = target.partition(":")
        who = "It" if engine_name(activity["process_name"]) == engine else f"Behind it, {engine}"
        yield f"{who} ran {_CODE_IN_WORDS[kind].format(value)}"
    status, signer = activity["process_signature_status"] or "unknown", activity["process_signer"]
    parent, user = activity["parent_process_name"], activity["user_name"]
    known = []
    if status == "signed":
        known.append(f"signed by {signer}" if signer else "signed")
    if parent:
        known.append(f"started by {base_name(parent) or parent}")
    if user:
        known.append(f"run by {user}")
    if known:
        yield f"It was {_listed(known)}"
    if status in _SIGNATURE_IN_WORDS and "unsigned" not in reasons_of(activity):
        yield _SIGNATURE_IN_WORDS[status]
    missing = {
        "signature": status == "unknown",
        "signer": status == "signed" and not signer,
        "parent process": not parent,
        "user": not user,
    }
    unknown = [name for name, holds in missing.items() if holds]
    if unknown:
        yield f"Its {_listed(unknown)} {'is' if len(unknown) == 1 else 'are'} not reported"


def _client(service: str, known_by: str | None) -> Iterator[str]:
    """Whether it is the service's own client. A name alone is a claim, which malware makes, too."""
    if known_by == "signature":
        yield f"It is {service}'s own client, by its signature"
    elif known_by:
        yield f"It claims to be {service}'s own client, by its name alone"


def _rarity(activity: Mapping[str, Any], service: str, figures: ActivityFigures, limits: Limits) -> Iterator[str]:
    """How often this program used the service before, and what limits that figure."""
    program = f"the same program with this {_code(activity)}" if activity["script"] else "the same program"
    window = f"In the {_days(limits.training_days)} before"
    yield f"{window}, {program} used {service} {_seen(figures.communication)}"
    if figures.coverage_days < limits.training_days:
        yield f"Telemetry exists for {figures.coverage_days or 'none'} of these days"
    if activity["reasons"] and limits.guard_days:
        yield f"Other hosts are counted without the last {_days(limits.guard_days)}"


def _news(activity: Mapping[str, Any], service: str, figures: ActivityFigures) -> Iterator[str]:
    """What else of it nobody had before."""
    new = ["its binary"] if is_new(figures.binary) else []
    parent = activity["parent_process_name"]
    if parent and is_new(figures.parentage):
        new.append(f"its start by {base_name(parent) or parent}")
    if new:
        yield f"New here, too: {_listed(new)}"
    if is_new(figures.service_use):
        yield f"Nobody else used {service} in these days"


def _severity(activity: Mapping[str, Any], variations: Sequence[Variation], figures: ActivityFigures) -> Iterator[str]:
    """What speaks against the process, in the order of the variations."""
    variation = variations[0]
    reasons = [REASONS_IN_WORDS[reason] for reason in reasons_of(activity)]
    if any(each.id == "uncommon_scripting_engine" for each in variations) and figures.execution:
        reasons.append(f"the {_code(activity)} was seen {_seen(figures.execution)}")
    if len(reasons) > 1:
        yield f"Severity is {variation.severity} for {len(reasons)} reasons"
        yield from (f"{reason[0].upper()}{reason[1:]}" for reason in reasons)
    else:
        rarity = "only its rarity speaks against it" if _is_known(activity, figures) else "only its rarity is known"
        yield f"Severity is {variation.severity} because {reasons[0] if reasons else rarity}"


def _is_known(activity: Mapping[str, Any], figures: ActivityFigures) -> bool:
    """Whether all that could speak against a process is reported, and nothing of it is new."""
    subjects = (figures.binary, figures.parentage)
    known = all(subject is not None and not is_new(subject) for subject in subjects)
    return known and bool(activity["process_path"]) and activity["process_signature_status"] == "signed"


def _code(activity: Mapping[str, Any]) -> str:
    """What a scripting engine ran, in a word."""
    kind = (activity["fingerprint"] or "").partition("|")[2].partition(":")[0]
    return kind if kind in ("script", "module") else "code"


def _seen(prevalence: Mapping[str, int]) -> str:
    """ "on no other host and on 2 days on this host"."""
    hosts, days = _counted(prevalence["other_hosts"], "other host"), _counted(prevalence["host_days"], "day")
    return f"on {hosts} and on {days} on this host"


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'s' if number > 1 else ''}"


def _days(number: int) -> str:
    """A period that ends with the day before: "day", "30 days"."""
    return "day" if number == 1 else f"{number} days"


def _listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
