"""Who communicates."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.transforms.rules.records import CATALOGUE
from uncommon_im.transforms.rules.recognition.identity import Actor, Identities, Identity
from uncommon_im.transforms.rules.recognition.suspicion import Process

IDENTITIES = Identities(CATALOGUE)
CODE = "powershell|inline:" + hashlib.sha256(b"iwr x").hexdigest()[:16]


def identify(process: Process, **actor: Any) -> Identity:
    return IDENTITIES.identify(Actor(process, **actor), "telegram")


@pytest.mark.parametrize(
    ("process", "origin"),
    [
        (Process("windows", "c", signature_status="signed", signer="Google LLC"), "google llc"),
        (Process("windows", "c", "C:\\x\\c", "signed", "Google LLC"), "google llc"),
        (Process("windows", "c", "C:\\x\\c", "signed"), "unknown:c:/x"),
        (Process("windows", "c", "C:\\x\\c", "unsigned", "Google LLC"), "unsigned:c:/x"),
        (Process("windows", "c", "C:\\x\\c", "invalid", "Google LLC"), "unsigned:c:/x"),
        (Process("windows", "c", "C:\\x\\c", "unknown", "Google LLC"), "unknown:c:/x"),
        (Process("windows", "c", "C:\\x\\c"), "unknown:c:/x"),
        (Process("linux", "c", None, "unsigned"), "unsigned:"),
        (Process("linux", "c", "/usr/bin/c"), "unknown:/usr/bin"),
        (
            Process("windows", "c", "C:\\Users\\al\\AppData\\Local\\Temp\\a\\c.exe", "unsigned"),
            "unsigned:c:/users/*/appdata/local/temp/*",
        ),
        (
            Process("windows", "c", "C:\\Users\\al\\AppData\\Local\\Discord\\app-1.0.9\\c.exe"),
            "unknown:c:/users/*/appdata/local/discord/app-*",
        ),
    ],
)
def test_the_origin_is_the_signer_else_the_status_and_the_folded_folder(process: Process, origin: str) -> None:
    assert identify(process).origin == origin


def test_three_programs_of_one_name_are_three_and_an_update_is_none() -> None:
    signed = Process("windows", "chrome.exe", "C:\\Program Files\\c\\1.2\\chrome.exe", "signed", "Google LLC")
    unsigned = Process("windows", "Chrome.exe", "C:\\Program Files\\c\\1.2\\chrome.exe", "unsigned")
    elsewhere = Process("linux", "chrome.exe", "/tmp/chrome.exe")
    updated = Process("windows", "chrome.exe", "C:\\Program Files\\c\\1.3\\chrome.exe", "unsigned")
    programs = [(i.name, i.origin) for i in map(identify, (signed, unsigned, elsewhere, updated))]
    assert len(set(programs)) == 3
    assert programs[1] == programs[3]


POWERSHELL = {"causality_name": "powershell.exe", "causality_command_line": "powershell -c iwr x"}


@pytest.mark.parametrize(
    ("process", "actor", "fingerprint", "script"),
    [
        # The actor is an engine: its own execution counts, whatever started it.
        (Process("linux", "python3"), {"command_line": "python3 a.py"}, "python|script:a.py", "python|script:a.py"),
        (
            Process("windows", "python.exe"),
            {"command_line": "python a.py", **POWERSHELL},
            "python|script:a.py",
            "python|script:a.py",
        ),
        (Process("windows", "python.exe"), POWERSHELL, "python|unknown", "python|unknown"),
        # A suspicious class that a script started.
        (Process("windows", "curl.exe"), {"command_line": "curl x", **POWERSHELL}, CODE, CODE),
        (Process("linux", "bash"), POWERSHELL, CODE, CODE),
        (Process("windows", "winword.exe"), POWERSHELL, CODE, CODE),
        # The script started what is in no suspicious class: an execution, but not the program's script.
        (Process("windows", "chrome.exe"), POWERSHELL, CODE, ""),
        (Process("linux", "curl.exe"), POWERSHELL, CODE, ""),
        # No script anywhere.
        (Process("windows", "curl.exe"), {"command_line": "curl x"}, None, ""),
        (
            Process("windows", "curl.exe"),
            {"causality_name": "cmd.exe", "causality_command_line": "cmd /c curl x"},
            None,
            "",
        ),
        (Process("windows", "chrome.exe"), {}, None, ""),
    ],
)
def test_the_script_is_the_engines_or_that_of_what_a_script_started(
    process: Process, actor: dict[str, str], fingerprint: str | None, script: str
) -> None:
    identity = identify(process, **actor)
    assert (identity.fingerprint, identity.script) == (fingerprint, script)


def test_the_own_path_counts_for_the_actors_command_line_only() -> None:
    path = "C:\\my programs\\python.exe"
    own = Actor(Process("windows", "python.exe", path), f"{path} a.py")
    started = Actor(
        Process("windows", "curl.exe", path),
        causality_name="python.exe",
        causality_command_line=f"{path} a.py",
    )
    assert IDENTITIES.execution(own) == "python|script:a.py"
    assert IDENTITIES.execution(started) == "python|script:programs/python.exe"


@pytest.mark.parametrize(
    ("os", "command_line", "reduced"),
    [
        ("linux", "python -c x", "python|inline"),
        ("linux", "python -", "python|stdin"),
        ("linux", "python", "python|interactive"),
        ("linux", None, "python|unknown"),
        ("linux", "python -m pip", "python|module:pip"),
        ("linux", "python /srv/a7.py", "python|script:/srv/a*.py"),
        ("linux", "python /tmp/a7/b.py", "python|script:/tmp/*"),
        ("windows", "python /tmp/a7/b.py", "python|script:/tmp/a*/b.py"),
        ("windows", "python C:\\Windows\\Temp\\x\\b.py", "python|script:c:/windows/temp/*"),
    ],
)
def test_a_reduced_script_forgets_what_changes_from_run_to_run(os: str, command_line: str | None, reduced: str) -> None:
    assert identify(Process(os, "python"), command_line=command_line).reduced_script == reduced


def test_a_program_without_script_has_no_reduced_script() -> None:
    assert identify(Process("linux", "chrome")).reduced_script == ""


@pytest.mark.parametrize(
    ("parent", "expected"), [("C:\\x\\Explorer.EXE", "explorer.exe"), ("/bin/Bash", "bash"), (None, None)]
)
def test_the_parent_is_a_base_name_in_lower_case(parent: str | None, expected: str | None) -> None:
    assert identify(Process("windows", "app", parent_name=parent)).parent == expected


def test_the_reasons_depend_on_the_service() -> None:
    actor = Actor(Process("windows", "excel.exe"))
    assert IDENTITIES.identify(actor, "slack").reasons == ("office",)
    assert IDENTITIES.identify(actor, "microsoft-teams").reasons == ()
