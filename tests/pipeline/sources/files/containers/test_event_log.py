"""Windows event logs are read record by record; what is damaged of them costs itself."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.pipeline.sources.files.containers.event_log_writer import CHUNK_BYTES, HEADER_BYTES, event_log
from tests.pipeline.sources.files.samples import EVENT, read, said, zip_of
from uncommon_im.pipeline.sources.files.containers import event_log as module
from uncommon_im.pipeline.sources.files.containers import event_log_reader
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy

XML = EVENT.replace(" xmlns='http://schemas.microsoft.com/win/2004/08/events/event'", "").replace("\n", "")
LOG = event_log([XML.format(name="one"), XML.format(name="two")], [XML.format(name="three")])
SKIP = BadFilePolicy("skip")


def images(tmp_path: Path, data: bytes) -> tuple[list[str], list[str]]:
    """Images of the events, and what is wrong."""
    path = tmp_path / "a"
    path.write_bytes(data)
    blocks = [
        block
        for reading in plan_readings(InputFile(str(path), len(data), "1/1"), JsonOptions(policy=SKIP))
        for block in reading.blocks(SKIP)
    ]
    records = [json.loads(line)["Event"] for block in blocks for line in block.lines]
    assert all(record["System"]["Computer"] == "lt-0042.corp.example" for record in records)
    names = [record["EventData"]["Image"].rpartition("\\")[2] for record in records]
    return names, [letter.detail for block in blocks for letter in block.lost]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: zip_of({"a.evtx": data})], ids=["", "gzip", "zip"])
def test_every_record_of_every_chunk_is_read(tmp_path: Path, pack: type[bytes]) -> None:
    assert images(tmp_path, pack(LOG)) == (["one.exe", "two.exe", "three.exe"], [])


def test_a_chunk_that_is_not_written_yet_is_no_damage(tmp_path: Path) -> None:
    for room in (bytes(CHUNK_BYTES), b"left here" + bytes(CHUNK_BYTES - 9)):
        assert images(tmp_path, LOG + room) == (["one.exe", "two.exe", "three.exe"], [])


def test_a_damaged_chunk_costs_itself(tmp_path: Path) -> None:
    damaged = LOG[:HEADER_BYTES] + b"garbage!" * 64 + LOG[HEADER_BYTES + 512 :]
    names, problems = images(tmp_path, damaged)
    assert names == ["three.exe"]
    assert len(problems) == 1
    assert problems[0].startswith("cannot be read from record 1 on: Failed to parse chunk")
    assert "\n" not in problems[0]


@pytest.mark.parametrize("size", [8, 200, HEADER_BYTES, HEADER_BYTES + 100, HEADER_BYTES + CHUNK_BYTES // 2])
def test_a_log_that_is_cut_is_one_clear_line_or_what_can_be_read_of_it(size: int) -> None:
    assert all("cannot be read from record" in detail for _, detail in said(read(LOG[:size])))


def test_a_file_that_is_said_to_be_a_log_and_is_none_is_one_clear_line() -> None:
    ((number, detail),) = said(read("{}", file_type="evtx"))
    assert number == 1
    assert detail.startswith("cannot be read from record 1 on: it is no Windows event log: ")


@pytest.mark.parametrize(
    "program",
    ["time.sleep(60)", "os.abort()", "print('+{}', flush=True); os.abort()"],
)
def test_a_log_that_is_never_read_to_its_end_costs_the_rest_of_itself(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "reader.py"
    fake.write_text(f"import os, time\n{program}\n")
    monkeypatch.setattr(module, "SILENCE_S", 2)
    monkeypatch.setattr(event_log_reader, "__file__", str(fake))
    detail = said(read(LOG))[0][1]
    assert detail.endswith("the rest is damaged in a way that it cannot be read past")
