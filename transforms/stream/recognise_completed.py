"""Events that waited for the start of their process -> what the stream follows of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from uncommon_im.transforms.rules.activities.scan import ScanSettings
from uncommon_im.transforms.rules.stream.arrivals import Arrivals
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Completed
from uncommon_im.transforms.stream.keyed_step import Keyed, Tallied
from uncommon_im.transforms.stream.parse_arrivals import outputs_of


@dataclass
class RecogniseCompleted(beam.PTransform):
    """Completed events by (tenant, host) -> "hosts" by (tenant, host), "hours" by (tenant, subject).

    Each event counts once, for what it is now. What leaves is stamped with the instant at which it was completed.

    Args:
        settings: what is looked for.
        lateness: of the stream.
    """

    settings: ScanSettings
    lateness: Lateness

    def expand(self, completed: beam.PCollection[tuple[str, bytes]]) -> Any:
        """One pass over what a bundle holds."""
        recognise = beam.ParDo(_Recognise(self.settings, self.lateness))
        types = {"hosts": Keyed, "hours": Keyed, "tallies": Tallied}
        return completed | "Recognise" >> recognise.with_output_types(None, **types).with_outputs(*types)


class _Recognise(beam.DoFn):
    def __init__(self, settings: ScanSettings, lateness: Lateness) -> None:
        self._settings, self._lateness = settings, lateness
        self._arrivals: Arrivals | None = None
        self._completed: list[tuple[str, Completed]] = []

    def setup(self) -> None:
        self._arrivals = Arrivals(self._settings, self._lateness)

    def start_bundle(self) -> None:
        self._completed = []

    def process(self, keyed: tuple[str, bytes]) -> None:
        completed = MESSAGES.decode(keyed[1])
        assert isinstance(completed, Completed), completed
        self._completed.append((keyed[0], completed))

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        assert self._arrivals is not None, "setup() comes first"
        if self._completed:
            yield from outputs_of(self._arrivals.complete(self._completed))
