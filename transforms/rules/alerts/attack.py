"""Where ATT&CK places an alert: the card's tactic and technique, and the sub-techniques that its reasons say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from uncommon_im.schemas.detector import Detector
from uncommon_im.transforms.rules.recognition.command_line import engine_name


def attack_of(detector: Detector, said: Collection[str], programs: Collection[str]) -> dict[str, Any]:
    """`attack` of an alert.

    Args:
        detector: whose card says which sub-technique follows from what.
        said: the alert's reasons of suspicion and its matched variations.
        programs: the name of its process, and the engine of its execution.
    """
    names = set(map(engine_name, programs))
    return {
        "tactic": {"id": detector.tactic_id, "name": detector.tactic},
        "technique": {"id": detector.technique_id, "name": detector.technique},
        "subtechniques": [
            {"id": each.id, "name": each.name, "because": each.because}
            for each in detector.subtechniques
            if each.because in said and (not each.programs or names.intersection(map(engine_name, each.programs)))
        ],
    }
