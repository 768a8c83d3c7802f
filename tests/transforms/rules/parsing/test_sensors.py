"""How sensors write times, signatures, digests and questions, and what becomes of them."""

from __future__ import annotations

import json

import pytest

from tests.golden_records import golden
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.coerce import Scalar
from uncommon_im.transforms.rules.parsing.converters import CONVERTERS
from uncommon_im.transforms.rules.parsing.decode import decode_lines
from uncommon_im.transforms.rules.parsing.lookups import lookup
from uncommon_im.transforms.rules.parsing.sensors import digest

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((text, 1_772_359_200_250) for text in ("1772359200.250", 1772359200.25, "1772359200250", 1772359200250)),
        *((text, 1_772_359_200_250) for text in (1772359200250000, "1772359200250000", 1772359200250000000)),
        ("1772359200", 1_772_359_200_000),
        (1772359200, 1_772_359_200_000),
        (" 1772359200.000001 ", 1_772_359_200_000.001),
        (946684800, 946_684_800_000),
        (4102444799, 4_102_444_799_000),
        (946684800000, 946_684_800_000),
        (4102444799999, 4_102_444_799_999),
        (0, 0),
        (-1, -1),
        ("12", 12),
        *((text, None) for text in ("", "-", "soon", "1e9", "1.5.2", "2026-03-01T10:00:00Z", "9" * 21, None)),
    ],
)
def test_a_times_unit_is_seen_from_its_size(written: Scalar, expected: Scalar) -> None:
    assert CONVERTERS["epoch"](written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-01 10:00:00.6862945 +0000 UTC", "2026-03-01T10:00:00.6862945+00:00"),
        ("2026-03-01 12:00:00 +0200 CEST", "2026-03-01T12:00:00+02:00"),
        ("2026-03-01T10:00:00.540Z", "2026-03-01T10:00:00.540Z"),
        ("yesterday", "yesterday"),
        (5, 5),
    ],
)
def test_a_time_of_go_keeps_its_zone(written: Scalar, expected: Scalar) -> None:
    assert CONVERTERS["go_time"](written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("type:  28 a.example", "a.example"), ("type: 1 a.example", "a.example"), ("a.example", "a.example"), (7, 7),
     ("type: a.example", "type: a.example")],
)  # fmt: skip
def test_a_question_loses_its_records_type(written: Scalar, expected: Scalar) -> None:
    assert CONVERTERS["question"](written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        *((flags, "signed") for flags in ("8683538", "9175042", "787456", 0x40000)),
        *((flags, "unsigned") for flags in ("512", 0x200 | 0x8000)),
        *((flags, "invalid") for flags in (0x40000 | 0x800, 0x40000 | 1 << 29, 0x80000 | 0x400)),
        *((flags, None) for flags in ("0", "131072", "", "x", -1, "9" * 30)),
    ],
)
def test_falcons_bits_say_how_a_signature_is(written: Scalar, expected: Scalar) -> None:
    assert CONVERTERS["sign_info_flags"](written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("SIGNED | VERIFIED | TRUSTED | OS", "signed"),
        ("SIGNED | TRUSTED", "signed"),
        ("SIGNED", None),
        ("NOT_SIGNED", "unsigned"),
        ("SIGNED | INVALID", "invalid"),
        ("UNKNOWN", None),
        ("", None),
    ],
)
def test_carbon_blacks_states_say_how_a_signature_is(written: str, expected: Scalar) -> None:
    states = written if not written else " | ".join(f"FILE_SIGNATURE_STATE_{state}" for state in written.split(" | "))
    assert CONVERTERS["file_signature_state"](states) == expected
    assert CONVERTERS["file_signature_state"](states.split(" | ")) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("18446744073709551505", -111),
        (18446744073709551501, -115),
        (" -111 ", -111),
        ("0", 0),
        (9223372036854775807, 9223372036854775807),
        ("9223372036854775808", -9223372036854775808),
        ("18446744073709551616", 18446744073709551616),
        *((other, None) for other in ("", "x", "1.5", True, "-", "9" * 30)),
    ],
)
def test_an_error_that_lost_its_sign_has_it_again(written: Scalar, expected: Scalar) -> None:
    assert CONVERTERS["signed_integer"](written) == expected


