"""Fields of vendor records, and native columns made of them, as mappings write them (`schemas.mapping`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import replace

from uncommon_im.schemas.decoding import Entry, NonEmpty, Scalar, Text

Path = Sequence[str]
"""Keys from the top of an object down to a value: a tuple."""

_DOTTED: Final = r"\A(?=.*\S)[^.]+(\.[^.]+)*\Z"
_A_PATH: Final = "a text: a path of keys with dots between them"
DottedText = Annotated[str, Meta(pattern=_DOTTED, description=_A_PATH)]


Conditions = tuple[tuple[Path, tuple[str, ...]], ...]
"""Fields by their paths, and texts that each may have."""


class Dotted(Sequence[str]):
    """A path that is written as its keys with dots between them."""

    @staticmethod
    def decode(value: object) -> Path:
        """A plain tuple, the fastest to look up. Raises `ValueError`: the value is no such text."""
        if not isinstance(value, str) or not re.match(_DOTTED, value):
            raise ValueError(f"expected {_A_PATH}, not {value!r:.60}")
        return tuple(value.split("."))


Dotted.register(tuple)  # so that what `decode` gives is one to msgspec


class Folded(str):
    """A text, a number or true or false as trimmed lower-case text."""

    __slots__ = ()

    @classmethod
    def decode(cls, value: object) -> Self:
        """Raises `ValueError`: the value is neither."""
        if not isinstance(value, str | int | float):
            raise ValueError(f"expected a text, a number or true or false, not {value!r:.60}")
        return cls(str(value).strip().lower())


Groups = NonEmpty[NonEmpty[Dotted]]
_Pair = Annotated[tuple[Dotted, Dotted], Meta(description="a list of two fields")]


class Field(Entry, frozen=True):
    """Where a value may be: a path in the shape's data, or after `$.` in the whole record; and its converter's name."""

    field: DottedText
    convert: Text = ""

    @property
    def path(self) -> Path:
        """The path in the data or in the record."""
        return tuple(self.field.removeprefix("$.").split("."))

    @property
    def from_record(self) -> bool:
        """True if the path begins at the top of the record."""
        return self.field.startswith("$.")


class Column(Entry, frozen=True, dict=True):
    """How a native column is made of fields; `values` translates lower-case text if it is given."""

    source: DottedText | NonEmpty[DottedText | Field] = field(name="from", default=())
    parts: NonEmpty[DottedText | Field] = field(name="join", default=())
    convert: Text = ""
    values: dict[Scalar, Text] | UnsetType = UNSET
    otherwise: Literal["keep"] | UnsetType = UNSET
    differs: NonEmpty[_Pair] = ()
    exceptions: dict[DottedText, NonEmpty[Folded]] = field(name="unless", default_factory=dict)

    def __post_init__(self) -> None:
        if self.otherwise and self.values is UNSET:
            raise ValueError("`otherwise: keep` stands beside `values`")
        if not (self.source or self.parts):
            raise ValueError("needs `from` or `join`")

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields, first to last choice, each with its converter."""
        fields = _fields((self.source,) if isinstance(self.source, str) else self.source)
        return tuple(each if each.convert else replace(each, convert=self.convert) for each in fields)

    def narrowed(self, keys: Collection[str]) -> Column | None:
        """The column of data that has, at its top, no keys but these: without fields that cannot have a value there.

        `None` if none is left.
        """
        kept = tuple(each for each in self.fields if each.from_record or each.path[0] in keys)
        if not (kept or self.parts):
            return None
        unless = {path: texts for path, texts in self.exceptions.items() if "" in texts or path.split(".")[0] in keys}
        return replace(self, source=kept, exceptions=unless)

    @cached_property
    def joined(self) -> tuple[Field, ...]:
        """The fields whose values together are the column's where `fields` have none."""
        return tuple(_fields(self.parts))

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """All fields that it is made of."""
        return self.fields + self.joined

    @cached_property
    def unless(self) -> Conditions:
        """Fields, and texts with which the column has no value."""
        return tuple((Dotted.decode(path), tuple(map(str, texts))) for path, texts in self.exceptions.items())

    @property
    def is_plain(self) -> bool:
        """True if it depends on fields at the top of the data only, and on nothing else."""
        return (
            not self.differs
            and not self.exceptions
            and not self.parts
            and all(len(field.path) == 1 and not field.from_record for field in self.fields)
        )


def _fields(entries: Sequence[str | Field]) -> list[Field]:
    return [Field(entry) if isinstance(entry, str) else entry for entry in entries]
