"""Folding of paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import CATALOGUE, quick
from uncommon_im.transforms.rules.recognition.paths import (
    Locations,
    fold_script,
    fold_user,
    fold_varying,
    folder_of,
    with_slashes,
)

LOCATIONS = Locations(CATALOGUE)
GUID = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"


@pytest.mark.parametrize(
    ("path", "os", "expected"),
    [
        ("C:\\Users\\al\\AppData\\Local\\Temp\\x\\a.exe", "windows", "c:/users/*/appdata/local/temp/*"),
        ("C:\\Users\\al\\AppData\\Local\\Temp\\a.exe", "windows", "c:/users/*/appdata/local/temp/*"),
        ("/usr/bin/curl", "linux", "/usr/bin"),
        (
            "C:\\Users\\al\\AppData\\Local\\Discord\\app-1.0.9035\\Discord.exe",
            "windows",
            "c:/users/*/appdata/local/discord/app-*",
        ),
        ("C:\\Windows\\Temp\\7zS1\\a.exe", "windows", "c:/windows/temp/*"),
        ("D:\\Temp\\a.exe", "windows", "d:/temp/*"),
        ("C:\\Users\\Public\\Libraries\\a.exe", "windows", "c:/users/public/*"),
        ("C:\\Users\\al\\Music\\Temp\\a.exe", "windows", "c:/users/*/music/*"),
        ("C:\\Users\\al\\Music\\Videos\\a.exe", "windows", "c:/users/*/music/*"),
        ("C:\\Users\\al\\Videos\\Music\\a.exe", "windows", "c:/users/*/videos/*"),
        ("C:\\Temp\\AppData\\Local\\Temp\\a.exe", "windows", "c:/temp/*"),
        ("C:\\$Recycle.Bin\\S-1-5-21\\a.exe", "windows", "c:/$recycle.bin/*"),
        ("C:\\Temperature\\a.exe", "windows", "c:/temperature"),
        ("/tmp/a", "linux", "/tmp/*"),
        ("/tmp/x/y/a", "macos", "/tmp/*"),
        ("/home/al/tmp/a", "linux", "/home/*/tmp"),
        ("/var/log/x/a", "linux", "/var/log/*"),
        ("/var/log/x/a", "macos", "/var/log/x"),
        ("/Users/Shared/x/a", "macos", "/users/shared/*"),
        ("/Users/al/bin/a", "macos", "/users/*/bin"),
        ("/tmp/x/a", "other", "/tmp/x"),
        ("/tmp/x/a", None, "/tmp/*"),
        ("C:\\Windows\\Temp\\x\\a.exe", None, "c:/windows/temp/*"),
        (f"C:\\ProgramData\\{{{GUID}}}\\a.exe", "windows", "c:/programdata/{*}"),
        ("/opt/x-1.2.3/deadbeef99/a", "linux", "/opt/x-*/*"),
        ("/a", "linux", ""),
        ("a", "linux", ""),
    ],
)
def test_the_folder_of_a_program_is_folded(path: str, os: str | None, expected: str) -> None:
    assert LOCATIONS.fold_folder(path, os) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("c:/users/al/x", "c:/users/*/x"),
        ("z:/users/al b/x", "z:/users/*/x"),
        ("/home/al/x", "/home/*/x"),
        ("/users/al/x", "/users/*/x"),
        *(
            (f"{root}/{name}/x", f"{root}/{name}/x")
            for root in ("c:/users", "/home", "/users")
            for name in ("public", "shared", "default", "all users")
        ),
        ("c:/users/publican/x", "c:/users/*/x"),
        ("c:/users/al", "c:/users/al"),
        ("/srv/home/al/x", "/srv/home/al/x"),
        ("c:/data/users/al/x", "c:/data/users/al/x"),
        ("/homes/al/x", "/homes/al/x"),
    ],
)
def test_only_a_users_own_folder_loses_its_name(path: str, expected: str) -> None:
    assert fold_user(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/x/{GUID.lower()}/y", "/x/*/y"),
        ("/x/0123abcd/y", "/x/*/y"),
        ("/x/abcdefab/y", "/x/*/y"),
        ("/x/abcdefa/y", "/x/abcdefa/y"),
        ("/x/1.2.34/y", "/x/*/y"),
        ("/x/v1.2-3/y", "/x/v*-*/y"),
        ("/x/1..2/y", "/x/*..*/y"),
        ("/x/y", "/x/y"),
    ],
)
def test_guids_hex_runs_and_numbers_vary(path: str, expected: str) -> None:
    assert fold_varying(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("C:\\Users\\al\\x.ps1", "c:/users/*/x.ps1"),
        ("C:\\Users\\al\\x1.2.ps1", "c:/users/*/x*.ps1"),
        ("run-20240131.mp3", "run-*.mp3"),
        ("./bot.py", "./bot.py"),
        ("Bot.PY", "bot.py"),
        ("/srv/app-1.2/b.js", "/srv/app-*/b.js"),
        ("/srv/dir.d2/b1", "/srv/dir.d*/b*"),
        ("/opt/x-1.2/e.jar", "/opt/x-*/e.jar"),
        ("/home/al/deadbeef.py", "/home/*/*.py"),
        ("C:\\Windows\\Temp\\a7.vbs", "c:/windows/temp/a*.vbs"),
        ("", ""),
    ],
)
def test_a_scripts_path_is_folded_but_for_its_extension_and_locations(path: str, expected: str) -> None:
    assert fold_script(path) == expected


@pytest.mark.parametrize(
    ("path", "os", "expected"),
    [
        ("C:\\Windows\\Temp\\x\\a.vbs", "windows", "c:/windows/temp/*"),
        ("C:\\Users\\al\\AppData\\Local\\Temp\\9\\a.ps1", "windows", "c:/users/*/appdata/local/temp/*"),
        ("C:\\Windows\\System32\\Tasks\\x\\a.ps1", "windows", "c:/windows/system*/tasks/*"),
        ("C:\\$Recycle.Bin\\x\\a.ps1", "windows", "c:/$recycle.bin/*"),
        ("/tmp/ab12/a.py", "linux", "/tmp/*"),
        ("/tmp/ab12/a.py", "windows", "/tmp/ab*/a.py"),
        ("/srv/a.py", "linux", "/srv/a.py"),
        ("tmp/a.py", "linux", "tmp/a.py"),
    ],
)
def test_a_script_in_a_suspicious_location_counts_as_that_location(path: str, os: str, expected: str) -> None:
    assert LOCATIONS.fold_script_location(fold_script(path), os) == expected


def test_folders_end_with_their_last_slash() -> None:
    assert (folder_of("/a/b"), folder_of("b"), folder_of("/a/")) == ("/a/", "", "/a/")


@quick
@given(st.text(st.sampled_from("abf019./-C:\\ "), max_size=30))
def test_folding_twice_folds_no_further_and_hides_every_number(path: str) -> None:
    folded = fold_varying(with_slashes(path))
    assert fold_varying(folded) == folded
    assert not any(character.isdigit() for character in folded)
