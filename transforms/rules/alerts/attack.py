"""Where ATT&CK places an alert: the card's tactic and technique, and the sub-techniques that its reasons say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from uncommon_im.schemas.detector import Detector, Subtechnique
from uncommon_im.transforms.rules.recognition.command_line import engine_name


def attack_of(
    detector: Detector, said: Collection[str], process: str | None, fingerprint: str | None
) -> dict[str, Any]:
    """`attack` of an alert.

    Args:
        detector: whose card says which sub-technique follows from what.
        said: the alert's reasons of suspicion and its matched variations.
        process: its name.
        fingerprint: of its execution.
    """
    engine, _, script = (fingerprint or "").partition("|")
    programs = {engine_name(process or ""), engine}
    return {
        "tactic": {"id": detector.tactic_id, "name": detector.tactic},
        "technique": {"id": detector.technique_id, "name": detector.technique},
        "subtechniques": [
            {"id": each.id, "name": each.name, "because": each.because}
            for each in detector.subtechniques
            if each.because in said and _is_of(each, programs, script.lower())
        ],
    }


def _is_of(each: Subtechnique, programs: set[str], script: str) -> bool:
    of_program = not each.programs or bool(programs.intersection(map(engine_name, each.programs)))
    return of_program and (not each.scripts or script.endswith(each.scripts))
