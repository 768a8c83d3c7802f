"""Pages that list what runs write list all of it: held against a run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.docs.blocks import TOP
from uncommon_im.pipeline.cli.main import main

REASON = re.compile(r"(?<=[\"'])(?:missing_field:\w+|malformed|not_endpoint|\w+_timestamp|bigquery_refused)(?=[\"'])")
METRIC = re.compile(r"Metrics\.(?:counter|distribution)\(NAMESPACE, f?\"([a-z_.]+)")


def page(name: str) -> str:
    return (TOP / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")


def source() -> str:
    """All of the program."""
    files = (path for room in ("pipeline", "transforms", "schemas") for path in (TOP / room).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.fixture(scope="module")
def run(organisation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run (`run`) and the snapshot that it left (`baseline`)."""
    folder = tmp_path_factory.mktemp("reference")
    days = ["--end", "2026-02-17", "--verdicts", "--evidence"]
    into = ["--output", f"{folder}/run", "--baseline-out", f"{folder}/baseline"]
    assert main(["backfill", "--input", f"{organisation}/lake/*/*.parquet", *days, *into]) == 0
    return folder


@pytest.mark.parametrize(("name", "folder"), [("snapshot", "baseline"), ("run-folder", "run/evidence")])
def test_the_columns_of_every_file_are_on_its_page(name: str, folder: str, run: Path) -> None:
    kinds = {path.name.partition("-")[0]: path for path in (run / folder).rglob("*.parquet")}
    assert kinds
    for kind, path in kinds.items():
        assert f"{kind}-*.parquet" in page(name)
        assert [column for column in pq.read_schema(path).names if f"`{column}`" not in page(name)] == [], kind


def test_what_a_snapshot_says_of_itself_is_on_its_page(run: Path) -> None:
    metadata = json.loads((run / "baseline" / "metadata.json").read_text())
    assert [key for key in metadata if f"`{key}`" not in page("snapshot")] == []
    assert f"reads version {metadata['schema_version']}" in page("snapshot")


def test_a_runs_folder_and_its_rows_are_on_their_page(run: Path) -> None:
    text = page("run-folder")
    assert [path.name for path in (run / "run").iterdir() if path.name not in text] == []
    (verdicts,) = (run / "run" / "verdicts").iterdir()
    keys = {key for line in verdicts.read_text().splitlines() for key in json.loads(line)}
    summary = json.loads((run / "run" / "summary.json").read_text())
    assert [key for key in (*keys, *summary, *summary["events"]) if f"`{key}`" not in text] == []


def test_every_reason_of_a_dead_letter_is_on_its_page() -> None:
    known = {reason for reason in REASON.findall(source()) if reason != "event_timestamp"}
    assert {"malformed", "future_timestamp", "missing_field:host_id"} <= known
    assert [reason for reason in known if f"| `{reason}` |" not in page("dead-letters")] == []


def test_every_metric_of_its_own_name_is_on_its_page() -> None:
    names = [name for name in METRIC.findall(source()) if not name.endswith(".")]
    assert len(names) > 2
    assert [name for name in names if name.removesuffix("_") not in page("metrics")] == []
