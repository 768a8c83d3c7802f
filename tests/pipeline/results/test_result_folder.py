"""Folders of results, on a local file system and on an object store: claimed, staged, published, settled."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from posixpath import join

import msgspec
import pytest

from tests import stores
from tests.pipeline.results.killing import Killed, killed_at, let_die
from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.results import claims
from uncommon_im.pipeline.results.claims import BOOKS, Owner
from uncommon_im.pipeline.results.ownership import ResultKind
from uncommon_im.pipeline.results.result_folder import ResultFolder
from uncommon_im.pipeline.storage import changing
from uncommon_im.pipeline.storage.changing import create, delete, delete_folder, write_whole
from uncommon_im.pipeline.storage.listing import exists, list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError

KIND = ResultKind(
    name="trial",
    folders=("parts",),
    files=("seal", "page"),
    own=re.compile(r"parts/part-\d\.txt|seal|page"),
    seal="seal",
    is_seal=lambda content: content.startswith(b"sealed"),
    signed={"page": lambda content: content == b"page"},
)


@pytest.fixture(params=["local", "store", "store with odd name"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResultFolder]:
    stores.OBJECTS.clear()
    places = {"local": str(tmp_path / "out"), "store": "shelf://s/out", "store with odd name": "shelf://s/o*t [1]?"}
    yield ResultFolder(places[request.param], KIND)
    stores.OBJECTS.clear()


def content(folder: ResultFolder) -> dict[str, bytes]:
    """All files but the books."""
    names = [name for name in list_folder(folder.path) if not name.startswith(BOOKS)]
    found = {}
    for name in names:
        with open_binary(join(folder.path, name)) as stream:
            found[name] = stream.read()
    return found


def put(folder: str, files: dict[str, bytes]) -> None:
    for name, text in files.items():
        write_whole(join(folder, name), text)


def result(run_id: str, parts: int) -> dict[str, bytes]:
    texts = {f"parts/part-{number}.txt": f"{run_id} {number}".encode() for number in range(parts)}
    return texts | {"seal": f"sealed by {run_id}".encode()}


def run(folder: ResultFolder, run_id: str, parts: int, force: bool = False) -> dict[str, bytes]:
    """A run from beginning to end; what it leaves."""
    with folder.staged(run_id, force=force) as staging:
        put(staging, result(run_id, parts))
        folder.publish(run_id)
    return result(run_id, parts)


def books(folder: ResultFolder) -> list[str]:
    return list_folder(join(folder.path, BOOKS))


def test_a_result_replaces_the_one_before_and_leaves_nothing_but_its_mark(folder: ResultFolder) -> None:
    for run_id, parts in (("a", 3), ("b", 1), ("c", 5)):
        expected = run(folder, run_id, parts)
        assert content(folder) == expected
        assert books(folder) == ["trial.json"]
        assert folder.check() == sorted(expected, key=lambda name: (name == "seal", name))


def test_until_it_is_published_the_earlier_result_is_as_it_was(folder: ResultFolder) -> None:
    before = run(folder, "a", 3)

    def fail() -> None:
        with folder.staged("b") as staging:
            put(staging, result("b", 1))
            assert content(folder) == before
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        fail()
    assert content(folder) == before
    assert books(folder) == ["trial.json"]


def test_publishing_again_changes_nothing(folder: ResultFolder) -> None:
    with folder.staged("a") as staging:
        put(staging, result("a", 2))
        folder.publish("a")
        folder.publish("a")
        assert content(folder) == result("a", 2)
    folder.publish("a")
    assert content(folder) == result("a", 2)


def test_files_go_where_the_run_says_and_others_of_its_staging_do_not_count(folder: ResultFolder) -> None:
    with folder.staged("a") as staging:
        put(staging, {"x": b"1", "y": b"2", "tried-before": b"3", "seal": b"sealed"})
        folder.publish("a", {"y": "parts/part-0.txt", "x": "parts/part-1.txt", "seal": "seal"})
    assert content(folder) == {"parts/part-0.txt": b"2", "parts/part-1.txt": b"1", "seal": b"sealed"}
    assert books(folder) == ["trial.json"]


def test_what_is_not_provably_of_a_result_is_never_in_its_places(folder: ResultFolder) -> None:
    run(folder, "a", 2)
    for name in ("parts/part-1.csv", "parts/part-7.txt", "parts/deep/part-0.txt", "page"):
        put(folder.path, {name: b"mine"})
        before = content(folder)
        with pytest.raises(ConfigurationError, match=r"is in the way: it is not known to be of an earlier trial"):
            run(folder, "b", 1)
        assert content(folder) == before
        delete([join(folder.path, name)])
    put(folder.path, {"page": b"page", "beside": b"mine"})
    assert run(folder, "b", 1) | {"beside": b"mine"} == content(folder)


def test_what_comes_while_a_run_works_keeps_it_from_being_published(folder: ResultFolder) -> None:
    before = run(folder, "a", 2)

    def fail() -> None:
        with folder.staged("b") as staging:
            put(staging, result("b", 1))
            put(folder.path, {"parts/mine.txt": b"mine"})
            folder.publish("b")

    with pytest.raises(ConfigurationError, match=r"mine\.txt is in the way"):
        fail()
    assert content(folder) == before | {"parts/mine.txt": b"mine"}


def test_a_result_of_before_there_was_a_mark_is_known_by_its_seal(folder: ResultFolder) -> None:
    put(folder.path, result("old", 3))
    assert content(folder) | run(folder, "a", 1) == result("old", 3) | result("a", 1)
    assert content(folder) == result("a", 1)
    delete_folder(folder.path)
    put(folder.path, result("old", 3) | {"seal": b"somebody's own"})
    with pytest.raises(ConfigurationError, match=r"part-0\.txt is in the way"):
        run(folder, "a", 1)


# Killed anywhere


def publish_killed(folder: ResultFolder, run_id: str, step: int) -> bool:
    """A run whose process is killed at a step; whether it came so far. What would tidy up is not called."""
    staging = folder.staging(run_id)
    claim = claims.claim("--output", folder.path, KIND.name, (run_id, join(BOOKS, run_id)), stays=False)
    put(staging, result(run_id, 2))
    try:
        with killed_at(step):
            folder.publish(run_id)
        return False
    except Killed:
        return True
    finally:
        let_die(claim)


@pytest.mark.parametrize("earlier", [0, 1, 4])
@pytest.mark.parametrize("then", ["settle", "run"])
def test_killed_before_any_change_of_publishing_either_result_is_whole_after_the_next_command(
    earlier: int, then: str, folder: ResultFolder
) -> None:
    for step in range(100):
        delete_folder(folder.path)
        before = run(folder, "a", earlier) if earlier else {}
        killed = publish_killed(folder, "b", step)
        found = content(folder)
        if found.get("seal"):
            assert found in (before, result("b", 2)), "a mixture is sealed"
        if then == "settle":
            folder.settle()
            assert content(folder) in (before, result("b", 2))
        else:
            assert run(folder, "c", 1, force=True) == content(folder)
            assert books(folder) == ["trial.json"]
        if not killed:
            break
    assert 5 < step < 99


# Two at once


def owner(folder: ResultFolder, **changes: object) -> None:
    """A claim of somebody else's."""
    made = Owner("other", join(BOOKS, "other"), "ann@far, process 7", "far", datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    text = msgspec.json.encode(msgspec.structs.replace(made, **changes))
    put(folder.path, {f"{BOOKS}/trial-other.lock": text, f"{BOOKS}/other/half": b"half"})


def test_two_at_once_are_told_apart_and_the_first_is_not_disturbed(folder: ResultFolder) -> None:
    with folder.staged("a") as staging:
        put(staging, result("a", 2))
        with pytest.raises(ConfigurationError, match=r"run a of .*process \d+ has been writing there since 20..-"):
            run(folder, "b", 1)
        folder.publish("a")
    assert content(folder) == result("a", 2)
    assert run(folder, "b", 1) == content(folder)


@pytest.mark.parametrize("changes", [{}, {"held": True}, {"until": datetime(2200, 1, 1, tzinfo=UTC)}])
def test_whether_somebody_elsewhere_died_cannot_be_told_and_force_takes_over(
    changes: dict[str, object], folder: ResultFolder
) -> None:
    owner(folder, **changes)
    with pytest.raises(
        ConfigurationError, match=r"ann@far, process 7 has been .* since 2026-03-01 09:30:00 UTC.*--force"
    ):
        run(folder, "b", 1)
    assert f"{BOOKS}/other/half" in list_folder(folder.path)
    assert run(folder, "b", 1, force=True) == content(folder)
    assert books(folder) == ["trial.json"]


def test_a_lease_that_has_run_out_is_that_of_a_dead_run(folder: ResultFolder) -> None:
    owner(folder, until=datetime.now(UTC) - timedelta(seconds=1))
    assert run(folder, "b", 1) == content(folder)
    assert books(folder) == ["trial.json"]


def test_a_run_that_was_taken_over_publishes_nothing(folder: ResultFolder) -> None:
    def fail() -> None:
        with folder.staged("a") as staging:
            put(staging, result("a", 2))
            claims.unclaim(folder.path, KIND.name, "a")
            folder.publish("a")

    with pytest.raises(RunFailed, match="another run has taken the folder over"):
        fail()
    assert content(folder) == {}


def test_a_run_elsewhere_keeps_its_claim_when_its_launcher_goes_and_gives_it_back_itself(folder: ResultFolder) -> None:
    def stop() -> None:
        with folder.staged("a", stays=False) as staging:
            put(staging, result("a", 2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert "trial-a.lock" in books(folder)
    folder.publish("a")
    assert content(folder) == result("a", 2)
    assert books(folder) == ["trial.json"]


def test_a_lease_is_renewed_as_long_as_its_run_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    stores.OBJECTS.clear()
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.5))
    folder = ResultFolder("shelf://s/out", KIND)
    with folder.staged("a") as staging:
        put(staging, result("a", 1))
        first = stores.OBJECTS[path := "shelf://s/out/.uncommon-im/trial-a.lock"]
        waiting = datetime.now(UTC) + timedelta(seconds=30)
        while stores.OBJECTS.get(path, first) == first and datetime.now(UTC) < waiting:
            pass
        assert stores.OBJECTS[path] > first
        folder.publish("a")
    assert books(folder) == ["trial.json"]


@pytest.mark.parametrize("staging", ["../kept", "/kept", "kept", ".uncommon-im/../kept"])
def test_a_claim_that_names_another_place_removes_nothing(staging: str, folder: ResultFolder) -> None:
    put(folder.path, {"kept/file": b"mine"})
    owner(folder, staging=staging, until=datetime(2020, 1, 1, tzinfo=UTC))
    assert run(folder, "b", 1) | {"kept/file": b"mine"} == content(folder)


def test_a_mark_that_names_somebodys_files_proves_nothing(folder: ResultFolder) -> None:
    put(folder.path, {"parts/mine.txt": b"mine", f"{BOOKS}/trial.json": b'{"run_id":"x","files":["parts/mine.txt"]}'})
    with pytest.raises(ConfigurationError, match=r"mine\.txt is in the way"):
        run(folder, "b", 1)
    assert content(folder) == {"parts/mine.txt": b"mine"}


@pytest.mark.parametrize("book", ["trial.json", "trial-publishing.json", "trial-x.lock"])
@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"run_id": 7}', b"\xff"])
def test_damaged_books_are_none(book: str, text: bytes, folder: ResultFolder) -> None:
    put(folder.path, result("old", 2) | {f"{BOOKS}/{book}": text})
    assert run(folder, "a", 1) == content(folder)


