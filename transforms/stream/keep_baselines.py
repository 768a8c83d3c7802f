"""How common each subject is in the organisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam

from uncommon_im.schemas.detector import Limits
from uncommon_im.transforms.rules.stream.baselines import Baselines
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.stream.keyed_step import Keyed, Tallied, keyed_step

KeepBaselinesFn = keyed_step("baselines", __name__, "KeepBaselinesFn")


@dataclass
class KeepBaselines(beam.PTransform):
    """Sightings and questions by (tenant, subject) -> "answers" by (tenant, host).

    Each question is answered once, from the sightings that were known when its day opened: the answer depends neither
    on their order and repetition nor on when the question comes. What is kept of a subject is bounded whatever the
    number of its hosts; a subject that nobody shows for the window and the late horizon leaves no state.

    Args:
        lateness: of the stream.
        limits: the window, its guard days, the hosts to keep.
    """

    lateness: Lateness
    limits: Limits

    def expand(self, messages: beam.PCollection[tuple[str, bytes]]) -> Any:
        """One stateful step."""
        step = beam.ParDo(KeepBaselinesFn(partial(Baselines, self.lateness, self.limits)))
        types = {"answers": Keyed, "tallies": Tallied}
        return messages | "Baselines" >> step.with_output_types(None, **types).with_outputs(*types)
