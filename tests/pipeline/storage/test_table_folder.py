"""Folders of Parquet files: the metadata comes last, and what is damaged says so."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.pipeline.storage.table_folder import TableFolder
from uncommon_im.schemas.documents import ConfigurationError

ROWS = pa.table({"host": ["b", "a"], "day": pa.array([2, 1], pa.int32())})


def test_the_same_rows_in_any_order_are_the_same_file(tmp_path: Path) -> None:
    one, other = TableFolder(f"{tmp_path}/one", "m.json"), TableFolder(f"{tmp_path}/other", "m.json")
    assert one.write("run/sightings", 3, ROWS) == other.write("run/sightings", 3, ROWS.take([1, 0]))
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert [path.name for path in files] == ["sightings-00003.parquet"] * 2
    assert files[0].read_bytes() == files[1].read_bytes()
    (read,) = one.read("run/sightings-00003.parquet")
    assert read.to_pylist() == [{"host": "a", "day": 1}, {"host": "b", "day": 2}]


def test_a_folder_without_metadata_says_what_to_do(tmp_path: Path) -> None:
    folder = TableFolder(str(tmp_path), "m.json")
    with pytest.raises(ConfigurationError, match=r"^make one first$"):
        folder.read_metadata("make one first")
    assert folder.finish("{}") == f"{tmp_path}/m.json"
    assert folder.read_metadata("make one first") == "{}"


@pytest.mark.parametrize("damage", ["cut", "no column"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    folder = TableFolder(str(tmp_path), "m.json", "copy it again")
    path = tmp_path / folder.write("said", 0, ROWS)
    wanted = ROWS.schema
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        wanted = wanted.append(pa.field("tenant", pa.string()))
    with pytest.raises(UnreadableInput, match=rf"^{path}: cannot be read: .*: copy it again$"):
        list(folder.read(path.name, wanted))
