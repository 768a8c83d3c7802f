"""What a run counted (specification, section 10, `summary.json`)."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from uncommon_im.schemas.detector import VARIATION_IDS, VERDICT_IDS

Tally = Counter[tuple[str, ...]]
"""Path of a number in the summary -> the number; tallies add up in any order."""

READ: Final = ("events", "read")
VALID: Final = ("events", "valid")
OUT_OF_RANGE: Final = ("events", "out_of_range")
COMMUNICATIONS: Final = ("communications",)
WITHOUT_PROCESS: Final = ("communications_without_process",)
"""Events that are none because nobody knows whose they are (section 2a)."""
ACTIVITIES: Final = ("activities",)
UNKNOWN_SIGNATURES: Final = ("unknown_values", "process_signature_status")
"""Communications whose signature status is given but is none that is known."""


def dead_letter(reason: str) -> tuple[str, ...]:
    """The path of a reason's dead letters."""
    return ("events", "dead_letter", reason)


def verdict(name: str) -> tuple[str, ...]:
    """The path of a verdict's activities."""
    return ("verdicts", name)


def alert(variation: str) -> tuple[str, ...]:
    """The path of a variation's alerts."""
    return ("alerts", variation)


def summary_of(tally: Tally) -> dict[str, Any]:
    """The summary as a nested object, with a zero for every number that nothing was counted for."""
    reasons = sorted(path[-1] for path in tally if path[:2] == ("events", "dead_letter"))
    unknown = {path[1]: tally[path] for path in (UNKNOWN_SIGNATURES,) if tally[path]}
    return {
        "events": {
            "read": tally[READ],
            "valid": tally[VALID],
            "out_of_range": tally[OUT_OF_RANGE],
            "dead_letter": {reason: tally[dead_letter(reason)] for reason in reasons},
        },
        "communications": tally[COMMUNICATIONS],
        "communications_without_process": tally[WITHOUT_PROCESS],
        "activities": tally[ACTIVITIES],
        "verdicts": {name: tally[verdict(name)] for name in VERDICT_IDS},
        "alerts": {name: tally[alert(name)] for name in ("base", *VARIATION_IDS[:2])},
        **({"unknown_values": unknown} if unknown else {}),
    }


def stream_summary_of(tally: Tally) -> dict[str, Any]:
    """The summary of a stream: that of a backfill, and what became of late records."""
    return summary_of(tally) | {
        "late": {
            "records": tally[("late", "records")],
            "too_late": tally[("late", "too_late")],
            "alerts": tally[alert("late")],
        },
        "folded": tally[("communications", "folded")],
    }
