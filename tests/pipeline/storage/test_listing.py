"""Files are listed the same way everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from uncommon_im.pipeline.storage.listing import StoredFile, exists, list_files, list_folder
from uncommon_im.schemas.documents import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.jsonl", "notes.txt", "deep/c.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_files_are_sorted_have_sizes_and_come_once(folder: Path) -> None:
    listed = list_files(f"{folder}/*.jsonl", f"{folder}/a*")
    assert listed == [StoredFile(f"{folder}/a.jsonl", 7), StoredFile(f"{folder}/b.jsonl", 7)]
    assert [file.path for file in list_files(f"{folder}/**.jsonl")][-1] == f"{folder}/deep/c.jsonl"
    assert list_files(f"{folder}/none*") == []


def test_a_pattern_that_begins_with_a_wildcard_looks_where_the_command_was_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert [file.path for file in list_files("*.jsonl", "[d]eep/?.jsonl")] == [
        "./a.jsonl",
        "./b.jsonl",
        "./deep/c.jsonl",
    ]


def test_a_folder_is_listed_by_its_name_with_all_that_is_below_it(tmp_path: Path) -> None:
    for folder in ("[ab]", "a", "*"):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "deep" / "file").touch()
    (tmp_path / "[ab]" / "link").symlink_to(tmp_path / "a")
    assert list_folder(f"{tmp_path}/[ab]") == ["deep/file", "link"]
    assert list_folder(f"{tmp_path}/*") == ["deep/file"]
    assert list_folder(f"{tmp_path}/?") == []
    assert exists(f"{tmp_path}/[ab]/link")
    assert not exists(f"{tmp_path}/[ab]/dee[p]")


@pytest.mark.parametrize("look_up", [list_files, list_folder, exists])
def test_a_file_system_that_nobody_knows_is_one_kind_of_error(look_up: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^--input nosuch://bucket/x: cannot be looked up: Unable to get"):
        look_up("nosuch://bucket/x", option="--input")  # type: ignore[operator]
