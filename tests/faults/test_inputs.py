"""Inputs that are cut, or grow and shrink while they are read: one line says so, or what is there is read."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.children import Child, Ended, command, run
from tests.faults.looking import RUN, facts
from tests.faults.scenes import DAYS, EARLIER, LATER, LIMITS, Action, Rehearsed, Scene, records, rehearse
from tests.faults.striking import is_whole
from tests.running import write_lines, write_parquet

pytestmark = pytest.mark.faults

FORMS: Final = ("jsonl", "jsonl.gz", "parquet")
Change = Callable[[Path], None]


def backfill(*more: str) -> Action:
    """A backfill of inputs of any form."""
    return command("backfill", "--input", "inputs/*", "--output", "case", "--verdicts", "--evidence", *LIMITS, *more)


def written(path: Path, days: range = DAYS) -> Path:
    """Records in the form that the name says."""
    path.parent.mkdir(exist_ok=True)
    made = [record for record in records(days) if record["event_time"] != "never"]
    (write_parquet if path.suffix == ".parquet" else write_lines)(path, made)
    return path


@cache
def played(form: str) -> Rehearsed:
    """A backfill over one file that replaces an earlier run."""

    def before() -> int | None:
        written(Path("inputs", f"a.{form}").absolute())
        return backfill(*EARLIER)()

    return rehearse(Scene(f"inputs as {form}", backfill(*LATER), (RUN,), (before,)))


def failed_in_one_line(ended: Ended, name: str) -> None:
    """It says which file cannot be read."""
    complaints = [line for line in ended.said.splitlines() if line.startswith("uncommon-im: ")]
    assert ended.status in (1, 2), ended.said
    assert len(complaints) == 1, ended.said
    assert name in complaints[0]


@pytest.mark.parametrize("form", FORMS[1:])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_cut_file_ends_the_run_in_one_line_and_the_earlier_result_stays(
    form: str, share: float, tmp_path: Path
) -> None:
    folder = played(form).stage(tmp_path / "scene")
    path = folder / "inputs" / f"a.{form}"
    os.truncate(path, int(path.stat().st_size * share))
    failed_in_one_line(run(played(form).scene.act, folder), path.name)
    assert RUN.files(folder) == played(form).old[RUN]
    skipped = run(backfill(*LATER, "--on-bad-file", "skip"), folder)
    left = facts(RUN.files(folder))["summary.json"]["events"]["valid"]
    assert skipped.status == (0 if left else 2), skipped.said
    assert b"malformed" in b"".join(data for name, data in RUN.files(folder).items() if name.startswith("dead_letter"))


@pytest.mark.parametrize("share", [0.5, 0.999])
def test_lines_that_are_cut_cost_the_line_that_is_cut(share: float, tmp_path: Path) -> None:
    folder = played("jsonl").stage(tmp_path / "scene")
    path = folder / "inputs" / "a.jsonl"
    os.truncate(path, int(path.stat().st_size * share))
    whole, left = path.read_bytes().rpartition(b"\n")[::2]
    ended = run(played("jsonl").scene.act, folder)
    assert ended.status == 0, ended.said
    counted = facts(RUN.files(folder))["summary.json"]["events"]
    assert counted["read"] == whole.count(b"\n") + 1 + bool(left)
    assert counted["dead_letter"].get("malformed", 0) == bool(left)


def cut(path: Path) -> None:
    """Half of a file goes."""
    os.truncate(path, path.stat().st_size // 2)


def gone(path: Path) -> None:
    """A file goes."""
    path.unlink()


def grow(path: Path) -> None:
    """A file gets some bytes more, as a writer leaves them that is not done."""
    with path.open("ab") as stream:
        stream.write(gzip.compress(b"{}\n")[:9] if path.suffix == ".gz" else b'{"event_time": "2026-')


@pytest.mark.parametrize("change", [cut, gone, grow])
@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_changes_between_two_looks_at_it_ends_the_run_in_one_line_or_is_read_as_it_is(
    form: str, change: Change, tmp_path: Path
) -> None:
    folder = played(form).stage(tmp_path / "scene")
    path = folder / "inputs" / f"a.{form}"
    kept = shutil.copy(path, tmp_path / "kept")
    for look in range(1, 4):
        ended = Child(played(form).scene.act, folder, prepare=lambda at=look: at_look(at, path, change)).ended()
        if ended.status:
            failed_in_one_line(ended, path.name)
            is_whole(played(form), folder, settled=True)
        else:
            assert RUN.files(folder), ended.said
        shutil.rmtree(folder)
        played(form).stage(folder)
        shutil.copy(kept, path)
    ended = run(played(form).scene.act, folder)
    assert facts(RUN.files(folder)) == played(form).new[RUN], ended.said


def at_look(look: int, path: Path, change: Change) -> None:
    """Changes a file just before it is opened for the n-th time."""
    seen = 0

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "open" and str(arguments[0]).endswith(path.name) and not arguments[2] & os.O_ACCMODE:
            seen += 1
            if seen == look:
                change(path)

    sys.addaudithook(heard)


def test_a_file_that_somebody_writes_to_meanwhile_costs_no_earlier_record_and_nothing_once_it_is_done(
    tmp_path: Path,
) -> None:
    folder = played("jsonl").stage(tmp_path / "scene")
    path = folder / "inputs" / "a.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    writer = threading.Thread(target=slowly, args=(path, lines[len(lines) // 2 :]))
    child = Child(played("jsonl").scene.act, folder)
    writer.start()
    ended = child.ended()
    writer.join()
    assert ended.status == 0, ended.said
    counted = facts(RUN.files(folder))["summary.json"]["events"]
    assert len(lines) // 2 <= counted["read"] <= len(lines)
    assert counted["dead_letter"].get("malformed", 0) <= 1, "at most the line that was being written"
    ended = run(played("jsonl").scene.act, folder)
    assert facts(RUN.files(folder)) == played("jsonl").new[RUN], ended.said


def slowly(path: Path, lines: list[bytes]) -> None:
    """Writes lines in two halves each."""
    with path.open("ab", buffering=0) as stream:
        for line in lines:
            for half in (line[: len(line) // 2], line[len(line) // 2 :]):
                stream.write(half)
                time.sleep(0.02)
