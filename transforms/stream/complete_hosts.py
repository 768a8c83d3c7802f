"""Events that lack their process, once its start can be known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer

from uncommon_im.transforms.rules.stream.instances import Instances, Tidying
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.stream.keyed_step import NAMESPACE, Keyed, StepFn, Tallied, timestamp

_CELL: Final = ReadModifyWriteStateSpec("instances_state", BytesCoder())
_STARTS: Final = BagStateSpec("instances_starts", BytesCoder())
_DUE: Final = TimerSpec("instances_due", TimeDomain.WATERMARK)
_TIDYING: Final = (
    TimerSpec("instances_tidy_0", TimeDomain.WATERMARK),
    TimerSpec("instances_tidy_1", TimeDomain.WATERMARK),
)


@dataclass
class CompleteHosts(beam.PTransform):
    """Starts and unfinished events by (tenant, host) -> "completed" by (tenant, host).

    Each event leaves once, at the end of the second of its instant, with the start that describes its process by then;
    which one depends on times alone. A start costs one blind append and a timer: the state of its host is not read. A
    host that is silent for `lookback`, the late horizon, the allowed lateness and a day leaves no state.

    Args:
        lateness: of the stream.
        lookback: how much older than an event a start may be, in µs.
    """

    lateness: Lateness
    lookback: int

    def expand(self, messages: beam.PCollection[tuple[str, bytes]]) -> Any:
        """One stateful step."""
        step = beam.ParDo(CompleteHostsFn(partial(Instances, self.lateness, self.lookback)))
        types = {"completed": Keyed, "tallies": Tallied}
        return messages | "Instances" >> step.with_output_types(None, **types).with_outputs(*types)


class CompleteHostsFn(StepFn):
    """The step: as those of `keyed_step`, with starts in the bag, which are read and stay, and timers for them."""

    step_name = "instances"

    def setup(self) -> None:
        super().setup()
        assert isinstance(self._rules, Instances), self._rules
        self._instances = self._rules
        self._kept_bytes = Metrics.distribution(NAMESPACE, "instances.kept_bytes")

    def process(
        self,
        element: tuple[str, bytes],
        cell: Any = beam.DoFn.StateParam(_CELL),
        starts: Any = beam.DoFn.StateParam(_STARTS),
        due: Any = beam.DoFn.TimerParam(_DUE),
        even: Any = beam.DoFn.TimerParam(_TIDYING[0]),
        odd: Any = beam.DoFn.TimerParam(_TIDYING[1]),
    ) -> Iterator[TaggedOutput]:
        key, message = element
        tidying = self._instances.keeping(key, message)
        if tidying is None:
            return self.add(key, message, cell, starts, due)
        starts.add(message)
        _set(tidying, even, odd)
        return iter(())

    @on_timer(_DUE)  # type: ignore[untyped-decorator]
    def on_due(
        self,
        key: Any = beam.DoFn.KeyParam,
        at: Any = beam.DoFn.TimestampParam,
        cell: Any = beam.DoFn.StateParam(_CELL),
        starts: Any = beam.DoFn.StateParam(_STARTS),
        due: Any = beam.DoFn.TimerParam(_DUE),
    ) -> Iterator[TaggedOutput]:
        bag = SimpleNamespace(read=starts.read, clear=lambda: None)  # starts stay
        return self.fire(key, at.micros // 1000, cell, bag, due)

    @on_timer(_TIDYING[0])  # type: ignore[untyped-decorator]
    def on_even(
        self,
        key: Any = beam.DoFn.KeyParam,
        at: Any = beam.DoFn.TimestampParam,
        cell: Any = beam.DoFn.StateParam(_CELL),
        starts: Any = beam.DoFn.StateParam(_STARTS),
        even: Any = beam.DoFn.TimerParam(_TIDYING[0]),
        odd: Any = beam.DoFn.TimerParam(_TIDYING[1]),
    ) -> None:
        self._tidy(key, at.micros // 1000, cell, starts, even, odd)

    @on_timer(_TIDYING[1])  # type: ignore[untyped-decorator]
    def on_odd(
        self,
        key: Any = beam.DoFn.KeyParam,
        at: Any = beam.DoFn.TimestampParam,
        cell: Any = beam.DoFn.StateParam(_CELL),
        starts: Any = beam.DoFn.StateParam(_STARTS),
        even: Any = beam.DoFn.TimerParam(_TIDYING[0]),
        odd: Any = beam.DoFn.TimerParam(_TIDYING[1]),
    ) -> None:
        self._tidy(key, at.micros // 1000, cell, starts, even, odd)

    def _tidy(self, key: str, now: int, cell: Any, starts: Any, even: Any, odd: Any) -> None:
        kept, tidying = self._instances.tidy(key, cell.read(), starts.read(), now)
        starts.clear()
        for message in kept:
            starts.add(message)
        if tidying is not None:
            _set(tidying, even, odd)
        self._kept_bytes.update(sum(map(len, kept)))


def _set(tidying: Tidying, even: Any, odd: Any) -> None:
    (even, odd)[tidying.timer].set(timestamp(tidying.instant))