@pytest.mark.parametrize(
    ("actions", "prevented", "listens"),
    [
        ("ACTION_CONNECTION_CREATE", None, None),
        ("ACTION_CONNECTION_CREATE | ACTION_CONNECTION_ESTABLISHED", None, None),
        ("ACTION_CONNECTION_CREATE | ACTION_CONNECTION_CREATE_FAILED", True, None),
        ("action_connection_create_failed", True, None),
        ("ACTION_CONNECTION_LISTEN", None, "inbound"),
        ("ACTION_CONNECTION_LISTEN|ACTION_CONNECTION_CREATE", None, "inbound"),
        ("ACTION_ALLOW", None, None),
        *((action, True, None) for action in ("ACTION_BLOCK", "ACTION_TERMINATE", "ACTION_BREAK | ACTION_ALLOW")),
        *((other, None, None) for other in ("", "ACTION_BLOCKED_NOT", 3)),
    ],
)
def test_carbon_blacks_actions_say_whether_a_connection_came_about_and_who_waits(
    actions: Scalar, prevented: Scalar, listens: Scalar
) -> None:
    assert CONVERTERS["if_prevented"](actions) is prevented
    assert CONVERTERS["if_listens"](actions) == listens


@pytest.mark.parametrize(
    ("written", "expected"),
    [("unverified", "invalid"), (" Not Verified ", "invalid"), ("verified", None), ("", None), (1, None)],
)
def test_a_signature_that_was_not_verified_is_invalid(written: Scalar, expected: Scalar) -> None:
    assert CONVERTERS["unverified"](written) == expected


@pytest.mark.parametrize(
    "written",
    [
        SHA256,
        f" {SHA256.upper()} ",
        ["cd" * 16, SHA256],
        [{"algorithm_id": 1, "value": "cd" * 16}, {"algorithm_id": 3, "value": SHA256}],
        [{"algorithm_id": 13, "value": "cd" * 32}, {"algorithm": "SHA-256", "value": SHA256}],
        [{"algorithm_id": None, "value": SHA256}],
    ],
)
def test_a_digest_is_found_among_others(written: object) -> None:
    assert digest(written) == SHA256


@pytest.mark.parametrize("written", ["", "-", "0" * 64, "ab" * 16, [], [[], None, 3], [{"value": 5}], {}, 7, "x" * 64])
def test_what_is_no_sha256_is_no_digest(written: object) -> None:
    assert digest(written) is None


def test_a_path_goes_into_the_first_object_of_a_list() -> None:
    assert lookup({"a": [{"b": 1}, {"b": 2}]}, ("a", "b")) == 1
    for odd in ([], [1, {"b": 1}], "b", None):
        assert lookup({"a": odd}, ("a", "b")) is None


def test_a_row_of_a_batch_is_a_record_that_gives_the_same_row_again() -> None:
    case = next(case for case in golden("osquery") if len(case.rows) > 1)
    decoded = decode_lines([json.dumps(case.record).encode()], "auto", load_mappings())
    assert len(decoded.records) == len(case.rows)
    for place, record in decoded.records.items():
        again = decode_lines([json.dumps(record).encode()], "auto", load_mappings())
        assert again.rows == [decoded.rows[place]]


def test_of_sentinelones_lookups_the_resolver_is_not_who_asks() -> None:
    lookups = [case for case in golden("sentinelone") if case.record.get("osSrc.process.name") == "svchost.exe"]
    assert lookups
    assert all(row.get("process_name") != "svchost.exe" for case in lookups for row in case.rows)


def test_crowdstrikes_connections_name_no_process_but_its_instance() -> None:
    rows = [row for case in golden("crowdstrike") for row in case.rows if row["event_type"] != "process"]
    assert all("process_name" not in row for row in rows)
    starts = {
        row["process_guid"] for case in golden("crowdstrike") for row in case.rows if row["event_type"] == "process"
    }
    assert starts & {row.get("process_guid") for row in rows}
