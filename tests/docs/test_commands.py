"""Every command that a page shows: shellcheck passes it, the parser takes it, and what can be run is run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.docs.blocks import COMMANDS, PAGES, TOP, Block, blocks_of
from uncommon_im.pipeline.cli.main import parser
from uncommon_im.pipeline.options.beam import unknown_options

REASONS: Final = {
    "it needs Google Cloud",
    "it needs AWS",
    "it needs Azure",
    "it needs Kafka",
    "it needs a server",
    "it needs Flink",
    "it needs Airflow",
    "it needs the network",
    "it is run by make",
    "it takes minutes",
    "it waits for data",
    "it changes the repository",
}
"""Why a block may be left out: the parser takes it all the same."""
HARMLESS: Final = ("date", "mktemp")
"""Programs that are really called while a block's commands are only noted."""
NOTING: Final = r"""
note() { printf '%s\0' "$@" > "$(mktemp -p "$NOTES")"; }
command_not_found_handle() { note "$@"; }
uncommon-im() { note uncommon-im "$@"; }
source() { :; }
export PROJECT=p DATA=p REGION=r JOB=j D=2026-02-17 E=2026-02-18 DAY=2026-02-17 TODAY=2026-02-18 HOOK=https://chat.example/hook
"""
TARGETS: Final = set(re.findall(r"^([a-z][a-z-]*):", (TOP / "Makefile").read_text(), re.MULTILINE))
RUNNABLE: Final = [page for page in PAGES if any(not block.why for block in blocks_of(page) if block.language == "sh")]


def calls_of(block: Block, folder: Path) -> list[list[str]]:
    """The commands that a block gives, its words as the shell makes them; none of them is run."""
    for name in ("notes", "bin"):
        (folder / name).mkdir()
    for name in HARMLESS:
        (folder / "bin" / name).symlink_to(shutil.which(name) or "")
    shutil.copytree(TOP / "deploy", folder / "deploy")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").touch()
    for script in (*TOP.glob("deploy/**/*.sh"), TOP / ".ci" / "run"):
        stub = folder / script.relative_to(TOP)
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f'#!/bin/bash\nprintf "%s\\0" {script.name} "$@" > "$(mktemp -p "$NOTES")"\n')
        stub.chmod(0o755)
    environment = {"PATH": str(folder / "bin"), "NOTES": str(folder / "notes"), "HOME": str(folder)}
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", f"{NOTING}\n{block.text}\nwait"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "No such file" not in done.stderr, f"{block}: {done.stderr}"
    return [path.read_bytes().decode().split("\0")[:-1] for path in sorted((folder / "notes").iterdir())]


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_shellcheck_passes_a_block(block: Block) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    # Variables that the page sets in another block; the reader's own; a word that is meant as one.
    leave = "SC2154,SC1090,SC1091,SC2016,SC2034,SC2086"
    done = subprocess.run(
        [str(shellcheck), "--shell", "bash", "--exclude", leave, "-"],
        input=block.text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}"


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_commands_of_a_block_exist_and_take_their_options(block: Block, tmp_path: Path) -> None:
    assert not block.why or block.why in REASONS, f"{block}: {block.why}"
    for name, *words in calls_of(block, tmp_path):
        program = name.rpartition("/")[2]
        if program == "uncommon-im":
            _, rest = parser().parse_known_args(words)
            assert not unknown_options(rest), f"{block}: {words}"
        elif program == "make":
            assert {word for word in words if "=" not in word} <= TARGETS, f"{block}: {words}"
        elif program == "python" and words[:1] == ["-m"]:
            assert importlib.util.find_spec(words[1]), f"{block}: {words}"


@pytest.mark.parametrize("page", RUNNABLE)
def test_commands_of_a_page_run_in_their_order(page: str, organisation: Path, tmp_path: Path) -> None:
    shutil.copytree(organisation, tmp_path, dirs_exist_ok=True)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks_of(page):
        if block.title:
            path = tmp_path / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.language != "sh" or block.why:
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    for path in tmp_path.rglob("summary.json"):
        events = json.loads(path.read_text())["events"]
        assert events["read"] > 0, path
        assert events["dead_letter"] == {}, path
