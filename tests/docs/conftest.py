"""What the pages' commands find."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from uncommon_im.pipeline.cli.main import main


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder of a smaller organisation, and a lake of the same events."""
    folder = tmp_path_factory.mktemp("organisation")
    demo = folder / "demo-output"
    simulate = ["simulate", "--output", str(demo), "--hosts", "10", "--days", "45", "--seed", "7"]
    assert main([*simulate, "--background", "thinned"]) == 0
    assert main(["backfill", "--input", f"{demo}/events/*.parquet", "--output", f"{demo}/run", "--verdicts"]) == 0
    for file in sorted((demo / "events").glob("*.parquet")):
        day = folder / "lake" / file.stem
        day.mkdir(parents=True)
        shutil.copy(file, day / "part-0.parquet")
        (day / "_SUCCESS").touch()
    return folder
