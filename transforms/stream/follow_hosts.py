"""What each host shows, and its activities when they are due."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam

from uncommon_im.transforms.rules.stream.hosts import Hosts
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.stream.keyed_step import Keyed, Row, Tallied, keyed_step

FollowHostsFn = keyed_step("hosts", __name__, "FollowHostsFn")


@dataclass
class FollowHosts(beam.PTransform):
    """Messages by (tenant, host) -> "sightings", "questions" by (tenant, subject), "activities" by host, "verdicts".

    Each (subject, day) of a host is one sighting, which leaves at once, and at most one question. Each activity leaves
    once, when everything as old as its first event has had the allowed lateness to arrive, or when the late record
    arrives that makes it; what it is depends on its records and their arrival times, not on their order or repetition.
    A host that is silent for the window, a day, the late horizon and the allowed lateness leaves no state.

    Args:
        lateness: of the stream.
        start: µs since 1970; earlier activities only train. `None`: none does.
    """

    lateness: Lateness
    start: int | None

    def expand(self, messages: beam.PCollection[tuple[str, bytes]]) -> Any:
        """One stateful step."""
        step = beam.ParDo(FollowHostsFn(partial(Hosts, self.lateness, self.start)))
        types = {"sightings": Keyed, "questions": Keyed, "activities": Keyed, "verdicts": Row, "tallies": Tallied}
        return messages | "Hosts" >> step.with_output_types(None, **types).with_outputs(*types)
