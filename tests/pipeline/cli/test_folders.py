"""What a command may replace, and what it leaves alone; runs are on the in-process engine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import read_rows, write_lines
from uncommon_im.pipeline.cli.main import main

EVENT = {"host_id": "h1", "process_name": "curl", "remote_host": "api.telegram.org"}
PLACES = ("alerts", "evidence", "verdicts", "dead_letter")
Command = Callable[..., int]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    write_lines(path, [EVENT | {"event_time": "2026-03-01T10:00:00Z"}])
    return path


@pytest.fixture
def backfill(events: Path) -> Command:
    """A backfill over one communication, which alerts."""

    def run(output: Path | str, *options: str) -> int:
        arguments = ["--input", str(events), "--output", str(output), "--activation-days", "0", *options]
        return main(["backfill", *arguments])

    return run


@pytest.fixture
def snapshot(backfill: Command, tmp_path: Path) -> Command:
    """The same, leaving a snapshot."""

    def run(folder: Path | str, *options: str) -> int:
        return backfill(tmp_path / "snapshot-run", "--end", "2026-03-02", "--baseline-out", str(folder), *options)

    return run


def content_of(folder: Path) -> dict[str, bytes | str]:
    """Everything in a folder, by name: what files hold, and where links lead."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes() for path in paths
    }


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    "name",
    [
        *(f"{place}/mine.txt" for place in PLACES),
        "alerts/from-siem.csv",
        "alerts/alerts-00000-of-00001.jsonl",
        "evidence/disk.img",
        "evidence/metadata.json",
        "verdicts/deep/notes.txt",
        "summary.json",
        "report.html",
    ],
)
def test_a_folder_with_somebodys_files_in_the_places_of_a_run_is_refused_and_left_as_it_is(
    name: str, backfill: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = tmp_path / "case"
    (case / name).parent.mkdir(parents=True)
    (case / name).write_text("mine")
    before = content_of(case)
    for options in ([], ["--dry-run"], ["--force"]):
        assert backfill(case, *options) == 2
        assert f"--output {case}: {case / name} is in the way" in error_of(capsys)
        assert content_of(case) == before


@pytest.mark.parametrize("name", ["alerts/from-siem.csv", "alerts/alerts-00007-of-00009.jsonl", "evidence/mine"])
@pytest.mark.parametrize("made_before_there_was_a_mark", [False, True])
def test_a_file_that_somebody_put_into_the_folder_of_a_run_keeps_the_run_from_being_replaced(
    name: str,
    made_before_there_was_a_mark: bool,
    backfill: Command,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "run"
    assert backfill(output) == 0
    if made_before_there_was_a_mark:
        shutil.rmtree(output / ".uncommon-im")
    (output / name).parent.mkdir(exist_ok=True)
    (output / name).write_text("mine")
    before, refused = content_of(output), not (made_before_there_was_a_mark and name.endswith(".jsonl"))
    capsys.readouterr()
    assert backfill(output) == (2 if refused else 0)
    if refused:  # without a mark a name like a run's own, beside a run's summary, is all that can be known
        assert f"{output / name} is in the way" in error_of(capsys)
        assert content_of(output) == before


def test_what_lies_beside_the_places_of_a_run_stays(backfill: Command, tmp_path: Path) -> None:
    output = tmp_path / "run"
    beside = {"notes.txt": "a", "alerts.csv": "b", "events/mine.parquet": "c", "metadata.json": "d"}
    for name, text in beside.items():
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text)
    for options in ([], ["--verdicts", "--evidence"], []):
        assert backfill(output, *options) == 0
        found = content_of(output)
        assert {name: found[name] for name in beside} == {name: text.encode() for name, text in beside.items()}
        assert any(name.startswith("verdicts/") for name in found) == ("--verdicts" in options)


@pytest.mark.parametrize("place", [*PLACES, ".uncommon-im"])
def test_a_link_in_the_places_of_a_run_is_not_followed(
    place: str, backfill: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill(tmp_path / "other") == 0
    output = tmp_path / "run"
    output.mkdir()
    (tmp_path / "other" / place).mkdir(exist_ok=True)
    (output / place).symlink_to(tmp_path / "other" / place)
    before = content_of(tmp_path / "other"), content_of(output)
    capsys.readouterr()
    assert backfill(output) == 2
    assert f"{output / place} is in the way: it is a link" in error_of(capsys)
    assert (content_of(tmp_path / "other"), content_of(output)) == before


def test_a_linked_file_in_the_places_of_a_run_is_refused(
    backfill: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, kept = tmp_path / "run", tmp_path / "kept.jsonl"
    assert backfill(output) == 0
    (alerts,) = (output / "alerts").iterdir()
    alerts.rename(kept)
    alerts.symlink_to(kept)
    capsys.readouterr()
    assert backfill(output) == 2
    assert f"{alerts} is in the way" in error_of(capsys)
    assert kept.exists()


def test_a_linked_folder_is_used_as_the_folder_that_it_leads_to(backfill: Command, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    assert backfill(tmp_path / "near") == backfill(tmp_path / "near") == 0
    assert len(read_rows(str(tmp_path / "far"), "alerts")) == 1


def test_the_page_about_a_run_goes_with_the_run_and_no_other_page_does(
    backfill: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    assert backfill(output) == main(["report", str(output)]) == main(["report", str(output)]) == 0
    assert (output / "report.html").exists()
    assert backfill(output) == 0
    assert not (output / "report.html").exists()
    (output / "report.html").write_text("<!doctype html><title>Mine</title>")
    capsys.readouterr()
    assert backfill(output) == 2
    assert "report.html is in the way" in error_of(capsys)


@pytest.mark.parametrize("name", ["summary.json", "alerts/alerts-00000-of-00001.jsonl", "notes.html"])
def test_a_report_replaces_nothing_but_a_report(
    name: str, backfill: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    assert backfill(output) == 0
    (output / "notes.html").write_text("mine")
    before = content_of(output)
    capsys.readouterr()
    assert main(["report", str(output), "--output", str(output / name)]) == 2
    assert f"--output {output / name}: the file that is there is no page of `report`" in error_of(capsys)
    assert content_of(output) == before


# Inputs that would be replaced


@pytest.mark.parametrize("spelled", ["{run}", "{run}/", "{run}/../run", "{link}"])
@pytest.mark.parametrize("pattern", ["dead_letter/*.jsonl", "alerts/*", "*.json", "verdicts/**"])
def test_inputs_in_what_would_be_replaced_are_refused_by_whatever_name(
    spelled: str, pattern: str, backfill: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, link = tmp_path / "run", tmp_path / "link"
    link.symlink_to(run)
    assert backfill(run, "--verdicts") == 0
    before = content_of(run)
    capsys.readouterr()
    for command in (["backfill"], ["replay", "--runner=FlinkRunner"]):
        arguments = ["--input", f"{run}/{pattern}", "--output", spelled.format(run=run, link=link)]
        assert main([*command, *arguments]) == 2
        assert f"--input {run}/" in (said := error_of(capsys))
        assert "the run replaces that file" in said
    assert content_of(run) == before


def test_dead_letters_of_a_run_are_read_into_another_folder(backfill: Command, tmp_path: Path) -> None:
    assert backfill(tmp_path / "run") == 0
    arguments = ["--input", f"{tmp_path}/run/dead_letter/*.jsonl", "--output", str(tmp_path / "run" / "again")]
    assert main(["backfill", *arguments]) == 0


def test_a_snapshots_own_files_are_no_input_of_the_run_that_replaces_it(
    snapshot: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "B"
    assert snapshot(folder) == 0
    before = content_of(folder)
    arguments = ["--input", f"{folder}/**.parquet", "--baseline-out", f"{tmp_path}/./B", "--end", "2026-03-02"]
    capsys.readouterr()
    assert main(["backfill", *arguments, "--output", str(tmp_path / "run")]) == 2
    assert "the run replaces that file" in error_of(capsys)
    assert content_of(folder) == before


@pytest.mark.parametrize("spelled", ["B", "./B", "B/", "../{here}/B", "link"])
def test_the_snapshot_that_a_run_starts_from_is_not_the_one_that_it_leaves_by_whatever_name(
    spelled: str, snapshot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("B")
    assert snapshot("B") == 0
    before = content_of(tmp_path / "B")
    out = spelled.format(here=tmp_path.name)
    capsys.readouterr()
    assert snapshot(out, "--baseline-in", "B") == 2
    assert f"--baseline-out {out} is the snapshot that the run starts from" in error_of(capsys)
    arguments = ["--sightings", "none", "--as-of", "2026-03-02", "--baseline-in", "B", "--baseline-out", out]
    assert main(["snapshot", *arguments]) == 2
    assert f"--baseline-out {out} is the snapshot that the run starts from" in error_of(capsys)
    assert content_of(tmp_path / "B") == before


# Paths that are written are literal


@pytest.mark.parametrize("name", ["*", "run?", "[ab]", "a b", "a#b", "a%20b", "{x}", "~", "ü", "[", "run[0]"])
def test_the_folder_of_a_run_is_no_pattern(name: str, backfill: Command, tmp_path: Path) -> None:
    near = [tmp_path / "runs" / other for other in ("a", "b", "run1", "run0", "runs")]
    assert backfill(near[0]) == 0
    for folder in near[1:]:
        shutil.copytree(near[0], folder)
    before = [content_of(folder) for folder in near]
    output = tmp_path / "runs" / name
    for options in (["--verdicts"], []):
        assert backfill(output, *options) == 0
        assert len(read_rows(str(output), "alerts")) == 1
        assert [content_of(folder) for folder in near] == before
    assert sorted(path.name for path in output.iterdir()) == [".uncommon-im", "alerts", "dead_letter", "summary.json"]
    assert main(["report", str(output)]) == 0


@pytest.mark.parametrize("name", ["*", "day?", "[ab]", "a b#c"])
def test_the_directory_of_a_snapshot_is_no_pattern(name: str, snapshot: Command, tmp_path: Path) -> None:
    near = [tmp_path / "bl" / other for other in ("a", "b", "day1")]
    assert snapshot(near[0]) == 0
    for folder in near[1:]:
        shutil.copytree(near[0], folder)
    before = [content_of(folder) for folder in near]
    for _ in range(2):
        assert snapshot(tmp_path / "bl" / name) == 0
        assert [content_of(folder) for folder in near] == before
    onward = ["--baseline-in", str(tmp_path / "bl" / name), "--end", "2026-03-03"]
    assert snapshot(tmp_path / "bl" / "next", *onward) == 0


def test_a_snapshot_does_not_take_the_place_of_somebodys_metadata(
    snapshot: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "metadata.json").write_text("{}")
    (folder / "run").mkdir()
    (folder / "run" / "sightings-00000.parquet").write_text("mine")
    before = content_of(folder)
    assert snapshot(folder) == 2
    assert "metadata.json there is no snapshot's" in error_of(capsys)
    assert content_of(folder) == before


def test_a_simulation_replaces_a_simulation_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, lake = tmp_path / "org", tmp_path / "lake"
    for days in ("3", "2"):
        assert main(["simulate", "--output", str(output), "--hosts", "2", "--days", days]) == 0
        assert len(list((output / "events").iterdir())) == int(days)
    (lake / "events").mkdir(parents=True)
    (lake / "events" / "dt=2026-01-05.parquet").write_text("mine")
    capsys.readouterr()
    assert main(["simulate", "--output", str(lake), "--hosts", "2", "--days", "2"]) == 2
    assert "dt=2026-01-05.parquet is in the way" in error_of(capsys)
    assert (lake / "events" / "dt=2026-01-05.parquet").read_text() == "mine"


@pytest.mark.parametrize("name", ["a:b", "~nobody", "*", "[a]"])
def test_a_simulation_goes_and_is_read_by_the_name_that_it_was_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "--output", name, "--hosts", "2", "--days", "2"]) == 0
    assert len(list((tmp_path / name / "events").iterdir())) == 2
    assert main(["backfill", "--input", "?*/events/*.parquet", "--output", "run"]) == 0


# A run that fails


@pytest.mark.parametrize("options", [["--runner=DirectRuner"], ["--input", "{folder}/bad.parquet"]])
def test_a_run_that_fails_leaves_the_earlier_one_as_it_was(
    options: list[str], backfill: Command, tmp_path: Path
) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 this is no Parquet file")
    output = tmp_path / "run"
    assert backfill(output, "--verdicts") == 0
    before = content_of(output)
    assert backfill(output, *(option.format(folder=tmp_path) for option in options)) in (1, 2)
    assert content_of(output) == before


def test_a_first_run_that_fails_leaves_nothing(backfill: Command, tmp_path: Path) -> None:
    output = tmp_path / "run"
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 this is no Parquet file")
    assert backfill(output, "--input", str(tmp_path / "bad.parquet")) == 1
    assert list(output.iterdir()) == []


def test_the_files_of_a_run_are_those_that_its_mark_names(backfill: Command, tmp_path: Path) -> None:
    output = tmp_path / "run"
    assert backfill(output, "--verdicts", "--evidence") == 0
    mark = json.loads((output / ".uncommon-im" / "run.json").read_text())
    assert set(mark["files"]) == content_of(output).keys() - {".uncommon-im/run.json"}
