"""An alert in one sentence, with its values (specification, section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from uncommon_im.schemas.detector import Limits, Variation
from uncommon_im.transforms.rules.alerts.investigation import REASONS_IN_WORDS
from uncommon_im.transforms.rules.baseline.rareness import Rareness
from uncommon_im.transforms.rules.columns.days import moment_of
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.destination import MATCHED_BY


def describe(
    activity: Mapping[str, Any],
    service: str,
    reasons: Sequence[str],
    card: Variation,
    matched: Sequence[str],
    rareness: Rareness,
    limits: Limits,
) -> str:
    """Who, what, where, when, how rare, and why this severity.

    Args:
        activity: a row of `ACTIVITY_SCHEMA`.
        service: its name.
        reasons: of suspicion.
        card: the deciding variation.
        matched: all variations that hold.
        rareness: its figures.
        limits: those that they were held against.
    """
    where = activity["host_name"] or activity["host"]
    what = activity["remote_host"] or activity["remote_ip"]
    window = _counted(limits.training_days, "day")
    when = f"{moment_of(activity['event_time']):%Y-%m-%d %H:%M} UTC"
    guarded = f" (the last {_counted(limits.guard_days, 'day')} left out)" if reasons and limits.guard_days else ""
    covered = rareness.coverage_days
    with_telemetry = f", {covered} of them with telemetry" if covered < limits.training_days else ""
    return (
        f"{_who(activity)} on {where} communicated with {service} ({what}, known by "
        f"{MATCHED_BY[activity['attribution']]}) on {when}: in the {window} before{with_telemetry}, "
        f"it did so on {_hosts(rareness.communication, limits.max_other_hosts)}{guarded} and on "
        f"{_days(rareness.communication)} of this host; severity is {card.severity} because "
        f"{_why(reasons, matched, rareness, limits)}."
    )


def _who(activity: Mapping[str, Any]) -> str:
    """The process, what it runs, who signed it, what started it, for whom."""
    who = str(activity["process_name"])
    if activity["script"]:
        who += f" ({activity['script'].partition('|')[2]})"
    if activity["process_signer"] and activity["process_signature_status"] == "signed":
        who += f", signed by {activity['process_signer']}"
    if activity["parent_process_name"]:
        who += f", started by {base_name(activity['parent_process_name'])}"
    if activity["user_name"]:
        who += f", run by {activity['user_name']}"
    return f"{who}," if "," in who else who


def _why(reasons: Sequence[str], matched: Sequence[str], rareness: Rareness, limits: Limits) -> str:
    """What speaks against the process, in the order of the variations."""
    said = [REASONS_IN_WORDS[reason] for reason in reasons]
    if "uncommon_scripting_engine" in matched and rareness.execution:
        hosts = _hosts(rareness.execution, limits.execution_max_other_hosts)
        said.append(
            f"what its scripting engine runs was seen on {hosts} and on {_days(rareness.execution)} of this host"
        )
    return ", and ".join(said) or "nothing but its rarity speaks against it"


def _hosts(prevalence: Mapping[str, int], maximum: int) -> str:
    """ "no other hosts", "1 other host", "more than 3 other hosts"."""
    number = prevalence["other_hosts"]
    return f"more than {maximum} other hosts" if number > maximum else _counted(number, "other host")


def _days(prevalence: Mapping[str, int]) -> str:
    return _counted(prevalence["host_days"], "day")


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
