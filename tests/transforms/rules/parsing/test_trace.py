"""The trace of a line says what the decoder makes of it, and why."""

from __future__ import annotations

import json

import pytest

from tests.golden_records import golden
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.decode import decode_lines
from uncommon_im.transforms.rules.parsing.recognise import AUTO, recogniser
from uncommon_im.transforms.rules.parsing.trace import NO_RECORD, NOBODYS, Traced, trace

NATIVE = {"event_time": 1, "host_id": "h"}


def traced(record: object) -> list[Traced]:
    return list(trace(json.dumps(record).encode(), recogniser(AUTO, load_mappings(), False)))


@pytest.mark.parametrize("format", [mapping.id for mapping in load_mappings() if mapping.id != "sysmon"])
def test_a_trace_gives_what_the_decoder_gives_in_its_order(format: str) -> None:
    for case in golden(format):
        for record in (case.record, {"records": [case.record, 7]}):
            decoded = decode_lines([json.dumps(record).encode()], AUTO, load_mappings())
            found = traced(record)
            assert [each.found for each in found if not isinstance(each.found, Rejection)] == decoded.rows
            dead = [each.found for each in found if isinstance(each.found, Rejection)]
            assert [(each.reason, each.detail) for each in dead] == [(d.reason, d.detail) for d in decoded.rejections]


def test_a_trace_names_the_format_and_the_envelopes() -> None:
    wrapped = {"hits": {"hits": [{"_source": NATIVE}, {"_source": {"a": 1}}, 3]}}
    assert [(each.format, each.wrapping) for each in traced(wrapped)] == [
        ("native", ("search reply", "search hit")),
        (NOBODYS, ("search reply", "search hit")),
        (NO_RECORD, ("search reply",)),
    ]


def test_a_line_that_is_no_record_is_traced_too() -> None:
    assert [each.format for each in traced("hello")] == [NO_RECORD]
    assert [(each.format, each.wrapping) for each in traced([NATIVE])] == [("native", ("text around it",))]
