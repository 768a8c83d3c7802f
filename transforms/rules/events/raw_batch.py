"""Records as a source holds them, before they are normalised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import pyarrow as pa

from uncommon_im.transforms.rules.columns.column import Longs
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter


class DividedBatch(Exception):
    """A batch cannot be read as a whole.

    Attributes:
        parts: all of its records, in their order, in batches that can be read or lost by themselves.
    """

    def __init__(self, parts: Sequence[RawBatch]) -> None:
        super().__init__("the batch is to be read in parts")
        self.parts = parts


class RawBatch(ABC):
    """Some records of one source, as columns. Each kind of source has its own; pickled, it may be a reference.

    Reading a column may raise `LostBatch`: then one dead letter stands for all of the batch. Or it raises
    `DividedBatch`: then its parts stand for it.
    """

    @property
    @abstractmethod
    def num_rows(self) -> int:
        """Records of the batch."""

    @abstractmethod
    def column(self, name: str) -> pa.Array | None:
        """A column as the source holds it; `None` if the source has none of that name."""

    @abstractmethod
    def dead_letters(self, rejections: Sequence[Rejection]) -> list[DeadLetter]:
        """The dead letters of rows that are no events."""

    def column_at(self, name: str, rows: Longs) -> pa.Array | None:
        """A column at some rows; cheaper than the whole where these are few."""
        column = self.column(name)
        return None if column is None else column.take(pa.array(rows))

    def doubtful(self) -> Iterable[str]:
        """Columns whose values may make a record malformed, and were not looked at yet: none."""
        return ()

    def malformed(self) -> dict[int, str]:
        """Row -> what is wrong, for rows found malformed while reading: none."""
        return {}

    def lost(self) -> list[DeadLetter]:
        """The dead letters of records that reading gave up before they were rows: none."""
        return []
