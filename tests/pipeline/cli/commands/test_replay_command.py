"""`uncommon-im replay` and `snapshot`: what they refuse, and what they say. No engine runs."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.oracle import Options
from tests.running import configuration_of, write_lines
from uncommon_im.pipeline.cli.commands import replay
from uncommon_im.pipeline.cli.commands.streaming import log_configuration
from uncommon_im.pipeline.cli.main import main
from uncommon_im.transforms.rules.stream.delays import advice_of, suggestion
from uncommon_im.transforms.rules.stream.lateness import Lateness

EVENT = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The only line that a command says before it ends with status 2."""
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture
def common(tmp_path: Path) -> list[str]:
    write_lines(tmp_path / "events.jsonl", [EVENT])
    return ["replay", "--input", str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "run")]


def test_a_horizon_shorter_than_the_lateness_is_refused(common: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, *common, "--lateness", "100", "--late-horizon", "99")
    assert "--late-horizon (99 s) must not be shorter than --lateness (100 s)" in line


def test_arrival_times_are_given_or_made_not_both(common: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, *common, "--arrival-column", "seen", "--shuffle-seed", "1")
    assert "--arrival-column and --shuffle-seed both say when records arrive" in line


def test_records_are_sorted_in_a_folder_that_is_mounted(common: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, *common, "--spool", "gs://bucket/spool")
    assert "--spool gs://bucket/spool: expected a folder of a file system that this machine and all workers" in line


def test_without_prism_it_says_how_to_get_it_and_that_none_is_needed(
    common: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_prism(monkeypatch, tmp_path)
    line = refused(capsys, *common, "--runner=PrismRunner")
    assert "`make runners` installs it" in line
    assert "without --runner the replay needs no engine" in line


def test_without_a_runner_it_runs_in_this_process_and_needs_no_engine(
    common: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_prism(monkeypatch, tmp_path)
    assert main(common) == 0
    assert "1 records read, 1 valid events" in capsys.readouterr().out.replace("\n", " ")


def test_another_engine_needs_no_prism(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_prism(monkeypatch, tmp_path)
    options = replay.engine_options(["--runner=FlinkRunner"], verbose=False).get_all_options()
    assert (options["runner"], options["streaming"], options["prism_location"]) == ("FlinkRunner", True, None)


def without_prism(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(replay.sys, "prefix", str(folder))
    monkeypatch.setattr(replay.shutil, "which", lambda name: None)


def test_on_flink_bundles_end_before_a_checkpoint_unless_it_is_told_otherwise() -> None:
    flags = ["--runner=FlinkRunner", "--checkpointing_interval=60000"]
    options = replay.engine_options(flags, verbose=False).get_all_options()
    assert (options["checkpointing_interval"], options["finish_bundle_before_checkpointing"]) == (60_000, True)
    told = replay.engine_options([*flags, "--no-finish_bundle_before_checkpointing"], verbose=False)
    assert told.get_all_options()["finish_bundle_before_checkpointing"] is False


@pytest.mark.parametrize("name", ["PrismRunner", "prismrunner"])
def test_prism_never_splits_stateful_bundles_and_is_listened_to_for_as_long_as_it_runs(name: str) -> None:
    options = replay.engine_options([f"--runner={name}", "--prism_location=/p"], verbose=False).get_all_options()
    assert options["runner"] == replay.LOCAL_PRISM
    assert options["experiments"] == ["prism_disable_sdf_split"]
    assert options["job_server_timeout"] > 30 * 86_400
    assert options["prism_location"] == "/p"


def test_a_snapshot_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--sightings", str(tmp_path), "--as-of", "2026-03-01", "--baseline-out", str(tmp_path / "B")]
    assert "no stream wrote there" in refused(capsys, "snapshot", *arguments)


def test_the_effective_configuration_is_one_record_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="uncommon_im"):
        log_configuration(configuration_of(Options(max_host_days=7)), Lateness())
    (record,) = caplog.records
    said = json.loads(record.getMessage().removeprefix("configuration "))
    assert (said["lateness_s"], said["late_horizon_s"], said["limits"]["max_host_days"]) == (600, 86_400, 7)


@pytest.mark.parametrize(
    ("counts", "bound", "said"),
    [
        ({1: 1000}, 1, "--lateness 1 would do"),
        ({600: 1000}, 600, "fits"),
        ({10: 998, 3600: 2}, 3600, "--lateness 3600 would make fewer of them late"),
        ({10: 990, 0: 10}, None, "look for what holds records back"),
    ],
)
def test_delays_suggest_a_lateness(counts: dict[int, int], bound: int | None, said: str) -> None:
    assert suggestion(counts) == bound
    assert advice_of(counts, Lateness()).endswith(said)
