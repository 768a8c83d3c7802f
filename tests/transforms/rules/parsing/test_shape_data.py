"""The fields of a record are found however it writes them."""

from __future__ import annotations

import json

import pytest

from tests.adapting import adapt
from uncommon_im.schemas.mapping import Shape, VendorMapping, parse_mapping
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.adapt import Row
from uncommon_im.transforms.rules.parsing.shape_data import data_of

NAMES = {2: ("Image", "User"), 3: ("Rule", "Image", "User")}
EXPECTED = {"Image": "a.exe", "User": "m"}


def mapping(**more: object) -> VendorMapping:
    document = {
        "format": 1,
        "id": "x",
        "key": ["kind"],
        "shapes": [{"id": "s", "match": [["k"]], "key": {"kind": ["k"]}, "data": "d", **more}],
        "events": [
            {"key": {"kind": [1]}, "columns": {"process_name": "Image"}, "inserts": [["Image", "User"]]},
            {"key": {"kind": [2]}, "skip": "of no use"},
        ],
    }
    return parse_mapping(document, "x.yaml")


def shape(**more: object) -> Shape:
    return mapping(**more).shapes[0]


@pytest.mark.parametrize(
    "data",
    [
        EXPECTED,
        json.dumps(EXPECTED),
        f" {json.dumps(EXPECTED)}\n",
        "<EventData><Data Name='Image'>a.exe</Data><Data Name='User'>m</Data></EventData>",
        [{"Name": "Image", "Value": "a.exe"}, {"Name": "User", "Value": "m"}],
        [{"@Name": "Image", "#text": "a.exe"}, {"@Name": "User", "#text": "m"}],
        [{"#attributes": {"Name": "Image"}, "#text": "a.exe"}, {"#attributes": {"Name": "User"}, "#text": "m"}],
        [{"Image": "a.exe"}, {"User": "m"}],
        ["a.exe", "m"],
        [{"Value": "a.exe"}, {"Value": "m"}],
        json.dumps(["a.exe", "m"]),
    ],
)
def test_data_may_be_an_object_text_that_holds_one_or_a_list(data: object) -> None:
    assert data_of({"k": 1, "d": data}, shape(), NAMES) == EXPECTED


@pytest.mark.parametrize(
    "data", [{"Data": [{"@Name": "User", "#text": "m"}], "Image": "a.exe"}, {"data": ["a.exe", "m"]}]
)
def test_a_list_inside_of_the_data_gives_fields_as_well(data: Row) -> None:
    found = data_of({"d": data}, shape(), NAMES)
    assert isinstance(found, dict)
    assert found.items() >= EXPECTED.items()


@pytest.mark.parametrize("data", [None, "", {}, "  <EventData/>"])
def test_no_data_is_no_fields(data: object) -> None:
    assert data_of({"k": 1, "d": data}, shape(), NAMES) == {}


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (7, "d is no object"),
        (True, "d is no object"),
        ("text", "d is no object"),
        ("7", "d is no object"),
        ([[1], [2]], "d is no object"),
        ('{"Image": ', "d: invalid JSON: input data was truncated"),
        ("<EventData>", "d: no XML of an event: no element found: line 1, column 11"),
        (["a"], "d: 1 values without names, which are known for 2, 3 of this event: export it with names"),
        ([], "d: 0 values without names, which are known for 2, 3 of this event: export it with names"),
        ("[" * 100_000, "d: invalid JSON: nested too deeply"),
    ],
)
def test_other_data_is_malformed_and_says_where(data: object, detail: str) -> None:
    found = data_of({"d": data}, shape(), NAMES)
    if data == []:
        assert found == {}
    else:
        assert found == Rejection("malformed", detail)


def test_fields_beside_the_data_count_where_it_has_none_of_the_name() -> None:
    record: Row = {"k": 1, "User": "beside", "Path": "p", "d": json.dumps({"User": "inside"})}
    assert data_of(record, shape(beside=True), {}) == {**record, "User": "inside"}
    assert data_of(record, shape(), {}) == {"User": "inside"}
    assert data_of({"k": 1, "User": "beside"}, shape(beside=True), {}) == {"k": 1, "User": "beside"}


def test_values_without_names_count_where_there_is_no_data() -> None:
    values: Row = {"v": ["a.exe", "m"]}
    for nothing in (None, "", {}):
        assert data_of({**values, "d": nothing}, shape(inserts="v"), NAMES) == EXPECTED
    assert data_of({**values, "d": {"Image": "b.exe"}}, shape(inserts="v"), NAMES) == {"Image": "b.exe"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("C:\\\\Tools\\\\a.exe", "C:\\Tools\\a.exe"),
        ("\\\\\\\\files\\\\share\\\\a.exe", "\\\\files\\share\\a.exe"),
        ("C:\\Tools\\a.exe", "C:\\Tools\\a.exe"),
        ("\\\\files\\share", "\\\\files\\share"),
        ("plain", "plain"),
        (7, 7),
        ('\\"C:\\\\Tools\\\\a.exe\\" --say \\"a b\\"', '"C:\\Tools\\a.exe" --say "a b"'),
        ('a.exe \\"say \\\\\\"b\\\\\\"\\"', 'a.exe "say \\"b\\""'),
        ('a.exe "say \\"b\\""', 'a.exe "say \\"b\\""'),
        ('"C:\\\\Tools\\\\a.exe"', '"C:\\Tools\\a.exe"'),
        ('"C:\\Tools\\a.exe" \\"b\\"', '"C:\\Tools\\a.exe" \\"b\\"'),
    ],
)
def test_escaped_data_loses_backslashes_only_if_all_were_added(written: object, expected: object) -> None:
    assert data_of({"d": {"image": written}}, shape(escaped=True), {}) == {"Image": expected}


def test_data_that_cannot_be_told_costs_only_events_that_are_read() -> None:
    assert adapt({"k": 1, "d": "{"}, mapping()) == Rejection("malformed", "d: invalid JSON: input data was truncated")
    assert adapt({"k": 2, "d": "{"}, mapping()) == Rejection("not_endpoint", "of no use")
    assert adapt({"k": 3, "d": "{"}, mapping()) == Rejection("not_endpoint", "x does not read kind 3")


def test_values_are_named_as_their_kind_of_record_says() -> None:
    assert adapt({"k": 1, "d": ["a.exe", "m"]}, mapping()) == {"process_name": "a.exe"}
