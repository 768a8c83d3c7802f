"""Temporary folders last as long as their process, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from uncommon_im.pipeline.storage import temporary
from uncommon_im.pipeline.storage.kernel_lock import hold, is_held
from uncommon_im.pipeline.storage.temporary import temporary_folder

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
    foreign = [tmp_path / "uncommon-im-notes", tmp_path / "owner.lock"]
    foreign[0].mkdir()
    foreign[1].touch()
    (tmp_path / "uncommon-im-link").symlink_to(foreign[0])
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        with temporary_folder(str(tmp_path)):
            assert (left / "block").exists()
        process.kill()
    assert (left / "block").exists()
    with temporary_folder(str(tmp_path)):
        assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["owner.lock", "uncommon-im-link", "uncommon-im-notes"]


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
