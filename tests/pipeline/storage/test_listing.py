"""Files are listed the same way everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from uncommon_im.pipeline.storage.listing import StoredFile, delete_files, exists, list_files
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


def test_only_what_matches_is_deleted(folder: Path) -> None:
    delete_files(f"{folder}/*.jsonl", f"{folder}/none*")
    assert [path.name for path in sorted(folder.iterdir())] == ["deep", "notes.txt"]
    assert exists(f"{folder}/notes.txt")
    assert not exists(f"{folder}/a.jsonl")


@pytest.mark.parametrize("look_up", [list_files, exists])
def test_a_file_system_that_nobody_knows_is_one_kind_of_error(look_up: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^--input nosuch://bucket/x: cannot be looked up: Unable to get"):
        look_up("nosuch://bucket/x", option="--input")  # type: ignore[operator]
