"""The directory of a snapshot, locally and on an object store: one run at a time, whole whatever is killed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from posixpath import join

import pytest

from tests import stores
from tests.pipeline.results.killing import Killed, killed_at, let_die
from uncommon_im.pipeline.baselines.snapshot_folder import KIND, SnapshotFolder
from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.results import claims
from uncommon_im.pipeline.results.claims import BOOKS
from uncommon_im.pipeline.storage.changing import delete_folder, write_whole
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.snapshot import METADATA, TABLES, Metadata


@pytest.fixture(params=["local", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SnapshotFolder]:
    stores.OBJECTS.clear()
    yield SnapshotFolder({"local": str(tmp_path / "B"), "store": "shelf://s/B [1]"}[request.param])
    stores.OBJECTS.clear()


def metadata(run_id: str, shards: int) -> Metadata:
    files = {table: [f"{run_id}/{table}-{shard:05}.parquet" for shard in range(shards)] for table in TABLES}
    return Metadata(date(2026, 3, 1), load_detector().limits, "UTC", "", {}, {}, [], {}, files, run_id)


def written(folder: SnapshotFolder, run_id: str, shards: int) -> Metadata:
    made = metadata(run_id, shards)
    for names in made.files.values():
        for name in names:
            write_whole(join(folder.path, name), run_id.encode())
    return made


def run(folder: SnapshotFolder, run_id: str, shards: int = 2) -> set[str]:
    """A run from beginning to end; the names of what it leaves."""
    with folder.claimed(run_id):
        made = written(folder, run_id, shards)
        folder.commit(made)
        folder.commit(made)  # a step that is tried again
    return names_of(made)


def names_of(made: Metadata) -> set[str]:
    return {METADATA, *(name for names in made.files.values() for name in names)}


def whole(folder: SnapshotFolder) -> str | None:
    """The run of the snapshot that counts, all of whose files are there."""
    if METADATA not in list_folder(folder.path):
        return None
    with open_binary(join(folder.path, METADATA)) as stream:
        found = Metadata.parse(stream.read().decode(), folder.path)
    assert names_of(found) <= set(list_folder(folder.path))
    return found.run_id


def test_a_snapshot_replaces_the_one_before_and_nothing_else(folder: SnapshotFolder) -> None:
    beside = {"notes.txt", "dt=1/events.parquet", "a/mine.parquet", "other/sightings-00000.parquet"}
    for name in beside:
        write_whole(join(folder.path, name), b"mine")
    for run_id, shards in (("a", 3), ("b", 1), ("c", 2)):
        assert run(folder, run_id, shards) | beside == set(list_folder(folder.path))


@pytest.mark.parametrize("earlier", [False, True])
def test_killed_before_any_change_one_snapshot_is_whole_and_the_next_run_tidies_up(
    earlier: bool, folder: SnapshotFolder
) -> None:
    for step in range(100):
        delete_folder(folder.path)
        if earlier:
            run(folder, "a", 3)
        claim = claims.claim("--baseline-out", folder.path, KIND, ("b", "b"), stays=False)
        made, killed = written(folder, "b", 2), True
        try:
            with killed_at(step):
                folder.commit(made)
            killed = False
        except Killed:
            assert whole(folder) in (("a", "b") if earlier else (None, "b"))
        let_die(claim)
        assert run(folder, "c") == set(list_folder(folder.path))
        if not killed:
            break
    assert 3 < step < 99


def test_a_run_that_fails_leaves_the_snapshot_as_it_was(folder: SnapshotFolder) -> None:
    before = run(folder, "a")

    def fail() -> None:
        with folder.claimed("b"):
            written(folder, "b", 1)
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        fail()
    assert before == set(list_folder(folder.path))
    assert whole(folder) == "a"


def test_a_run_that_fails_after_its_snapshot_counts_leaves_that(folder: SnapshotFolder) -> None:
    run(folder, "a")

    def fail() -> None:
        with folder.claimed("b"):
            folder.commit(written(folder, "b", 1))
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        fail()
    assert whole(folder) == "b"


def test_two_at_once_are_told_apart(folder: SnapshotFolder) -> None:
    with folder.claimed("a"):
        with pytest.raises(ConfigurationError, match=r"run a of .* has been writing there since"):
            run(folder, "b")
        folder.commit(written(folder, "a", 1))
    assert whole(folder) == "a"
    assert BOOKS not in {name.partition("/")[0] for name in list_folder(folder.path)}


def test_a_run_that_was_taken_over_leaves_no_snapshot(folder: SnapshotFolder) -> None:
    def fail() -> None:
        with folder.claimed("a"):
            claims.unclaim(folder.path, KIND, "a")
            folder.commit(written(folder, "a", 1))

    with pytest.raises(RunFailed, match="another run has taken the directory over"):
        fail()
    assert whole(folder) is None


def test_a_snapshot_of_another_version_is_replaced_too(folder: SnapshotFolder) -> None:
    run(folder, "a", 3)
    old = metadata("a", 3).to_json().replace('"schema_version": ', '"schema_version": 1')
    write_whole(join(folder.path, METADATA), old.encode())
    assert run(folder, "b") == set(list_folder(folder.path))


@pytest.mark.parametrize("name", ["../kept", "kept", "a/../kept/sightings-00000.parquet", "/kept/said-00000.parquet"])
def test_a_snapshot_that_names_somebodys_files_deletes_none_of_them(name: str, folder: SnapshotFolder) -> None:
    write_whole(join(folder.path, "kept"), b"mine")
    write_whole(join(folder.path, METADATA), metadata("a", 0).to_json().replace("[]", f'["{name}"]', 2).encode())
    assert run(folder, "b") | {"kept"} == set(list_folder(folder.path))


def test_a_snapshot_that_is_removed_goes_with_its_directory_and_takes_no_file_of_others(
    folder: SnapshotFolder,
) -> None:
    run(folder, "a", 3)
    folder.remove()
    folder.remove()
    assert list_folder(folder.path) == []
    assert not folder.path.startswith("/") or not Path(folder.path).exists()
    run(folder, "a", 3)
    write_whole(join(folder.path, "a", "mine.parquet"), b"mine")
    folder.remove()
    assert list_folder(folder.path) == ["a/mine.parquet"]


def test_killed_before_any_change_a_removal_leaves_a_whole_snapshot_or_none_and_the_next_finishes_it(
    folder: SnapshotFolder,
) -> None:
    for step in range(100):
        delete_folder(folder.path)
        run(folder, "a", 2)
        try:
            with killed_at(step):
                folder.remove()
            break
        except Killed:
            assert whole(folder) in ("a", None)
        folder.remove()
        assert list_folder(folder.path) == []
    assert 10 < step < 99
