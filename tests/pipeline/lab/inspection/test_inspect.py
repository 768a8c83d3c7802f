"""`uncommon-im inspect` says what files are, without Beam."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.golden_records import golden
from tests.running import write_parquet
from uncommon_im.pipeline.cli.main import main
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.parsing.trace import NO_RECORD

NATIVE = {"event_time": "2026-03-03T10:00:00Z", "host_id": "h-1", "process_name": "a.exe", "remote_host": "t.me"}


def inspected(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    assert main(["inspect", "--json", *map(str, arguments)]) == 0
    files: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["files"]
    return files


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("format", [mapping.id for mapping in load_mappings() if mapping.id != "sysmon"])
def test_golden_records_of_a_format_are_told_as_its_own(
    format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [case for case in golden(format) if case.rows]
    (file,) = inspected(capsys, lines(tmp_path / "x", *(case.record for case in cases)), "--format", format)
    assert {row["format"] for row in file["formats"]} - {NO_RECORD} == {format}
    assert file["events"] + sum(dead["records"] for dead in file["dead_letters"]) == file["records"]


def test_kind_days_types_wrapping_and_what_is_lacking_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = {**NATIVE, "event_time": "2026-03-05T10:00:00Z", "event_type": "process", "remote_host": None}
    path = tmp_path / "export"
    path.write_bytes(gzip.compress("".join(json.dumps({"_source": r}) + "\n" for r in (NATIVE, later)).encode()))
    (file,) = inspected(capsys, path)
    assert (file["kind"], file["whole"], file["records"]) == ("gzip, JSON lines", True, 2)
    assert file["days"] == ["2026-03-03", "2026-03-05"]
    assert file["formats"] == [
        {
            "format": "native",
            "wrapping": ["search hit"],
            "events": {"network": 1, "dns": 0, "process": 1},
            "dead": 0,
        }
    ]
    lacking = {row["column"]: row["share"] for row in file["lacking"]}
    assert lacking["process_command_line"] == 0
    assert not {"remote_host", "process_name"} & lacking.keys()
    assert file["samples"][0]["event"]["process_name"] == "a.exe"


def test_dead_letters_are_said_with_the_commonest_reason_first_and_an_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"user": "mina", "password": "hunter2-hunter2"}
    (file,) = inspected(capsys, lines(tmp_path / "x.json", {**NATIVE, "host_id": ""}, odd, odd, NATIVE))
    assert [(dead["reason"], dead["records"], dead["format"]) for dead in file["dead_letters"]] == [
        ("missing_field:event_time", 2, "(not recognised)"),
        ("missing_field:host_id", 1, "native"),
    ]
    assert file["dead_letters"][0]["record"] == 2
    assert "hunter2" not in json.dumps(file)


def test_only_the_first_records_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = inspected(capsys, lines(tmp_path / "x", *[NATIVE] * 30), "--most-records", 7)
    assert (file["records"], file["whole"]) == (7, False)
    write_parquet(tmp_path / "x.parquet", [NATIVE] * 30, row_group_size=10)
    (file,) = inspected(capsys, tmp_path / "x.parquet", "--most-records", 12)
    assert (file["kind"], file["records"], file["whole"]) == ("Parquet with native columns", 12, False)


def test_members_of_a_zip_file_are_files_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.csv", "event_time,host_id,process_name,remote_host\n2026-03-03T10:00:00Z,h,a,t.me\n")
        archive.writestr("b.json", json.dumps([NATIVE, NATIVE], indent=1))
    found = inspected(capsys, tmp_path / "x.zip")
    assert [(Path(file["source"]).name, file["kind"], file["events"]) for file in found] == [
        ("x.zip!a.csv", "CSV", 1),
        ("x.zip!b.json", "JSON values", 2),
    ]


@pytest.mark.parametrize("content", [b"PAR1 no footer", b"\x1f\x8b\x08 damaged", b"7z\xbc\xaf\x27\x1c"])
def test_a_file_that_cannot_be_read_says_why_and_others_are_read_on(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad").write_bytes(content)
    bad, good = inspected(capsys, tmp_path / "bad", lines(tmp_path / "good", NATIVE))
    assert (bad["events"], good["events"]) == (0, 1)
    assert bad["dead_letters"][0]["detail"].startswith("cannot be read from record 1 on: ")


def test_an_empty_file_has_no_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes(b"")
    (file,) = inspected(capsys, tmp_path / "x")
    assert (file["records"], file["formats"], file["lacking"]) == (0, [], [])


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "none.json")]) == 2
    assert "none.json: matches no file" in capsys.readouterr().err


def test_tables_say_the_same_and_give_the_terminal_no_orders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {**NATIVE, "user_name": "\x1b[31m[bold]mina"}
    assert main(["inspect", str(lines(tmp_path / "x", record, {"a\x1b[2J": 1}))]) == 0
    shown = capsys.readouterr().out
    assert "all 2 records: 1 event, 1 dead letter" in shown
    assert "\x1b" not in shown
    assert "[bold]mina" in shown


def test_it_needs_no_beam(tmp_path: Path) -> None:
    code = "import sys; from uncommon_im.pipeline.cli.main import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, "inspect", str(lines(tmp_path / "x", NATIVE))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "apache_beam" not in done.stdout.splitlines()[-1].split()