def test_a_run_that_is_killed_is_known_to_be_dead_at_once_and_what_it_left_goes(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, sys
        from tests.pipeline.results.test_result_folder import KIND, put, result
        from uncommon_im.pipeline.results.result_folder import ResultFolder
        with ResultFolder(sys.argv[1], KIND).staged("dead") as staging:
            put(staging, result("dead", 3))
            print("staged", flush=True)
            sys.stdin.read()
        """
    )
    folder = ResultFolder(str(tmp_path / "out"), KIND)
    arguments = [sys.executable, "-c", program, folder.path]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "staged\n"
        with pytest.raises(ConfigurationError, match=rf"process {process.pid} has been .* wait until it is done$"):
            run(folder, "b", 1, force=True)
        process.kill()
    assert "dead/seal" in books(folder)
    assert run(folder, "b", 1) == content(folder)
    assert books(folder) == ["trial.json"]


# Files


def test_writing_that_fails_leaves_what_was_there_and_nothing_beside(
    folder: ResultFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder.path, {"seal": b"before"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(changing, "move", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(join(folder.path, "seal"), b"after")
    assert content(folder) == {"seal": b"before"}


def test_deleting_takes_names_and_not_patterns_and_minds_nothing_that_is_gone(folder: ResultFolder) -> None:
    names = ["a", "*", "?", "[a]", "b c", "d#e"]
    for name in names:
        with create(join(folder.path, name)) as stream:
            stream.write(name.encode())
    for name in ("*", "?", "[a]", "gone", "b c", "d#e"):
        delete([join(folder.path, name)])
        assert not exists(join(folder.path, name))
    assert content(folder) == {"a": b"a"}


def test_any_history_of_runs_kills_and_readers_keeps_one_whole_result(folder: ResultFolder) -> None:
    chance, last = random.Random(7), [dict[str, bytes]()]
    for number in range(60):
        if chance.random() < 0.5:
            killed = publish_killed(folder, f"k{number}", chance.randrange(20))
            last = [*last, result(f"k{number}", 2)] if killed else [result(f"k{number}", 2)]
        elif chance.random() < 0.3:
            folder.settle()
            assert content(folder) in last
        else:
            last = [run(folder, f"r{number}", chance.randrange(4), force=True)]
            assert content(folder) == last[0]
