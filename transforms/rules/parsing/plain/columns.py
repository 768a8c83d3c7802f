"""The columns of plain vendor records: what a mapping makes of a record, made of many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.event import ARROW_TYPES, EVENT_COLUMNS, ColumnKind
from uncommon_im.schemas.mapping_fields import Path
from uncommon_im.transforms.rules.columns.coerce import Scalar, to_flag, to_integer, to_text, to_time
from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask, group_rows, run_starts
from uncommon_im.transforms.rules.parsing.adapt import Adapter
from uncommon_im.transforms.rules.parsing.converters import CONVERTERS
from uncommon_im.transforms.rules.parsing.lookups import folded_key, scalar_of
from uncommon_im.transforms.rules.parsing.plain.scalars import Coalesced, Fields, Finish
from uncommon_im.transforms.rules.parsing.plan import Plan

_KEEP_NUMBERS: Final = (None, CONVERTERS["epoch_or_zoned"], CONVERTERS["integer"])
"""Converters that leave numbers as they are."""


def _fitting(finish: Finish) -> Finish:
    def finish_if_it_fits(value: Scalar) -> str | int | None:
        try:
            return finish(value)
        except ValueError:
            return None

    return finish_if_it_fits


_FINISH: Final[dict[ColumnKind, Finish]] = {
    "text": to_text,
    "time": to_time,
    "integer": _fitting(to_integer),
    "flag": _fitting(to_flag),
}


class PlainColumns:
    """Native columns of some plain records, whose fields and plans are known."""

    def __init__(self, fields: Fields, plans: Mapping[Plan, Longs], size: int) -> None:
        """What makes columns of records.

        Args:
            fields: of all records, those of the columns asked for.
            plans: what makes rows of them -> of which; the others have no values.
            size: how many records there are.
        """
        self._fields = fields
        self._rows = plans
        self._size = size
        self._made: dict[str, pa.Array | None] = {}

    def column(self, name: str) -> pa.Array | None:
        """A native column, null where a value does not fit; `None` if it is empty.

        Texts are a dictionary, times epoch milliseconds or timestamps.
        """
        if name not in self._made:
            self._made[name] = self._column(name)
        return self._made[name]

    def _column(self, name: str) -> pa.Array | None:
        kind = EVENT_COLUMNS[name]
        if kind in ("time", "integer") and (numbers := self._numbers(name)) is not None:
            return numbers
        column = Coalesced(self._size, _FINISH[kind], ARROW_TYPES[kind])
        for plan, rows in self._rows.items():
            column.fill(rows, self._fields, plan.fields.get(name, ()), scalar_of(plan.constants.get(name)))
        return column.array()

    def _numbers(self, name: str) -> pa.Array | None:
        """The only field of a column that has values, where it holds nothing but whole numbers."""
        fields = {choice for plan in self._rows for choice in plan.fields.get(name, ())}
        filled = {key: convert for key, convert in fields if not self._fields[key].empty}
        if len(filled) != 1 or any(name in plan.constants for plan in self._rows):
            return None
        [key] = filled
        keep = all(convert in _KEEP_NUMBERS for of, convert in fields if of == key)
        numbers = self._fields[key].integers if keep else None
        elsewhere = [rows for plan, rows in self._rows.items() if key not in dict(plan.fields.get(name, ()))]
        if numbers is None or not elsewhere:
            return numbers
        taken = np.ones(self._size, np.bool_)  # a plan may leave out what others take: the port of a lookup's server
        taken[np.concatenate(elsewhere)] = False
        return pc.if_else(pa.array(taken), numbers, pa.scalar(None, numbers.type))


class PlanChoice:
    """Which records which plan of a mapping makes rows of."""

    def __init__(self, adapter: Adapter, fields: Fields, size: int) -> None:
        """`fields` are those that decide what becomes of a record."""
        self._adapter = adapter
        self._fields = fields
        self._size = size

    def plans(self) -> dict[Plan, Longs]:
        """Plan -> its records. What is of none is no row, and `transforms.rules.parsing.adapt` says why."""
        chosen: dict[Plan, Longs] = {}
        for plan, rows in self._plans():
            chosen[plan] = np.concatenate([chosen[plan], rows]) if plan in chosen else rows
        return chosen

    def _plans(self) -> list[tuple[Plan, Longs]]:
        shape, choose = self._adapter.shapes[0]
        open_rows = np.flatnonzero(self._matched(shape.match) & ~self._skipped())
        parts = [self._key_part(paths) for paths in shape.key.values()]
        if not len(open_rows):
            return []
        groups, first = group_rows([codes[open_rows] for codes, _ in parts])
        order = np.argsort(groups, kind="stable")
        chosen: list[tuple[Plan, Longs]] = []
        for rows, row in zip(np.split(open_rows[order], run_starts(groups[order])[1:]), first, strict=True):
            key = tuple(texts[codes[open_rows[row]]] for codes, texts in parts)
            for needs, plan in choose(key):
                served = self._all(needs, rows)
                if isinstance(plan, Plan) and served.any():
                    chosen.append((plan, rows[served]))
                rows = rows[~served]
        return chosen

    def _matched(self, alternatives: tuple[tuple[Path, ...], ...]) -> Mask:
        """Records in which all paths of one alternative have a value."""
        matched = np.zeros(self._size, np.bool_)
        for paths in alternatives:
            if matched.all():
                break
            if all(path[0] in self._fields for path in paths):
                matched |= np.logical_and.reduce([self._fields[path[0]].present for path in paths])
        return matched

    def _skipped(self) -> Mask:
        """Records that the mapping skips."""
        skipped = np.zeros(self._size, np.bool_)
        for skip in self._adapter.mapping.skips:
            mask = ~skipped
            for path, texts in skip.when:
                codes, known = self._key_part((path,))
                mask &= np.array([text in texts for text in known])[codes]
            for path in skip.missing:
                codes, known = self._key_part((path,))
                mask &= np.array([not text for text in known])[codes]
            skipped |= mask
        return skipped

    def _key_part(self, paths: tuple[Path, ...]) -> tuple[Codes, list[str]]:
        """(code of each record's text in a part of the key, texts); the first text is empty, for none."""
        known = {"": 0}
        codes = np.zeros(self._size, np.int32)
        for path in paths:
            field = self._fields[path[0]]
            if not field.empty:
                found = field.lookup(lambda value: known.setdefault(folded_key(value), len(known)), 0, np.int32)
                codes = np.where(codes == 0, found, codes)
        return codes, list(known)

    def _all(self, needs: tuple[tuple[Path, ...], ...], rows: Longs) -> Mask:
        """Which of the rows have of each group one field with a value."""
        served = np.ones(len(rows), np.bool_)
        for paths in needs:
            informative = np.zeros(len(rows), np.bool_)
            for path in paths:
                if informative.all():
                    break
                informative |= self._fields[path[0]].informative[rows]
            served &= informative
        return served
