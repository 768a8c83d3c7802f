"""The files of a day: which it has, which are missing, and which came late."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from uncommon_im.pipeline.cli.daily.lake import came_late, files_of, missing_from
from uncommon_im.pipeline.cli.daily.options import LakeOptions
from uncommon_im.pipeline.sources.files.options import FormatOptions

DAY = date(2026, 3, 1)


def lake(tmp_path: Path, slack: int = 0, marker: str | None = "_OK") -> LakeOptions:
    patterns = (f"{tmp_path}/a/{{date}}/*", f"{tmp_path}/b/{{date:%Y%m%d}}/*")
    return LakeOptions(records=FormatOptions(), lake=patterns, partition_slack_days=slack, require_marker=marker)


def put(tmp_path: Path, name: str, text: str = "x") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_day_has_the_files_of_all_patterns_and_of_its_slack_days_but_no_markers(tmp_path: Path) -> None:
    names = ["a/2026-03-01/1", "b/20260301/2", "a/2026-03-02/3"]
    for name in (*names, "a/2026-03-01/_OK", "a/2026-03-03/4", "a/2026-02-28/5"):
        put(tmp_path, name)
    assert set(files_of(lake(tmp_path), DAY)) == {str(tmp_path / name) for name in names[:2]}
    found = files_of(lake(tmp_path, slack=1), DAY)
    assert set(found) == {str(tmp_path / name) for name in names}
    assert found[str(tmp_path / names[0])] == (1, (tmp_path / names[0]).stat().st_mtime)


def test_every_folder_of_a_day_needs_its_marker_those_of_slack_days_too(tmp_path: Path) -> None:
    for name in ("a/2026-03-01/1", "b/20260301/2", "a/2026-03-02/3"):
        put(tmp_path, name)

    def missing(slack: int = 0, marker: str | None = "_OK") -> str | None:
        options = lake(tmp_path, slack, marker)
        return missing_from(options, files_of(options, DAY))

    assert missing(marker=None) is None
    assert missing() == f"{tmp_path}/a/2026-03-01/_OK is missing"
    put(tmp_path, "a/2026-03-01/_OK")
    assert missing() == f"{tmp_path}/b/20260301/_OK is missing"
    put(tmp_path, "b/20260301/_OK")
    assert missing() is None
    assert missing(slack=1) == f"{tmp_path}/a/2026-03-02/_OK is missing"
    assert missing_from(lake(tmp_path), {}) == "it has no file"


@pytest.mark.parametrize(
    ("change", "late"),
    [
        (lambda path: put(path.parent, "new"), "new"),
        (lambda path: path.write_text("longer"), "1"),
        (lambda path: os.utime(path, (1, path.stat().st_mtime + 60)), "1"),
        (lambda path: path.unlink(), None),
        (lambda path: path.touch(), "1"),
        (lambda path: put(path.parent, "_OK"), None),
        (lambda path: path.read_text(), None),
    ],
    ids=["new", "longer", "newer", "gone", "touched", "marker", "read"],
)
def test_files_that_are_new_or_were_changed_came_late_and_others_did_not(
    change: object, late: str | None, tmp_path: Path
) -> None:
    path, options = put(tmp_path, "a/2026-03-01/1"), lake(tmp_path)
    os.utime(path, (1, 1_700_000_000))
    read = files_of(options, DAY)
    assert callable(change)
    change(path)
    assert came_late(files_of(options, DAY), read) == ([str(path.with_name(late))] if late else [])
