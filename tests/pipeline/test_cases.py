"""Small inputs of many makes count as they should (in-process runner): `expected.json` beside them says how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import read_rows
from uncommon_im.pipeline.cli.main import main

CASES = Path(__file__).parents[3] / "shared" / "cases"
EXPECTED: dict[str, Any] = (
    json.loads((CASES / "expected.json").read_text(encoding="utf-8")) if (CASES / "expected.json").is_file() else {}
)


@pytest.mark.skipif(not EXPECTED, reason="the cases are not beside this checkout")
def test_the_cases_are_all_there() -> None:
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_case_counts_as_it_should(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    files = sorted(path for path in (CASES / name).iterdir() if path.name != "README")
    inputs = [part for path in files for part in ("--input", str(path))]
    output = str(tmp_path / "run")
    arguments = ["backfill", *inputs, "--format", "auto", "--activation-days", "0", "--output", output, "--verdicts"]
    assert main(arguments) == (0 if expected["valid"] else 2)
    summary = json.loads(Path(output, "summary.json").read_text())
    valid = expected["valid"]
    assert summary["events"]["valid"] in (valid if isinstance(valid, list) else [valid])
    assert {reason: n for reason, n in summary["events"]["dead_letter"].items() if n} == expected.get("dead_letter", {})
    verdicts = read_rows(output, "verdicts")
    if "communications" in expected:
        wanted = {tuple(pair) for pair in expected["communications"]}
        assert {(row["program"], row["service"]) for row in verdicts} == wanted
        if not isinstance(valid, list):
            assert summary["communications"] == len(expected["communications"])
    if "scripts" in expected:
        assert sorted({row["script"] for row in verdicts}) == sorted(expected["scripts"])
