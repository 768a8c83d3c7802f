"""Rows of CSV are records of text, and a row that is none costs itself."""

from __future__ import annotations

import pytest

from tests.pipeline.sources.files.samples import ROWS, csv_of, read, read_and_valid, said
from uncommon_im.pipeline.sources.files.containers.csv_rows import csv_items
from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Item
from uncommon_im.pipeline.sources.files.content import Content
from uncommon_im.pipeline.sources.files.streams import open_content

HEADER = "host_id,event_time,process_name\n"


def items(tmp_path_factory: pytest.TempPathFactory, text: str) -> list[Item]:
    path = tmp_path_factory.mktemp("csv") / "a"
    path.write_text(text, newline="")
    with open_content(str(path), Content(file_type="csv")) as stream:
        return list(csv_items(stream, ","))


@pytest.mark.parametrize(
    ("row", "record"),
    [
        ("h,t,p\n", b'{"host_id":"h","event_time":"t","process_name":"p"}'),
        ("h,,p\r\n", b'{"host_id":"h","process_name":"p"}'),
        ("h\n", b'{"host_id":"h"}'),
        ("h,t,p,,\n", b'{"host_id":"h","event_time":"t","process_name":"p"}'),
        ('"h""1""",t,"a,b\n\nc"\n', b'{"host_id":"h\\"1\\"","event_time":"t","process_name":"a,b\\n\\nc"}'),
        ("007,1e3,true\n", b'{"host_id":"007","event_time":"1e3","process_name":"true"}'),
    ],
)
def test_a_row_is_an_object_of_its_cells(tmp_path_factory: pytest.TempPathFactory, row: str, record: bytes) -> None:
    assert items(tmp_path_factory, HEADER + row) == [record]


@pytest.mark.parametrize("row", ["\n", ",,\n", HEADER, ""])
def test_blank_rows_and_headers_that_come_again_are_no_records(
    tmp_path_factory: pytest.TempPathFactory, row: str
) -> None:
    assert items(tmp_path_factory, HEADER + row) == []


def test_a_row_of_too_many_cells_is_a_dead_letter(tmp_path_factory: pytest.TempPathFactory) -> None:
    broken = Broken("no row of CSV: it has 4 cells, and the header 3", '["h","t","p","more"]')
    good = b'{"host_id":"h"}'
    assert items(tmp_path_factory, f"{HEADER}h\nh,t,p,more\nh\n") == [good, broken, good]


def test_a_column_that_is_there_twice_makes_the_file_unreadable() -> None:
    outcome = read("DeviceId,ActionType,DeviceId\na,b,c\n")
    problem = "its header has 2 columns DeviceId: which of them counts?"
    assert said(outcome) == [(1, f"cannot be read from record 1 on: {problem}")]


def test_a_quote_that_is_never_closed_costs_bounded_memory() -> None:
    outcome = read(csv_of(",") + '"' + "x," * 3_000_000)
    assert outcome.counts[("events", "valid")] == 2
    assert said(outcome)[0] == (3, "no row of CSV: field larger than field limit (1048576)")


def test_a_line_that_is_too_long_costs_itself() -> None:
    outcome = read(csv_of(",", ROWS[:1]) + "y" * 17_000_000 + "\r\n" + csv_of(",", ROWS[1:]))
    assert read_and_valid(outcome) == (3, 2)
    assert said(outcome) == [(2, "no row of CSV: a line is longer than 16,777,216 characters: raw holds its beginning")]
