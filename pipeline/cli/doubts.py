"""What a user should hear of a run that read records and could use few of them, or none (specification, section 10)."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from typing import Any, Final

from uncommon_im.schemas.documents import require
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.decode import AUTO, formats

log = logging.getLogger(__name__)

_SHOWN: Final = 3
_BY_DESIGN: Final = "not_endpoint"


def check_recognised(summary: Mapping[str, Any], format: str, input: str, output: str | None) -> None:
    """Warns of a run most of whose records are dead letters, `not_endpoint` aside.

    Args:
        summary: of the run, which is written.
        format: the option's value.
        input: the first of what was read, to name it.
        output: the run's folder.

    Raises:
        ConfigurationError: it read records, and none of them is an event.
    """
    events = summary["events"]
    read, dead = events["read"], events["dead_letter"]
    place = f"{output}/dead_letter has them, and " if output else ""
    remedy = f"{place}`uncommon-im inspect {shlex.quote(input)}` says what is in the input"
    tried = ", ".join(formats(load_mappings())[1:]) if format == AUTO else format
    require(
        events["valid"] or not read,
        f"of {read:,} record{'s' * (read != 1)} read none is an event. Formats tried: {tried}. "
        f"{_commonest(dead)}. {remedy}",
    )
    unusable = sum(count for reason, count in dead.items() if reason != _BY_DESIGN)
    if unusable > read / 2:
        log.warning("%s of %s records are no events. %s. %s", f"{unusable:,}", f"{read:,}", _commonest(dead), remedy)


def _commonest(dead: Mapping[str, int]) -> str:
    """The reasons that apply most often."""
    ordered = sorted(dead.items(), key=lambda entry: (-entry[1], entry[0]))
    return "The commonest reasons: " + ", ".join(f"{reason} ({count:,})" for reason, count in ordered[:_SHOWN] if count)
