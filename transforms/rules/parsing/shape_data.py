"""Where the fields of a record are that a shape names (`schemas.mapping.Shape`), however they are written.

What an event of Windows says is an object of names and values in most exports. Others write it as text (JSON, XML), as
a list of names and values, or as values alone, in the order in which the event's provider declares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from uncommon_im.schemas.mapping import Shape
from uncommon_im.transforms.rules.columns.json_lines import parse_value
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.event_xml import data_in_xml
from uncommon_im.transforms.rules.parsing.lookups import Record, Row, lookup

Names = Mapping[int, Sequence[str]]
"""Names of values by how many there are."""

_LISTS: Final = ("Data", "data")
_NAMES: Final = ("Name", "@Name", "name")
_VALUES: Final = ("#text", "Value", "value", "content", "text")
_DOUBLED: Final = re.compile(r"\\\\")
_ESCAPED: Final = re.compile(r"\\([\\\"])")
_BARE: Final = frozenset('\\"')


def data_of(record: Record, shape: Shape, names: Names) -> Record | Rejection:
    """The fields of a record.

    Args:
        record: one that the shape matches.
        shape: says where they are.
        names: those of values that have none, in the order in which they are written.

    Returns:
        The fields, none if there are none; why they cannot be told, if what is there is neither an object nor text
        that holds one.
    """
    where, found = shape.data, lookup(record, shape.data)
    if type(found) is dict and found and not (shape.beside or shape.escaped or "Data" in found or "data" in found):
        return found
    if shape.inserts and (found is None or found in ("", {})):
        where, found = shape.inserts, lookup(record, shape.inserts)
    if found is None:
        return record if shape.beside else {}
    fields = _fields(found, names)
    if fields is None:
        return Rejection("malformed", f"{'.'.join(where)} is no object")
    if isinstance(fields, Rejection):
        return Rejection(fields.reason, f"{'.'.join(where)}: {fields.detail}")
    if shape.escaped:
        fields = {_capital(name): _unescaped(value) for name, value in fields.items()}
    if not shape.beside:
        return fields
    return {**record, **fields} if fields else record


def _fields(found: object, names: Names) -> Record | Rejection | None:
    """Fields by name; `None` if what was found has none."""
    if found == "":
        return {}
    if isinstance(found, str):
        found = _decoded(found)
        if isinstance(found, Rejection):
            return found
    if isinstance(found, list):
        return _listed(found, names)
    if not isinstance(found, dict):
        return None
    for key in _LISTS:
        inner = found.get(key)
        if isinstance(inner, list) and isinstance(listed := _listed(inner, names), dict):
            return {**found, **listed}
    return found


def _decoded(text: str) -> object:
    """What JSON or XML text holds, or why it cannot be read; the text itself if it is neither."""
    text = text.strip()
    if text[:1] in ("{", "["):
        return parse_value(text.encode("utf-8", "surrogatepass"))
    return data_in_xml(text) if text[:1] == "<" else text


def _listed(items: list[object], names: Names) -> Row | Rejection | None:
    """A list of names and values, or of values alone, by name; `None` if it is a list of something else."""
    pairs = [_pair(item) for item in items]
    if all(pair is not None for pair in pairs):
        return dict(pair for pair in pairs if pair is not None)
    values = [item.get("Value") if isinstance(item, dict) and len(item) == 1 else item for item in items]
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        return None
    known = names.get(len(values))
    if known is None:
        counts = ", ".join(map(str, sorted(names))) or "any number"
        return Rejection(
            "malformed",
            f"{len(values)} values without names, which are known for {counts} of this event: export it with names"
            if names
            else "values without names, which are not known of this event: export it with names",
        )
    return dict(zip(known, values, strict=True))


def _pair(item: object) -> tuple[str, object] | None:
    """Name and value of an item; `None` if it has no name."""
    if not isinstance(item, dict):
        return None
    attributes = item.get("#attributes")
    named = {**item, **attributes} if isinstance(attributes, dict) else item
    name = next((named[key] for key in _NAMES if isinstance(named.get(key), str)), None)
    if isinstance(name, str):
        return name, next((item[key] for key in _VALUES if key in item), None)
    if len(item) == 1 and "Value" not in item and "#text" not in item:
        [(key, value)] = item.items()
        return str(key), value
    return None


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _unescaped(value: object) -> object:
    """A text as it was before backslashes and quotes, or backslashes alone, were escaped; one that never was stays."""
    if not isinstance(value, str) or "\\" not in value:
        return value
    if _BARE.isdisjoint(_ESCAPED.sub("", value)):
        return _ESCAPED.sub(r"\1", value)
    return _DOUBLED.sub(r"\\", value) if "\\" not in _DOUBLED.sub("", value) else value
