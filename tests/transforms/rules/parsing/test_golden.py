"""What holds of the golden records of all formats that have them with what they prove: nothing mapped is untested."""

from __future__ import annotations

import json

import pytest

from tests.golden_records import Golden, columns_of, fields_of, golden, mapping_of, with_value, without
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.schemas.mapping_fields import Path as Keys
from uncommon_im.transforms.rules.columns.coerce import coerce_values
from uncommon_im.transforms.rules.parsing.decode import Decoded, decode_lines

FORMATS = (
    "carbonblack",
    "crowdstrike",
    "ecs",
    "harfanglab",
    "m365",
    "ocsf",
    "osquery",
    "sentinelone",
    "sysmon",
    "xdr",
)
LEFT_TO = {"ecs": ("sentinelone",)}
"""Formats whose records look like another's, which leaves them to their own where no format is given."""
CASES = [(read_as, of, case) for of in FORMATS for case in golden(of) for read_as in ("auto", of)]
FIELDS = [(format, path) for format in FORMATS for path in sorted({path for _, path in fields_of(mapping_of(format))})]
COLUMNS = [
    (format, name) for format in FORMATS for name in sorted({name for name, _ in columns_of(mapping_of(format))})
]


def decode(record: object, format: str) -> Decoded:
    return decode_lines([json.dumps(record).encode()], format, load_mappings())


@pytest.mark.parametrize(("read_as", "of", "case"), CASES, ids=[f"{of} as {read} {c.proves}" for read, of, c in CASES])
def test_a_golden_record_gives_the_expected_rows_and_dead_lines(read_as: str, of: str, case: Golden) -> None:
    decoded = decode(case.record, read_as)
    assert decoded.rows == case.rows
    assert [{"reason": dead.reason, "detail": dead.detail} for dead in decoded.rejections] == case.dead


@pytest.mark.parametrize(("format", "field"), FIELDS, ids=[f"{format} {'.'.join(path)}" for format, path in FIELDS])
def test_a_golden_record_gives_other_rows_without_the_field(format: str, field: Keys) -> None:
    places = {(*shape.data, *field) for shape in mapping_of(format).shapes} | {field}
    for case in golden(format):
        if len(case.rows) + len(case.dead) == 1:
            for changed in (without(case.record, place) for place in places):
                decoded = decode(changed, format)
                if (decoded.rows, len(decoded.rejections)) != (case.rows, len(case.dead)):
                    return
    pytest.fail(f"no golden record of {format} proves {'.'.join(field)}")


@pytest.mark.parametrize(("format", "column"), COLUMNS)
def test_every_column_of_a_format_has_a_golden_record_with_and_one_without_it(format: str, column: str) -> None:
    rows = [found for case in golden(format) for found in case.rows]
    assert any(column in found for found in rows)
    assert column == "host_id" or any(column not in found for found in rows)


@pytest.mark.parametrize("format", FORMATS)
def test_any_field_may_hold_anything_and_costs_no_more_than_columns_of_its_record(format: str) -> None:
    odd: list[object] = [None, "", "-", 0, -1, 1.5, 2**63, True, [], [[]], [None, 3], {}, {"a": 1}, "\x00", "9" * 400]
    record = next(case.record for case in golden(format) if len(case.rows) == 1)
    for path in sorted({path for _, path in fields_of(mapping_of(format))}):
        for value in odd:
            decoded = decode(with_value(record, path, value), format)
            assert len(decoded.rows) + len(decoded.rejections) == 1, (path, value)
            for row in decoded.rows:
                for name in EVENT_COLUMNS.keys() - {"event_time"}:
                    assert coerce_values(name, [row.get(name)])[1] == {}, (path, value)


@pytest.mark.parametrize("format", FORMATS)
def test_no_vendors_record_is_taken_for_anothers(format: str) -> None:
    others = set(FORMATS) - {format, *LEFT_TO.get(format, ())}
    for case in (case for other in sorted(others) for case in golden(other)):
        if format == "sysmon" and "winlog" in case.record:
            continue  # winlogbeat's modules make records of `ecs` of these, and leave some of the event's own fields
        decoded = decode(case.record, format)
        assert {dead.reason for dead in decoded.rejections} <= {"malformed", "not_endpoint"}
        assert decoded.rows == [], case.proves
