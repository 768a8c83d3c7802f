"""Every event is the same event in every dialect and spelling of Cortex XDR, column by column."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest

from tests.dialects import Written, portable_organisation, write_xdr
from tests.oracle.builder import Record
from tests.oracle.events import DeadLetterError, normalise
from uncommon_im.schemas.event import FAILED
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.coerce import to_integer
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines

SEEDS = range(12)


organisation_of = cache(portable_organisation)


def decode(written: Written, format: str) -> Decoded:
    return decode_lines([json.dumps(record).encode() for record in written.records], format, load_mappings())


def event_of(record: Record) -> str:
    """What a native record or an adapted row says, comparable; the reason if it is a dead letter."""
    time = record.get("event_time")
    if isinstance(time, float) or (isinstance(time, str) and time.strip().isdecimal()):
        record = record | {"event_time": to_integer(time)}
    whole = {name: int(value) if isinstance(value, float) else value for name, value in record.items()}
    try:
        columns = dict(normalise(whole, "default").columns)
    except DeadLetterError as reason:
        return str(reason)
    if columns.get("direction") == "inbound" or record.get(FAILED):
        # Neither is a communication: one may be written as the other.
        columns |= {"direction": "none"}
    if columns.get("direction") == "none":
        columns["event_id"] = record.get("event_id")
    return json.dumps(columns, sort_keys=True)


@pytest.mark.parametrize("format", ["auto", "xdr"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_event_is_the_same_in_every_dialect_and_spelling(seed: int, format: str) -> None:
    organisation = organisation_of(seed)
    written = write_xdr(organisation.records, f"{format} {seed}")
    decoded = decode(written, format)
    found = Counter(event_of(row) for row in decoded.rows) + Counter(line.reason for line in decoded.rejections)
    expected = Counter(event_of(record) for record in organisation.records)
    for counts in (found, expected):  # a connection of nobody is a firewall's to XDR, a start is one all the same
        counts["not_endpoint"] += counts.pop("missing_field:process_name", 0)
    expected["not_endpoint"] += written.decoys
    assert found - expected == Counter()
    assert +expected == found


def test_the_writer_reaches_every_dialect() -> None:
    used: Counter[str] = Counter()
    for seed in SEEDS:
        used += write_xdr(organisation_of(seed).records, seed).used
    assert min(used.values()) >= 20
    assert set(used) == {
        "row",
        "row of the OS's actor",
        "xdr_data",
        "xdr_data list",
        "forwarded connection",
        "forwarded start",
        "alert, list",
        "alert, list of one",
        "alert, one object",
        "every value in a list",
        "host by its name",
        "alert's host by its name",
        "decoy",
        "decoy between events",
        "malformed",
    }
