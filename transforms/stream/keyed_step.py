"""A stateful step of the stream on Beam: storage, time and transport for the rules of `transforms.rules.stream`.

State is one cell per key and, where messages wait, a bag. Both hold bytes of the rules' own versioned form. There is
one event-time timer per key, set again whenever it fires: an engine that fires it late, early or twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from uncommon_im.transforms.rules.stream.messages import MESSAGES, Alert, Output, VerdictRow, Wait
from uncommon_im.transforms.rules.stream.step import Effects, Observations, Step, add_message, fire_timer

NAMESPACE: Final = "uncommon-im"
"""Of all metrics."""
Keyed: Final = tuple[str, bytes]
"""What travels between stateful steps: a message under its key."""
Row: Final = dict[str, Any]
"""What leaves the detector: a JSON object."""
Tallied: Final = tuple[str, int]
"""What a step counted: the name of a metric, and by how much it grew."""


class StepFn(beam.DoFn):
    """What steps have in common: an instance follows the rules that the function given to it makes."""

    step_name: str

    def __init__(self, make_rules: Callable[[], Step[Any]]) -> None:
        self._make_rules = make_rules

    def setup(self) -> None:
        self._rules = self._make_rules()
        self._state_bytes = Metrics.distribution(NAMESPACE, f"{self.step_name}.state_bytes")

    def start_bundle(self) -> None:
        self._rules.observed.clear()

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        yield from observations_of(self._rules.observed)

    def add(self, key: str, message: bytes, cell: Any, bag: Any, due: Any) -> Iterator[TaggedOutput]:
        """Takes a message in."""
        effects = add_message(self._rules, key, cell.read, message)
        if effects.changed:
            cell.write(effects.cell)
        return self._leave(effects, bag, due)

    def fire(self, key: str, now: int, cell: Any, bag: Any, due: Any) -> Iterator[TaggedOutput]:
        """Does what is due at an instant (ms)."""
        effects = fire_timer(self._rules, key, cell.read(), bag.read, now)
        if effects.read_waiting or effects.cell is None:
            bag.clear()
        if effects.cell is None:
            cell.clear()
        else:
            cell.write(effects.cell)
        return self._leave(effects, bag, due)

    def _leave(self, effects: Effects, bag: Any, due: Any) -> Iterator[TaggedOutput]:
        for message in effects.wait:
            bag.add(message)
        if effects.timer is not None:
            due.set(timestamp(effects.timer))
        if effects.cell is not None and effects.changed:
            self._state_bytes.update(len(effects.cell))
        for outcome in effects.outcomes:
            assert not isinstance(outcome, Wait), outcome
            yield output_of(outcome)


def keyed_step(name: str, module: str, class_name: str) -> Callable[[Callable[[], Step[Any]]], beam.DoFn]:
    """The class of a `DoFn` over messages by key.

    Beam finds state and timers as defaults of parameters of a class, so every step has a class of its own, made here.
    Their names are unique in the whole graph: engines have mixed up equal names of neighbouring steps. The class must
    be kept under its name in its module, for workers find it there.

    Args:
        name: of the step, in the names of its state, timer and metrics.
        module: of the class.
        class_name: of the class.
    """
    cell_spec = ReadModifyWriteStateSpec(f"{name}_state", BytesCoder())
    bag_spec = BagStateSpec(f"{name}_waiting", BytesCoder())
    due_spec = TimerSpec(f"{name}_due", TimeDomain.WATERMARK)

    class KeyedStep(StepFn):
        """The step."""

        step_name = name

        def process(
            self,
            element: tuple[str, bytes],
            cell: Any = beam.DoFn.StateParam(cell_spec),
            bag: Any = beam.DoFn.StateParam(bag_spec),
            due: Any = beam.DoFn.TimerParam(due_spec),
        ) -> Iterator[TaggedOutput]:
            return self.add(*element, cell, bag, due)

        @on_timer(due_spec)  # type: ignore[untyped-decorator]
        def on_due(
            self,
            key: Any = beam.DoFn.KeyParam,
            at: Any = beam.DoFn.TimestampParam,
            cell: Any = beam.DoFn.StateParam(cell_spec),
            bag: Any = beam.DoFn.StateParam(bag_spec),
            due: Any = beam.DoFn.TimerParam(due_spec),
        ) -> Iterator[TaggedOutput]:
            return self.fire(key, at.micros // 1000, cell, bag, due)

    KeyedStep.__module__, KeyedStep.__name__, KeyedStep.__qualname__ = module, class_name, class_name
    return KeyedStep


def observations_of(observations: Observations) -> Iterator[TaggedOutput]:
    """What a step counted and measured in a bundle, as metrics; what it counted also as "tallies"."""
    for name, number in observations.counts.items():
        Metrics.counter(NAMESPACE, name).inc(number)
        yield TaggedOutput("tallies", GlobalWindows.windowed_value_at_end_of_window((name, number)))
    for name, value in observations.values:
        Metrics.distribution(NAMESPACE, name).update(value)
    observations.clear()


def output_of(outcome: Output | Alert | VerdictRow) -> TaggedOutput:
    """An outcome as an output of Beam: rows as objects."""
    if isinstance(outcome, Output):
        return TaggedOutput(
            outcome.to, TimestampedValue((outcome.key, MESSAGES.encode(outcome.message)), timestamp(outcome.instant))
        )
    if isinstance(outcome, Alert):
        return TaggedOutput("alerts", outcome.alert)
    return TaggedOutput("verdicts", outcome.row)


def timestamp(instant: int) -> Timestamp:
    """An instant (ms) as Beam has it."""
    return Timestamp(micros=instant * 1000)
