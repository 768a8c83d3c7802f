"""Files of the user's that are wrong: one line that says where and how to mend it, exit status 2, nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import write_lines
from uncommon_im.pipeline.cli.main import main

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}
FIELDS = "process_name, origin, signer, service_id, host_id, user_name, process_path, parent_process_name, remote_host"
NO_LIST = "expected a list of exceptions (or a mapping with `exceptions`)"
CARD = "id, name, description, attack, variations, false_positives, triage, references, priority, limits"
SERVICES = "format, services, exclusions, shared_hosts"

BROKEN: list[tuple[str, str]] = [
    ("a: [", ", line 2, column 1: not valid YAML: did not find expected node content"),
    ("- x: 1\n  y\n", ", line 3, column 1: not valid YAML: could not find expected ':'"),
    ("\x00", ": not valid YAML: not readable"),
]
MISTAKEN: list[tuple[str, str, str]] = [
    ("--detector", "- limits", ": expected keys such as `limits`, found list"),
    ("--detector", "limits: {guard_days: x}", ": limits.guard_days: expected a whole number, 0 or more, not 'x'"),
    (
        "--detector",
        "sevices: []",
        f": unknown key sevices: known are {CARD}",
    ),
    ("--services", "limits: {}", f": unknown key limits: known are {SERVICES}"),
    ("--services", "", f": expected a mapping with {SERVICES}, not None"),
    ("--services", "{}", ": expected a mapping with a list `services` (or `exclusions`)"),
    (
        "--services",
        "services:\n- {id: own, hosts: {sufix: [a.example]}}",
        ": services[0] (own).hosts: unknown key sufix: did you mean suffix? known are suffix, exact, cdn, api",
    ),
    (
        "--services",
        "services:\n- {id: own, hosts: {suffix: ['*.a.example']}}",
        ": services[0] (own).hosts.suffix[0]: host '*.a.example' is not a host name: "
        "write it without scheme, port, path and *",
    ),
    ("--exceptions", "", f": {NO_LIST}"),
    ("--exceptions", "services: []", f": {NO_LIST}"),
    (
        "--exceptions",
        "- {proces_name: x, reason: y}",
        f": exceptions[0]: unknown key proces_name: did you mean process_name? known are {FIELDS}, reason, expires",
    ),
    (
        "--exceptions",
        "- {process_name: x}",
        ": exceptions[0]: needs a `reason`, so that others know why it is there",
    ),
]
CASES = [(option, text, where) for text, where in BROKEN for option in ("--detector", "--services", "--exceptions")]


@pytest.mark.parametrize(("option", "text", "message"), CASES + MISTAKEN)
def test_a_wrong_file_ends_the_run_before_it_begins_with_one_line_that_says_where(
    option: str, text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(tmp_path / "a.jsonl", [EVENT])
    wrong, output = tmp_path / "wrong.yaml", tmp_path / "out"
    wrong.write_text(text)
    arguments = ["backfill", "--input", str(tmp_path / "a.jsonl"), "--output", str(output), option, str(wrong)]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err == f"uncommon-im: {wrong}{message}\n"
    assert not output.exists()


@pytest.mark.parametrize("option", ["--detector", "--services", "--exceptions"])
def test_a_file_that_is_not_there_is_named(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lines(tmp_path / "a.jsonl", [EVENT])
    missing = tmp_path / "none.yaml"
    arguments = ["backfill", "--input", str(tmp_path / "a.jsonl"), "--output", str(tmp_path / "out")]
    assert main([*arguments, option, str(missing)]) == 2
    assert capsys.readouterr().err == f"uncommon-im: {missing}: cannot be read: No such file or directory\n"


def test_a_glob_that_matches_nothing_ends_the_run_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = f"{tmp_path}/none*"
    assert main(["backfill", "--input", pattern, "--output", str(tmp_path / "out")]) == 2
    expected = f"uncommon-im: --input {pattern}: matches no file: check the path, and quote globs\n"
    assert capsys.readouterr().err == expected
    assert not (tmp_path / "out").exists()


def test_a_right_file_of_each_kind_is_taken(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [EVENT | {"remote_host": "chat.own.example"}])
    texts = {
        "detector": "limits: {activation_days: 0}",
        "services": "services:\n- {id: own, hosts: {suffix: [own.example]}}",
        "exceptions": "- {process_name: curl, reason: known}",
    }
    arguments = ["backfill", "--input", str(tmp_path / "a.jsonl"), "--output", str(tmp_path / "out")]
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
        arguments += [f"--{name}", str(tmp_path / f"{name}.yaml")]
    assert main(arguments) == 0
    verdicts = json.loads((tmp_path / "out" / "summary.json").read_text())["verdicts"]
    assert {name: count for name, count in verdicts.items() if count} == {"excepted": 1}
