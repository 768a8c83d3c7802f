"""`uncommon-im upgrade-check`: one line for each thing, with the remedy; no engine runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Table as Existing

from tests.oracle import Options
from tests.pipeline.bigquery.test_bigquery_tables import DATASET, Tables, as_it_should_be
from tests.running import configuration_of
from tests.transforms.stream.test_update_contract import CONTRACT
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.cli.upgrade import check_tables, show
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.learned import STREAM, StreamMetadata
from uncommon_im.schemas.snapshot import METADATA, Metadata

SHIPPED = configuration_of(Options(), detector=load_detector(None))


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A snapshot without rows, as this version would take it of nothing."""
    from datetime import date

    metadata = Metadata(
        as_of=date(2026, 3, 1),
        limits=SHIPPED.counting_limits,
        time_zone=SHIPPED.time_zone,
        identity_digest=SHIPPED.identity_digest,
        service_digests=load_catalogue().service_digests,
        learning_since={},
        tenants=[],
        rows={},
        files={},
        run_id="r",
    )
    (tmp_path / METADATA).write_text(metadata.to_json())
    return tmp_path


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def checked(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str]]:
    """(exit status, lines on standard output)."""
    status = main(["upgrade-check", *map(str, arguments)])
    return status, capsys.readouterr().out.splitlines()


def test_a_snapshot_of_this_version_and_its_services_is_fine(snapshot: Path, capsys) -> None:
    status, lines = checked(capsys, "--baseline-in", snapshot)
    assert status == 0
    assert [line.split()[0] for line in lines] == ["fine"]
    assert "2026-03-01" in lines[0]


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"schema_version": 3}, "take a new one from the events"),
        ({"identity_digest": "0"}, "take a new snapshot from the events"),
        ({"service_digests": {"telegram": "0"}}, "--learn-changed-services"),
        ({"time_zone": "Asia/Tokyo"}, "--time-zone Asia/Tokyo"),
        ({"files": {"said": ["r/said-00000.parquet"]}}, "copy the whole directory"),
    ],
)
def test_a_snapshot_that_a_run_would_refuse_is_to_be_acted_on(changes: dict, remedy: str, snapshot, capsys) -> None:
    edit(snapshot / METADATA, **changes)
    status, lines = checked(capsys, "--baseline-in", snapshot)
    assert status == 1
    assert len(lines) == 1
    assert lines[0].startswith("act")
    assert remedy in lines[0]


def test_a_missing_snapshot_is_to_be_acted_on(tmp_path: Path, capsys) -> None:
    status, lines = checked(capsys, "--baseline-in", tmp_path / "none")
    assert (status, len(lines)) == (1, 1)
    assert "--baseline-out makes one" in lines[0]


def run_of(folder: Path, *alerts: dict[str, str]) -> Path:
    (folder / "alerts").mkdir(parents=True)
    text = "".join(json.dumps(alert) + "\n" for alert in alerts)
    (folder / "alerts" / "alerts-00000-of-00001.jsonl").write_text(text)
    summary = {"events": {}, "activities": 0, "verdicts": {}, "alerts": {}}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_a_run_of_the_same_rules_is_fine_and_one_of_others_is_a_note(tmp_path: Path, capsys) -> None:
    alert = {"config_digest": SHIPPED.digest, "detector_version": "1"}
    same, other = run_of(tmp_path / "a", alert), run_of(tmp_path / "b", alert | {"config_digest": "f00"})
    status, lines = checked(capsys, "--run", same)
    assert (status, lines[0][:4]) == (0, "fine")
    status, lines = checked(capsys, "--run", other)
    assert (status, lines[0][:4]) == (0, "note")
    assert "f00" in lines[0]
    assert SHIPPED.digest in lines[0]
    status, lines = checked(capsys, "--run", run_of(tmp_path / "c"))
    assert (status, lines[0][:4]) == (0, "note")


def test_a_folder_without_a_run_is_to_be_acted_on(tmp_path: Path, capsys) -> None:
    status, lines = checked(capsys, "--run", tmp_path / "none")
    assert (status, lines[0][:3], len(lines)) == (1, "act", 1)


def test_the_contract_of_this_version_can_be_updated_and_another_has_to_be_restarted(tmp_path: Path, capsys) -> None:
    status, lines = checked(capsys, "--stream-contract", CONTRACT)
    assert (status, lines[0][:4]) == (0, "fine")
    other = tmp_path / "contract.json"
    other.write_text(CONTRACT.read_text())
    edit(other, labels=["Another"])
    status, lines = checked(capsys, "--stream-contract", other)
    assert status == 1
    assert "labels differ" in lines[0]
    assert "restart it from a snapshot" in lines[0]
    other.write_text("no JSON")
    status, lines = checked(capsys, "--stream-contract", other)
    assert (status, lines[0][:3], len(lines)) == (1, "act", 1)


def test_a_running_stream_of_the_same_rules_is_fine_and_one_of_others_is_restarted(tmp_path: Path, capsys) -> None:
    metadata = StreamMetadata(
        limits=SHIPPED.counting_limits,
        time_zone="UTC",
        identity_digest=SHIPPED.identity_digest,
        service_digests=load_catalogue().service_digests,
        learning_since={},
        started_from=None,
        keeps_starts=True,
    )
    (tmp_path / STREAM).write_text(metadata.to_json())
    status, lines = checked(capsys, "--sightings-out", tmp_path)
    assert (status, lines[0][:4]) == (0, "fine")
    edit(tmp_path / STREAM, service_digests={}, identity_digest="0")
    status, lines = checked(capsys, "--sightings-out", tmp_path)
    assert status == 1
    assert "identity rules, services differ" in lines[0]


def test_tables_that_lack_columns_are_to_be_acted_on_one_by_one() -> None:
    whole = as_it_should_be("alerts")
    short = Existing("p.d.alerts", schema=[field for field in whole.schema if field.name != "priority_parts"])
    short.time_partitioning, short.clustering_fields = whole.time_partitioning, whole.clustering_fields
    said: list[str] = []
    assert show(check_tables(DATASET, Tables(whole)), said.append) == 0
    assert {line[:4] for line in said} == {"fine"}
    said.clear()
    assert show(check_tables(DATASET, Tables(short)), said.append) == 1
    (act,) = [line for line in said if line.startswith("act")]
    assert "lacks priority_parts" in act
    assert "schema bigquery --dataset p.d --apply" in act


def test_nothing_to_check_is_a_wrong_argument(capsys) -> None:
    assert main(["upgrade-check"]) == 2
    assert "--baseline-in" in capsys.readouterr().err
