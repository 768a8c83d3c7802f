"""Which exceptions would remove most alerts of a run, as exact as an exception can be."""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.advice.tuning import Activity, Preview, RaisedAlert, Tuning, exception_values

_PROGRAM: Final = ("process_name", "origin", "service_id")
Match = tuple[tuple[str, str], ...]
"""(field of an exception, value in lower case) pairs."""


@dataclass(frozen=True)
class Proposal:
    """An exception that somebody may write, once it is known what it is about.

    Args:
        entry: its globs match nothing but these values.
        alerts: by so many there would be fewer.
        hosts: of these alerts.
        days: of these alerts.
        reasons: of suspicion that they have: a reason not to write it.
        engines: scripting engines that they ran: all scripts that these run there would be hidden, another reason.
    """

    entry: ExceptionEntry
    alerts: int
    hosts: int
    days: int
    reasons: tuple[str, ...]
    engines: tuple[str, ...]


def proposals(tuning: Tuning, preview: Preview, limits: Limits, most: int) -> list[Proposal]:
    """Exceptions for one program and service each, those that remove most first.

    The host is named where only one shows it, and always for scripting engines: an exception cannot name a script, and
    must not hide those of other hosts.

    Args:
        tuning: the evidence.
        preview: of it, with these limits.
        limits: the detector's.
        most: at most so many.
    """
    ranked = sorted(_matches(preview).items(), key=lambda item: (-len(item[1]), item[0]))[:most]
    found = [_proposal(match, alerts, tuning, preview, limits) for match, alerts in ranked]
    return sorted((proposal for proposal in found if proposal.alerts > 0), key=lambda proposal: -proposal.alerts)


def _matches(preview: Preview) -> dict[Match, list[RaisedAlert]]:
    """What exceptions could match -> the alerts that it covers."""
    covered: defaultdict[Match, list[RaisedAlert]] = defaultdict(list)
    hosts: defaultdict[Match, set[str]] = defaultdict(set)
    scripts: defaultdict[Match, bool] = defaultdict(bool)
    for activity in chain((alert.activity for alert in preview.alerts), preview.others):
        program = _values(activity, _PROGRAM)
        hosts[program].add(activity["host"].lower())
        scripts[program] |= bool(activity["script"])
    for alert in preview.alerts:
        program = _values(alert.activity, _PROGRAM)
        narrow = scripts[program] or len(hosts[program]) == 1
        covered[_values(alert.activity, (*_PROGRAM, "host_id")) if narrow else program].append(alert)
    return covered


def _values(activity: Activity, fields: Sequence[str]) -> Match:
    values = exception_values(activity)
    return tuple((field, values[field].lower()) for field in fields)


def _proposal(
    match: Match, covered: Sequence[RaisedAlert], tuning: Tuning, preview: Preview, limits: Limits
) -> Proposal:
    entry = ExceptionEntry(tuple((field, glob.escape(value)) for field, value in match), reason="proposed")
    left = tuning.preview(limits, entry)
    return Proposal(
        entry=entry,
        alerts=preview.verdicts["alert"] - left.verdicts["alert"],
        hosts=len({alert.activity["host"] for alert in covered}),
        days=len({alert.day for alert in covered}),
        reasons=tuple(sorted(set(_reasons(covered)))),
        engines=tuple(sorted({script.partition("|")[0] for alert in covered if (script := alert.activity["script"])})),
    )


def _reasons(alerts: Sequence[RaisedAlert]) -> Iterator[str]:
    for alert in alerts:
        yield from filter(None, alert.activity["reasons"].split(","))
