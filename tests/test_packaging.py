"""What is built installs beside packages that are called as the project's own folders are; nothing is downloaded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT
from tests.running import read_rows, write_lines

ROOMS: Final = ("pipeline", "transforms", "schemas")
NO_NETWORK: Final = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
WHERE: Final = """
import json
import pipeline, schemas.tables, transforms
import uncommon_im.pipeline, uncommon_im.transforms.rules, uncommon_im.schemas.detector
from uncommon_im.pipeline import backfill
own = (pipeline.NAME, transforms.NAME, schemas.tables.NAME)
ours = (uncommon_im.pipeline, uncommon_im.transforms.rules, uncommon_im.schemas.detector, backfill)
print(json.dumps({"own": own, "ours": [module.__file__ for module in ours]}))
"""

RECORDS: Final = [
    {
        "event_id": f"e{day}",
        "event_time": f"2026-03-{day:02}T12:00:00Z",
        "host_id": "h1",
        "os": "windows",
        "process_name": "notepad.exe",
        "process_path": "C:\\Windows\\notepad.exe",
        "remote_host": "api.telegram.org" if day == 20 else "example.com",
        "remote_port": 443,
    }
    for day in range(1, 21)
]


@dataclass(frozen=True)
class Built:
    """The sources that it is built from, and what is built."""

    sources: Path
    sdist: Path
    wheel: Path


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints, in an environment that knows nothing of this one's packages."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked(*folders: str) -> list[str]:
    """The files that the repository keeps in some folders, by path."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders, cwd=ROOT)
    return [path for path in listed.split("\0") if path and (ROOT / path).exists()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    sources, output = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("built")
    for path in tracked("."):
        (sources / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, sources / path)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", output, sources, cwd=output, **NO_NETWORK)
    (sdist,), (wheel,) = output.glob("*.tar.gz"), output.glob("*.whl")
    return Built(sources, sdist, wheel)


def environment_with(folder: Path, *requirement: str | Path) -> Path:
    """The folder of programs of a new environment: this one's packages without the project, and the requirement."""
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    programs, (packages,) = folder / "venv" / "bin", (folder / "venv").glob("lib/*/site-packages")
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if "uncommon_im" not in installed.name:
            (dependencies / installed.name).symlink_to(installed)
    (packages / "dependencies.pth").write_text(str(dependencies), encoding="utf-8")
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", *requirement)
    run(programs / "python", *install, cwd=folder, **NO_NETWORK)
    return programs


def foreign_project(folder: Path) -> Path:
    """Somebody else's project: packages of its own are called pipeline, transforms and schemas."""
    for room in ROOMS:
        (folder / "theirs" / room).mkdir(parents=True)
        (folder / "theirs" / room / "__init__.py").write_text(f"NAME = 'their {room}'\n", encoding="utf-8")
    (folder / "theirs" / "schemas" / "tables.py").write_text("NAME = 'their tables'\n", encoding="utf-8")
    (folder / "theirs" / "where.py").write_text(WHERE, encoding="utf-8")
    return folder / "theirs"


def test_the_wheel_holds_the_rooms_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == {f"uncommon_im/{path}" for path in tracked(*ROOMS)}
    assert {Path(name).suffix for name in names} == {".py", ".yaml", ".json", ".j2", ".css", ".js"}


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= {*tracked(*ROOMS), "LICENSE", "README.md", "pyproject.toml", "setup.py"}


@pytest.mark.parametrize("editable", [False, True], ids=["wheel", "editable"])
def test_it_works_beside_packages_of_the_same_names(built: Built, tmp_path: Path, editable: bool) -> None:
    programs = environment_with(tmp_path, *(("--editable", built.sources) if editable else (built.wheel,)))
    theirs = foreign_project(tmp_path)

    where = json.loads(run(programs / "python", "where.py", cwd=theirs))
    assert where["own"] == ["their pipeline", "their transforms", "their tables"]
    installed = built.sources if editable else tmp_path / "venv"
    assert [path for path in where["ours"] if not Path(path).is_relative_to(installed)] == []

    for paths in ({}, {"PYTHONPATH": str(theirs)}):
        answer = run(programs / "uncommon-im", "lookup", "hooks.slack.com", cwd=theirs, **paths)
        assert answer.startswith("hooks.slack.com is an instant messaging server: Slack")

        out = theirs / ("embedded" if paths else "beside")
        write_lines(theirs / "events.jsonl", RECORDS)
        run(programs / "uncommon-im", "backfill", "--input", "events.jsonl", "--output", out, cwd=theirs, **paths)
        assert [alert["event_id"] for alert in read_rows(str(out), "alerts")] == ["e20"]
