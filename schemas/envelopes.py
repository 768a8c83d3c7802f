"""What records come wrapped in, as data: `schemas/envelopes.yaml` says how envelopes are told and where records are."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, cast

from msgspec import UNSET, UnsetType

from uncommon_im.schemas.decoding import Entry, NonEmpty, Text, decode
from uncommon_im.schemas.documents import packaged_yaml
from uncommon_im.schemas.mapping_fields import Dotted, Groups, Path

_PACKAGE: Final = "uncommon_im.schemas"
_FILE: Final = "envelopes.yaml"


class Envelope(Entry, frozen=True):
    """One kind of envelope: found if all paths of one alternative of `match` have a value.

    `columns` is where the names of the columns are if records are lists of values.
    """

    id: Text
    match: Groups
    records: Dotted
    encoding: Literal["base64"] | UnsetType = UNSET
    columns: Dotted | UnsetType = UNSET

    @property
    def path(self) -> Path:
        """Where its records are."""
        return cast("Path", self.records)


class _Document(Entry, frozen=True):
    format: Literal[1]
    envelopes: NonEmpty[Envelope]


@cache
def load_envelopes() -> tuple[Envelope, ...]:
    """All envelopes that are known; of several that a record may be, the first counts."""
    return decode(packaged_yaml(_PACKAGE, _FILE), _Document, _FILE).envelopes
