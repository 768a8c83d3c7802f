"""Which rows of a batch the user's entries match: exceptions and dispositions (specification, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask, group_rows
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions
from uncommon_im.transforms.rules.recognition.glob_index import Known

Told = Mapping[str, Callable[[], tuple[Sequence[str | None], Codes]]]
"""Field that is no column of events -> (values, the code of each row's value), asked for if an entry looks at it."""
_COLUMNS: Final = {"signer": "process_signer"}
"""Fields of entries that columns call otherwise."""


def matched(events: Events, rows: Longs, entries: Exceptions, told: Told) -> Mask:
    """Which rows any of the entries matches: of all that these cannot tell apart, one row is looked at.

    Args:
        events: the batch.
        rows: some rows of it.
        entries: the user's.
        told: what the batch itself does not say of the rows.
    """
    if not entries.entries or not len(rows):
        return np.zeros(len(rows), np.bool_)
    kinds: dict[Known, int] = {}

    def code(name: str, value: str | None) -> int:
        return kinds.setdefault(entries.known(name, value), len(kinds))

    columns: dict[str, npt.NDArray[np.integer[Any]]] = {}
    for name in entries.fields:
        if name in told:
            values, codes = told[name]()
            columns[name] = np.array([code(name, value) for value in values])[codes]
        else:
            text = events.text_at(_COLUMNS.get(name, name), rows)
            columns[name] = text.lookup(partial(code, name), code(name, None), np.int32)
    day = events.time.values[rows] // DAY_US
    group, first = group_rows([*columns.values(), np.searchsorted(entries.last_days, day)])
    known = list(kinds)
    found = np.zeros(len(first), np.bool_)
    for index, row in enumerate(first):
        values_of = {name: known[column[row]] for name, column in columns.items()}
        found[index] = entries.first(values_of, int(day[row])) is not None
    return found[group]
