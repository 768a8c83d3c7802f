"""Events as parallel arrays, before they become a table."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Draw:
    """Events of one day; `address`, `destination` and `label` are -1 where there is none, `time` is µs since 1970.

    `run` is the position of the connection that a lookup comes before; else the event's own. `number` names the event,
    `instance` its process (0: nobody tells it).
    """

    image: Ints
    event_type: Ints
    time: Ints
    destination: Ints
    address: Ints
    inbound: Ints
    status: Ints
    label: Ints
    run: Ints
    number: Numbers
    instance: Numbers

    def __len__(self) -> int:
        return len(self.image)

    def take(self, rows: Ints, **changed: Any) -> Draw:
        """The given events; arrays in `changed` take the place of theirs."""
        return replace(Draw(*(getattr(self, field.name)[rows] for field in fields(self))), **changed)

    def __add__(self, more: Draw) -> Draw:
        return Draw(*(np.concatenate([getattr(self, f.name), getattr(more, f.name)]) for f in fields(self)))
