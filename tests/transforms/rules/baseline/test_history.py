"""What hosts showed as masks of days: there and back, and nothing that a later day cannot need."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import DAY, Sighting, quick, rows_of, sightings
from uncommon_im.schemas.snapshot import HOST_SIGHTING_SCHEMA
from uncommon_im.transforms.rules.baseline.history import pack, unpack, within
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA

LONGEST = 62
"""The longest window that a mask holds."""

texts = st.sampled_from(("a", "b", "ä", '["binary","0"]', ""))
ages = st.integers(1, LONGEST)
kept = st.lists(st.tuples(texts, texts, texts, ages.map(lambda age: DAY - age)), max_size=40)
anywhere = st.lists(st.tuples(texts, texts, texts, st.integers(DAY - 80, DAY + 5)), max_size=40)


@quick
@given(rows=kept)
def test_what_is_packed_and_unpacked_is_the_same_sightings_each_once(rows: list[Sighting]) -> None:
    unpacked = unpack(pack(sightings(rows), DAY), DAY)
    assert unpacked.schema == SIGHTING_SCHEMA
    assert rows_of(unpacked) == sorted(set(rows), key=repr)


@quick
@given(rows=kept)
def test_bit_k_of_a_mask_is_the_day_k_days_before_the_newest(rows: list[Sighting]) -> None:
    masks: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for tenant, subject, host, day in rows:
        masks[tenant, host, subject] |= 1 << (DAY - 1 - day)
    packed = pack(sightings(rows), DAY)
    assert packed.schema == HOST_SIGHTING_SCHEMA
    assert rows_of(packed) == sorted(((*key, mask) for key, mask in masks.items()), key=repr)


@quick
@given(rows=kept, again=kept, later=st.integers(0, LONGEST))
def test_masks_handed_on_are_the_masks_of_all_sightings(
    rows: list[Sighting], again: list[Sighting], later: int
) -> None:
    """A chain of snapshots forgets what one over all days would not keep either, and nothing else."""
    newer = [(tenant, subject, host, day + later) for tenant, subject, host, day in again]
    handed = pa.concat_tables([unpack(pack(sightings(rows), DAY), DAY), sightings(newer)])
    chained = pack(within(handed, DAY + later, LONGEST), DAY + later)
    at_once = pack(within(sightings([*newer, *rows]), DAY + later, LONGEST), DAY + later)
    assert rows_of(chained) == rows_of(at_once)


@quick
@given(rows=anywhere, days=ages)
def test_within_keeps_the_days_of_the_window_and_no_other(rows: list[Sighting], days: int) -> None:
    found = rows_of(within(sightings(rows), DAY, days))
    assert found == sorted((row for row in rows if DAY - days <= row[-1] < DAY), key=repr)


@pytest.mark.parametrize("age", [1, 2, 30, 31, 32, 33, LONGEST])
def test_every_day_of_the_longest_window_has_its_bit(age: int) -> None:
    packed = pack(sightings([("acme", "s", "h1", DAY - age)]), DAY)
    assert rows_of(packed) == [("acme", "h1", "s", 1 << (age - 1))]
    assert rows_of(unpack(packed, DAY)) == [("acme", "s", "h1", DAY - age)]


def test_no_sightings_are_no_masks_and_no_masks_are_no_sightings() -> None:
    assert pack(sightings([]), DAY).equals(HOST_SIGHTING_SCHEMA.empty_table())
    assert unpack(HOST_SIGHTING_SCHEMA.empty_table(), DAY).equals(SIGHTING_SCHEMA.empty_table())
    assert within(sightings([]), DAY, 30).num_rows == 0
