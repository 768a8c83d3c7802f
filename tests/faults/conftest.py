"""Commands are imported once, before children are forked; kills are counted over all processes of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults.children import preload
from tests.faults.striking import Steps

KILLS: Final = "kills"
_MODULES: Final = (
    "apache_beam.runners.portability.fn_api_runner",
    "detect_secrets.core.plugins.util",
    "pyarrow.dataset",
    "uncommon_im.pipeline.backfill",
    "uncommon_im.pipeline.baselines.take_snapshot",
    "uncommon_im.pipeline.cli.main",
    "uncommon_im.pipeline.configuration.from_options",
    "uncommon_im.pipeline.lab.simulation.marginals",
    "uncommon_im.pipeline.options.beam",
    "uncommon_im.pipeline.report.page",
    "uncommon_im.pipeline.report.run",
    "uncommon_im.pipeline.runs.read_evidence",
    "uncommon_im.pipeline.sources.files.matching",
)


@pytest.fixture(scope="session", autouse=True)
def imported() -> None:
    """What children would import."""
    preload(_MODULES)


@pytest.fixture
def died(record_property: Callable[[str, object], None]) -> Iterator[Callable[[int], None]]:
    """Counts the kills of a test: called with how many processes died."""
    count = 0

    def add(deaths: int) -> None:
        nonlocal count
        count += deaths

    yield add
    record_property(KILLS, count)


@pytest.fixture
def steps(tmp_path: Path, died: Callable[[int], None]) -> Steps:
    """The steps of a test."""
    return Steps(tmp_path, died)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says how many kills there were."""
    reports = [each for outcome in terminalreporter.stats.values() for each in outcome]
    properties = [each.user_properties for each in reports if getattr(each, "when", "") == "teardown"]
    kills = sum(value for each in properties for name, value in each if name == KILLS)
    if kills:
        terminalreporter.write_line(f"{kills:,} processes were killed on purpose")
