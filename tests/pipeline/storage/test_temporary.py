"""Temporary folders last as long as their process, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from uncommon_im.pipeline.storage import temporary
from uncommon_im.pipeline.storage.kernel_lock import hold, is_held, write_alone
from uncommon_im.pipeline.storage.temporary import temporary_folder, temporary_home

PROGRAM = """
import sys
from pathlib import Path
from uncommon_im.pipeline.storage.temporary import temporary_folder
with temporary_folder(sys.argv[1]) as folder:
    Path(folder, "block").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_gone_after_its_block(tmp_path: Path) -> None:
    with temporary_folder(str(tmp_path / "new")) as folder:
        Path(folder, "block").write_bytes(b"x")
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    foreign = [tmp_path / "uncommon-im-tmp-notes", tmp_path / "owner.lock"]
    foreign[0].mkdir()
    foreign[1].touch()
    (tmp_path / "uncommon-im-tmp-link").symlink_to(foreign[0])
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        with temporary_folder(str(tmp_path)):
            assert (left / "block").exists()
        process.kill()
    assert (left / "block").exists()
    with temporary_folder(str(tmp_path)):
        assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "owner.lock",
        "uncommon-im-tmp-link",
        "uncommon-im-tmp-notes",
    ]


@pytest.mark.parametrize("inside", [[], [f"owner.lock.{'0' * 32}"]])
def test_a_folder_whose_maker_was_killed_before_it_was_his_goes_too(inside: list[str], tmp_path: Path) -> None:
    left, foreign = tmp_path / "uncommon-im-tmp-abc_1234", tmp_path / "uncommon-im-abc_1234"
    for folder in (left, foreign):
        folder.mkdir()
        for name in inside:
            (folder / name).touch()
    with temporary_folder(str(tmp_path)):
        assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == [foreign.name]


def test_a_folder_named_by_chance_like_a_temporary_one_stays_with_what_is_in_it(tmp_path: Path) -> None:
    notes = tmp_path / "uncommon-im-tmp-research" / "notes.txt"
    notes.parent.mkdir()
    notes.touch()
    (tmp_path / "uncommon-im-tmp-abcd1234").touch()
    with temporary_folder(str(tmp_path)):
        assert notes.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"uncommon-im-tmp-research", "uncommon-im-tmp-abcd1234"}


def test_a_folder_says_whose_it_is_until_all_else_in_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[str] = []
    unlink = Path.unlink

    def note(path: Path, missing_ok: bool = False) -> None:
        removed.append(path.name)
        unlink(path, missing_ok)

    with temporary_folder(str(tmp_path)) as folder:
        for name in ("a", "z"):
            Path(folder, name).touch()
        Path(folder, "zz", "below").mkdir(parents=True)
        monkeypatch.setattr(Path, "unlink", note)
    assert sorted(removed[:-1]) == ["a", "z"]
    assert removed[-1] == "owner.lock"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_a_processes_own_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(temporary, "hold", fail)
    with pytest.raises(OSError, match="Input/output"), temporary_folder(str(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_where_files_cannot_be_held_a_folder_is_never_taken_for_a_dead_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary, "hold", lambda path, content: path.write_bytes(content) or None)
    with temporary_folder(str(tmp_path)) as first, temporary_folder(str(tmp_path)):
        assert Path(first).is_dir()


def test_a_file_is_held_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    stream = hold(path, b"mine")
    assert stream
    assert is_held(path)
    assert path.read_bytes() == b"mine"
    stream.close()
    assert not is_held(path)
    assert [each.name for each in tmp_path.iterdir()] == ["lock"]


def test_what_libraries_make_lies_in_the_temporary_home_and_goes_with_it(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        with temporary_home() as home:
            assert Path(tempfile.mkdtemp()).parent == Path(home)
            with temporary_folder() as folder:
                assert Path(folder).parent == Path(home)
        assert tempfile.gettempdir() == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_who_writes_alone_removes_what_the_killed_left_and_nothing_else(tmp_path: Path) -> None:
    page, unfinished = tmp_path / "page.html", "0" * 32
    stays = ["page.html.old", f"other.html.{unfinished}", f".{unfinished}", f"page.html.{unfinished}.gz"]
    for name in (*stays, f"page.html.{unfinished}"):
        (tmp_path / name).write_bytes(b"cut")
    held = hold(tmp_path / f"page.html.{'1' * 32}", b"by a living process")
    assert held
    write_alone(page, b"whole")
    assert page.read_bytes() == b"whole"
    assert {path.name for path in tmp_path.iterdir()} == {page.name, f"page.html.{'1' * 32}", *stays}
    held.close()


def test_writing_alone_that_fails_leaves_what_was_there_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_alone(page, b"after")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {page.name: b"before"}
