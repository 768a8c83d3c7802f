"""Records made for the project, each with what it gives and what it proves: `tests/golden/FORMAT/*.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncommon_im.schemas.mapping import VendorMapping, load_mappings
from uncommon_im.schemas.mapping_fields import Column
from uncommon_im.schemas.mapping_fields import Path as Keys

FOLDER = Path(__file__).resolve().parent / "golden"


@dataclass(frozen=True)
class Golden:
    """A record, the rows that it gives, and reason and detail of its dead lines."""

    proves: str
    record: dict[str, Any]
    rows: list[dict[str, Any]]
    dead: list[dict[str, str]]


def golden(format: str) -> list[Golden]:
    """The golden records of a format, in the order of their files."""
    paths = sorted((FOLDER / format).glob("*.jsonl"))
    return [Golden(**json.loads(line)) for path in paths for line in path.read_bytes().splitlines()]


def mapping_of(format: str) -> VendorMapping:
    """The shipped mapping of this id."""
    return next(mapping for mapping in load_mappings() if mapping.id == format)


def columns_of(mapping: VendorMapping) -> list[tuple[str, Column]]:
    """All columns by name, of the mapping, its shapes and its events."""
    return [(name, column) for _, name, column in mapping.all_columns()]


def fields_of(mapping: VendorMapping) -> Iterator[tuple[str, Keys]]:
    """(column, field) of every column, and (what it is, field) of the fields that decide; paths in the data."""
    for name, column in columns_of(mapping):
        yield from ((name, field.path) for field in column.all_fields)
        yield from (("unless", path) for path, _ in column.unless)
        yield from (("differs", path) for pair in column.differs for path in pair)
    yield from (("needs", path) for event in mapping.events for group in event.needs for path in group)
    yield from (("skip", path) for skip in mapping.skips for path, _ in skip.when)
    yield from (("key", path) for shape in mapping.shapes for paths in shape.key.values() for path in paths)


def without(record: dict[str, Any], path: Keys) -> dict[str, Any]:
    """A copy of the record without a field, also where it is a key with dots or in the first of a list."""
    record = {key: value for key, value in record.items() if key != ".".join(path)}
    below = record.get(path[0])
    if len(path) > 1 and isinstance(below, dict):
        return {**record, path[0]: without(below, path[1:])}
    if len(path) > 1 and isinstance(below, list) and below and isinstance(below[0], dict):
        return {**record, path[0]: [without(below[0], path[1:]), *below[1:]]}
    return record


def with_value(record: dict[str, Any], path: Keys, value: object) -> dict[str, Any]:
    """A copy of the record with a value in a field; what is no object on the way there becomes one."""
    below = record.get(path[0])
    if len(path) == 1:
        return {**record, path[0]: value}
    return {**record, path[0]: with_value(below if isinstance(below, dict) else {}, path[1:], value)}
