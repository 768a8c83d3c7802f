"""JSON lines become rows or dead lines, every one of them."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections import Counter

import pytest

from tests import GOLDEN, SHARED
from tests.transforms.rules.parsing.foreign import is_nobodys
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Row
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines, formats

SYSMON = GOLDEN / "sysmon"
REAL = SHARED / "data" / "security-datasets" / "records.jsonl.gz"
NATIVE: Row = {
    "event_time": 1709630131000,
    "host_id": "h1",
    "process_name": "a.exe",
    "remote_host": "chat.example.net",
}


def decode(*lines: bytes, format: str = "auto") -> Decoded:
    return decode_lines(lines, format, load_mappings())


def encode(record: object) -> bytes:
    return json.dumps(record).encode()


def detail(line: bytes) -> str:
    decoded = decode(line)
    assert decoded.rows == []
    assert [dead.reason for dead in decoded.rejections] == ["malformed"]
    return decoded.rejections[0].detail


def golden(name: str) -> list[bytes]:
    return [encode(json.loads(line)["record"]) for line in (SYSMON / f"{name}.jsonl").read_bytes().splitlines()]


def letter(raw: str, reason: str = "malformed") -> bytes:
    return encode({"reason": reason, "raw": raw, "source": "in.jsonl"})


def test_native_records_pass_through_as_they_are() -> None:
    assert decode(encode(NATIVE), format="native").rows == [NATIVE]


def test_blank_lines_are_no_records_and_indexes_count_them() -> None:
    decoded = decode(b"", encode(NATIVE), b"  \r\n", b"[]", encode(NATIVE) + b"\r\n")
    assert decoded.rows_line == [1, 4]
    assert [dead.row for dead in decoded.rejections] == [3]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"[1, 2]", "line is a JSON list, expected an object"),
        (b'"text"', "line is a JSON string, expected an object"),
        (b"3", "line is a JSON number, expected an object"),
        (b"1.5", "line is a JSON number, expected an object"),
        (b"true", "line is a JSON truth value, expected an object"),
        (b"null", "line is a JSON null, expected an object"),
        (b'{"host_id": "a", nope}', "invalid JSON: object keys must be strings at byte 17"),
        (b'{"a": NaN}', "invalid JSON: invalid character at byte 6"),
        (b'{"a": 1} {"b": 2}', "invalid JSON: trailing characters at byte 10"),
        (b'{"a": "b', "invalid JSON: input data was truncated"),
        (b'{"a": "\xff"}', "invalid JSON: not UTF-8 text"),
        (b'{"a": ' * 50_000, "invalid JSON: nested too deeply"),
        (b"[" * 50_000, "invalid JSON: nested too deeply"),
        (b"\x00\x01", "invalid JSON: invalid character at byte 0"),
    ],
)
def test_a_line_that_is_no_object_is_malformed_and_says_what_it_is(line: bytes, expected: str) -> None:
    assert detail(line) == expected


def test_a_bad_line_costs_its_neighbours_nothing() -> None:
    decoded = decode(encode(NATIVE), b"{", b"[" * 50_000, b"\xff", encode(NATIVE))
    assert decoded.rows_line == [0, 4]
    assert [dead.row for dead in decoded.rejections] == [1, 2, 3]


def test_random_bytes_never_raise_and_are_all_accounted_for() -> None:
    seeds = [encode(NATIVE), *golden("flat"), *golden("winlogbeat")]
    chance = random.Random(7)
    lines = []
    for line in itertools.islice(itertools.cycle(seeds), 2000):
        broken = bytearray(line)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        lines.append(bytes(broken))
    decoded = decode(*lines)
    assert len(decoded.rows) + len(decoded.rejections) == len(lines)


def test_a_byte_order_mark_is_no_error() -> None:
    assert decode(b"\xef\xbb\xbf" + encode(NATIVE)).rows == [NATIVE]


def test_auto_decides_a_record_so_that_mixed_files_work_in_any_order() -> None:
    lines = [
        encode(NATIVE),
        *golden("flat"),
        *golden("winlogbeat"),
        *golden("dumps"),
        *golden("forwarders"),
        *golden("rejected"),
    ]
    expected = [decode(line) for line in lines]
    order = list(range(len(lines)))
    random.Random(3).shuffle(order)
    mixed = decode(*[lines[n] for n in order])
    rows = {order[at]: row for at, row in zip(mixed.rows_line, mixed.rows, strict=True)}
    assert rows == {n: alone.rows[0] for n, alone in enumerate(expected) if alone.rows}
    dead = {order[line.row]: line.detail for line in mixed.rejections}
    assert dead == {n: alone.rejections[0].detail for n, alone in enumerate(expected) if alone.rejections}


def test_a_record_that_no_format_recognises_says_so_under_auto_only() -> None:
    (dead,) = decode(b'{"message": "hello"}').rejections
    assert dead.reason == "missing_field:event_time"
    assert dead.detail.startswith("no format recognises the record (keys: message), and as a native event it has no")
    assert decode(b'{"message": "hello", "os": "linux"}').rows == [{"message": "hello", "os": "linux"}]
    assert decode(b'{"message": "hello"}', format="native").rows == [{"message": "hello"}]
    assert decode(b'{"message": "hello"}', format="sysmon").rejections[0].reason == "malformed"


def test_a_native_record_with_the_key_event_id_is_not_taken_for_a_vendors() -> None:
    record = {**NATIVE, "event_id": "e1", "EventID": 3, "Channel": "Security"}
    assert decode(encode(record)).rows == [record]


def test_a_native_record_may_say_that_it_failed() -> None:
    record = {**NATIVE, "failed": True}
    assert decode(encode(record)).rows == [record]


def test_a_vendors_rejection_is_a_dead_line_with_its_reason() -> None:
    line = encode({"EventID": 4624, "Channel": "Security"})
    assert decode(line).rejections == [
        Rejection("not_endpoint", "sysmon does not read channel security, event id 4624", 0)
    ]


@pytest.mark.parametrize("reason", ["malformed", "not_endpoint", "missing_field:event_time", "future_timestamp"])
@pytest.mark.parametrize("format", ["auto", "sysmon"])
def test_a_dead_letter_is_read_as_the_record_that_it_holds(reason: str, format: str) -> None:
    raw = golden("flat")[0]
    decoded = decode(letter(raw.decode(), reason), raw, format=format)
    assert decoded.rows[0] == decoded.rows[1]
    assert list(decoded.lines) == [raw, raw]


def test_a_dead_letter_of_a_bad_line_is_malformed_again_and_keeps_the_bad_line_only() -> None:
    decoded = decode(letter("{"), letter(""))
    assert [dead.reason for dead in decoded.rejections] == ["malformed", "malformed"]
    assert list(decoded.lines) == [b"{", b""]


def test_a_dead_letter_inside_a_dead_letter_is_opened_one_level() -> None:
    inner = letter(encode(NATIVE).decode())
    decoded = decode(letter(inner.decode()))
    assert list(decoded.lines) == [inner]
    assert is_nobodys(decoded, json.loads(inner))


@pytest.mark.parametrize(
    "record",
    [
        {"reason": "because", "raw": "{}", "source": "s"},
        {"reason": "malformed", "raw": {}, "source": "s"},
        {"reason": ["malformed"], "raw": "{}", "source": "s"},
        {"reason": "malformed", "raw": "{}"},
        {**NATIVE, "reason": "malformed", "raw": "{}", "source": "s"},
    ],
)
def test_a_record_that_only_resembles_a_dead_letter_is_read_itself(record: Row) -> None:
    assert is_nobodys(decode(encode(record)), record)


def test_an_unknown_format_is_named_with_those_that_exist() -> None:
    assert formats(load_mappings())[:2] == ["auto", "native"]
    with pytest.raises(ValueError, match=r"unknown format 'sysmno': expected one of auto, native, .*sysmon"):
        decode(format="sysmno")


@pytest.mark.skipif(not REAL.is_file(), reason="the real Windows records are not on this machine")
def test_every_real_record_is_a_row_or_rejected_and_counts_agree_by_event_id() -> None:
    lines = gzip.decompress(REAL.read_bytes()).splitlines()
    decoded = decode(*lines, format="sysmon")
    assert len(lines) == 20_565
    assert len(decoded.rows) + len(decoded.rejections) == len(lines)
    assert decoded.rejections == []
    assert decoded.rows == decode(*lines).rows
    ids = [json.loads(line) for line in lines]
    pairs = Counter(
        (int(record.get("EventID") or record["event_id"]), row["event_type"], row.get("failed", False))
        for record, row in zip(ids, decoded.rows, strict=True)
    )
    assert pairs == {
        (3, "network", False): 7183,
        (22, "dns", False): 2059,
        (5156, "network", False): 10_996,
        (5157, "network", True): 47,
        (3006, "dns", False): 127,
        (3008, "dns", False): 130,
        (3020, "dns", False): 23,
    }
    assert Counter(row.get("direction") for row in decoded.rows)["inbound"] == 1385 + 2383 + 47
    assert sum(row.get("dns_status") == 0 for row in decoded.rows) == 492
