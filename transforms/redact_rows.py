"""Rows that leave a run -> the same without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import apache_beam as beam

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.alerts.redaction import Redactor

RowKind = Literal["alert", "verdict", "dead_letter"]
Row = dict[str, Any]


@dataclass
class RedactRows(beam.PTransform):
    """Rows -> the same with secrets masked.

    A row alone decides what becomes of it: neither order, nor repetition, nor engine changes a mask.

    Args:
        kind: of the rows.
        catalogue: how secrets are recognised.
    """

    kind: RowKind
    catalogue: Catalogue

    def expand(self, rows: beam.PCollection[Row]) -> beam.PCollection[Row]:
        """Stays with the step that makes the rows."""
        return rows | "Mask" >> beam.ParDo(_Mask(self.kind, self.catalogue)).with_output_types(rows.element_type)


class _Mask(beam.DoFn):
    def __init__(self, kind: RowKind, catalogue: Catalogue) -> None:
        self._kind, self._catalogue = kind, catalogue

    def setup(self) -> None:
        self._mask = getattr(Redactor(self._catalogue), self._kind)

    def process(self, row: Row) -> list[Row]:
        return [self._mask(row)]
