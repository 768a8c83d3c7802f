"""Files of every make hold the same events, as far as anybody communicates (a scan, no engine)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.benchmarks.makes import MAKES, write
from tests.benchmarks.measuring import ROOT
from tests.oracle import Options
from tests.running import configuration_of
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings, read_batches
from uncommon_im.transforms.rules.activities.scan import Scan
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.tally import Tally

EVENTS = 20_000


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    settings = [f"--{name}={value}" for name, value in {"events": EVENTS, "hosts": 40, "days": 40, "files": 2}.items()]
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.generate", "--out", str(folder), *settings], check=True, cwd=ROOT
    )
    return folder


def counts_of(folder: Path) -> Tally:
    """What a scan counts in the files of a folder."""
    scan = Scan(configuration_of(Options()).scan)
    for path in sorted(folder.glob("*.parquet")):
        for reading in plan_readings(InputFile(str(path), path.stat().st_size, ""), JsonOptions()):
            for batch in read_batches(reading, JsonOptions()):
                scan.add(batch)
    return scan.tally


@pytest.mark.parametrize("name", [name for name in MAKES if name != "generated"])
def test_a_make_holds_the_events_of_the_lake(name: str, lake: Path, tmp_path: Path) -> None:
    write(lake, tmp_path / "made", MAKES[name])
    counts = counts_of(tmp_path / "made")
    assert counts == counts_of(lake)
    assert min(counts[tally.COMMUNICATIONS], counts[tally.VALID]) > 100


def test_makes_are_what_they_say(lake: Path, tmp_path: Path) -> None:
    for name in ("small-groups", "small-files", "giant-group", "unique-ids", "tenants", "many-hosts"):
        write(lake, tmp_path / name, MAKES[name])
    paths = {path.name: sorted(path.glob("*.parquet")) for path in tmp_path.iterdir()}
    assert len(paths["small-files"]) == 100
    assert [pq.ParquetFile(path).num_row_groups for path in paths["small-groups"]] == [5, 5]
    assert [pq.ParquetFile(path).num_row_groups for path in paths["giant-group"]] == [1, 1]
    distinct = {
        name: len(pq.read_table(tmp_path / name, columns=[column])[column].unique())
        for name, column in {"unique-ids": "event_id", "tenants": "tenant_id", "many-hosts": "remote_host"}.items()
    }
    assert distinct["unique-ids"] >= EVENTS
    assert distinct["tenants"] >= 40
    assert distinct["many-hosts"] > EVENTS // 4
