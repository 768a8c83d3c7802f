"""The audit of the locks: what is known is said, and what could not be looked up never passes for good news.

osv-scanner itself is there after `make test-deploy` or `make audit`; elsewhere a program stands for it.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

from tests import ROOT

OSV_SCANNER = Path(sys.prefix) / "bin" / "osv-scanner"
SOME = "numpy"
"""A locked package."""


def loaded() -> ModuleType:
    """The program: it lies beside the locks, and is no module of a package."""
    spec = importlib.util.spec_from_file_location("audit", ROOT / "deploy" / "container" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses ask for it
    spec.loader.exec_module(module)
    return module


audit = loaded()


def stand_in(folder: Path, known_bad: int, locks: int) -> Path:
    """A program instead of osv-scanner: its exit status for what everybody knows, and for the locks."""
    program = folder / "osv-scanner"
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '  --version) echo "osv-scanner version: 9.9" ;;\n'
        "  *download*) exit 127 ;;\n"
        f"  *requirements.lock*) echo 'numpy 1.0 has a hole'; exit {locks} ;;\n"
        f"  *) exit {known_bad} ;;\nesac\n"
    )
    program.chmod(0o755)
    return program


def database(folder: Path, *records: dict[str, object]) -> None:
    """A database of advisories as OSV gives it out."""
    path = folder / "osv-scalibr" / "PyPI" / "all.zip"
    path.parent.mkdir(parents=True)
    with ZipFile(path, "w") as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))


def advisory(id: str, package: str, version: str) -> dict[str, object]:
    """An advisory of ours against one version of a package."""
    affected = {"package": {"ecosystem": "PyPI", "name": package}, "versions": [version]}
    return {"id": id, "modified": "2026-01-02T00:00:00Z", "summary": "made up", "affected": [affected]}


def locked_version(package: str) -> str:
    text = (ROOT / "deploy" / "container" / "requirements.lock").read_text()
    found = re.search(rf"^{package}==(\S+)", text, re.MULTILINE)
    assert found
    return found[1]


KNOWN_BAD = advisory("PYSEC-2020-0", "pyyaml", "5.3")


@pytest.mark.parametrize(
    ("status", "ends", "says"),
    [(0, 0, "nothing is known against the"), (1, 1, "are vulnerable"), (127, 2, "Not audited: osv-scanner 9.9")],
)
def test_what_the_scanner_finds_decides_the_exit_status_and_is_said_with_tool_database_and_its_day(
    status: int, ends: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database(tmp_path, KNOWN_BAD)
    program = stand_in(tmp_path, known_bad=1, locks=status)
    assert audit.main(["--scanner", str(program), "--database", str(tmp_path)]) == ends
    said = capsys.readouterr().out
    assert says in said
    assert ("numpy 1.0 has a hole" in said) == (status != 0)
    if status != 127:
        assert "an earlier copy of OSV's database of PyPI (1 records, the newest of 2026-01-02)" in said


@pytest.mark.parametrize(("given", "ends"), [([], 2), (["--unreachable", "pass"], 0)])
def test_without_a_database_it_says_that_nothing_was_audited_and_fails_unless_told_otherwise(
    given: list[str], ends: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = stand_in(tmp_path, known_bad=127, locks=0)
    assert audit.main(["--scanner", str(program), "--database", str(tmp_path), *given]) == ends
    said = capsys.readouterr().out
    assert said.startswith("Not audited: OSV's server cannot be reached")
    assert "nothing is known" not in said


def test_a_database_that_does_not_know_what_everybody_knows_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database(tmp_path)
    program = stand_in(tmp_path, known_bad=0, locks=0)
    assert audit.main(["--scanner", str(program), "--database", str(tmp_path)]) == 2
    assert "no whole database" in capsys.readouterr().out


def test_findings_fail_even_where_a_missing_database_would_pass(tmp_path: Path) -> None:
    database(tmp_path, KNOWN_BAD)
    program = stand_in(tmp_path, known_bad=1, locks=1)
    assert audit.main(["--scanner", str(program), "--database", str(tmp_path), "--unreachable", "pass"]) == 1


def test_a_damaged_database_is_no_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "osv-scalibr" / "PyPI" / "all.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no archive")
    program = stand_in(tmp_path, known_bad=1, locks=0)
    assert audit.main(["--scanner", str(program), "--database", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.skipif(not OSV_SCANNER.exists(), reason="osv-scanner is not installed: make test-deploy")
def test_osv_scanner_finds_an_advisory_against_a_locked_version_and_none_against_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, version, ends in (("hit", locked_version(SOME), 1), ("miss", "0.0.1", 0)):
        database(tmp_path / name, KNOWN_BAD, advisory("PYSEC-2026-0", SOME, version))
        scanner = audit.Scanner(str(OSV_SCANNER), tmp_path / name)
        assert scanner.knows(), "it does not find what everybody knows"
        assert audit.scanned(scanner, fresh=False) == ends
        assert ("PYSEC-2026-0" in capsys.readouterr().out) == (name == "hit")
