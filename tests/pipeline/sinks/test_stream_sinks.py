"""Files of a stream: whole or not there, idempotent, nothing late is lost. On Beam's TestStream and in-process."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing import test_stream
from apache_beam.transforms.window import TimestampedValue
from msgspec.structs import replace

from tests.running import read_rows
from uncommon_im.pipeline.baselines.read_learned import open_learned
from uncommon_im.pipeline.baselines.write_learned import begin_learned
from uncommon_im.pipeline.sinks.files.stream_files import WriteAlertFiles, WriteBundleFiles
from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.learned import COMPLETE, StreamMetadata

METADATA = StreamMetadata(
    limits=Limits(),
    time_zone="UTC",
    identity_digest="identity",
    service_digests={"telegram": "digest"},
    learning_since={},
    started_from=None,
    keeps_starts=True,
)


def alert(number: int, **more: object) -> dict[str, object]:
    return {"alert_id": f"a{number}"} | more


def test_an_alert_far_behind_the_watermark_reaches_its_file(tmp_path: Path) -> None:
    script = test_stream.TestStream().add_elements([TimestampedValue(alert(1), 1000)]).advance_watermark_to(9_000_000)
    script = script.add_elements([TimestampedValue(alert(2, late=True), 1001)]).advance_watermark_to_infinity()
    with beam.Pipeline("BundleBasedDirectRunner", options=PipelineOptions(["--streaming"])) as pipeline:
        _ = pipeline | script | WriteAlertFiles(str(tmp_path))
    assert [row["alert_id"] for row in read_rows(str(tmp_path), "alerts")] == ["a1", "a2"]


def test_an_alert_that_comes_again_from_whatever_job_replaces_its_file(tmp_path: Path) -> None:
    for run in ("one", "two"):
        with beam.Pipeline(FnApiRunner()) as pipeline:
            _ = pipeline | beam.Create([alert(n, run_id=run) for n in (1, 2, 1)]) | WriteAlertFiles(str(tmp_path))
    rows = read_rows(str(tmp_path), "alerts")
    assert [(row["alert_id"], row["run_id"]) for row in rows] == [("a1", "two"), ("a2", "two")]


def test_bundles_with_equal_lines_keep_all_of_them(tmp_path: Path) -> None:
    verdict = {"host": "pc", "verdict": "learning"}
    script = test_stream.TestStream()
    for instant in (1000, 2000, 3000):
        script = script.add_elements([TimestampedValue(verdict, instant)]).advance_watermark_to(instant)
    with beam.Pipeline("BundleBasedDirectRunner", options=PipelineOptions(["--streaming"])) as pipeline:
        _ = pipeline | script.advance_watermark_to_infinity() | WriteBundleFiles(str(tmp_path), "verdicts")
    assert read_rows(str(tmp_path), "verdicts") == [verdict] * 3


def test_a_bundle_is_one_file_and_nothing_unfinished_is_left(tmp_path: Path) -> None:
    with beam.Pipeline(FnApiRunner()) as pipeline:
        rows = pipeline | beam.Create([alert(n) for n in range(50)], reshuffle=False)
        _ = rows | WriteBundleFiles(str(tmp_path), "dead_letter")
    assert len(read_rows(str(tmp_path), "dead_letter")) == 50
    assert [path.suffix for path in (tmp_path / "dead_letter").iterdir()] == [".jsonl"]


def learned(folder: Path, *days: str, started_from: date | None = None) -> str:
    """A directory in which a stream has completed some days."""
    folder.mkdir(exist_ok=True)
    begin_learned(str(folder), replace(METADATA, service_digests={}, started_from=started_from))
    for day in days:
        (folder / day).mkdir()
        (folder / day / COMPLETE).write_text("{}")
    return str(folder)


def test_a_day_that_the_stream_has_not_completed_is_refused_with_the_newest_that_it_has(tmp_path: Path) -> None:
    path = learned(tmp_path, "2026-03-01", "2026-03-02")
    with pytest.raises(ConfigurationError, match=r"the newest that it has is 2026-03-02: take --as-of 2026-03-03"):
        open_learned(path, date(2026, 3, 4), None)
    assert open_learned(path, date(2026, 3, 3), None).files["sightings"] == []


def test_a_stream_that_started_from_a_snapshot_is_not_taken_without_it(tmp_path: Path) -> None:
    path = learned(tmp_path, "2026-03-02", started_from=date(2026, 3, 1))
    with pytest.raises(ConfigurationError, match="started from the snapshot of 2026-03-01: give that one"):
        open_learned(path, date(2026, 3, 3), None)
    later = learned(tmp_path / "later", "2026-04-10", started_from=date(2026, 3, 1))
    assert open_learned(later, date(2026, 4, 11), None)


def test_a_directory_without_a_stream_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--sightings .*: no stream wrote there"):
        open_learned(str(tmp_path), date(2026, 3, 3), None)


def test_a_stream_with_another_catalogue_does_not_write_into_the_same_directory(tmp_path: Path) -> None:
    begin_learned(str(tmp_path), METADATA)
    begin_learned(str(tmp_path), METADATA)
    with pytest.raises(ConfigurationError, match="another stream wrote there"):
        begin_learned(str(tmp_path), replace(METADATA, identity_digest="other"))


@pytest.mark.parametrize(
    ("missing", "what"), [("time_zone", "hours of the day"), ("keeps_starts", "starts of processes")]
)
def test_a_directory_of_a_stream_that_did_not_learn_what_this_one_learns_is_refused(
    missing: str, what: str, tmp_path: Path
) -> None:
    path = learned(tmp_path, "2026-03-02")
    document = json.loads((tmp_path / "stream.json").read_text())
    del document[missing]
    (tmp_path / "stream.json").write_text(json.dumps(document))
    with pytest.raises(ConfigurationError, match=f"did not learn {what}: take the snapshot with the version"):
        open_learned(path, date(2026, 3, 3), None)


def test_a_restarted_stream_leaves_what_the_first_one_said_of_itself(tmp_path: Path) -> None:
    begin_learned(str(tmp_path), METADATA)
    begin_learned(str(tmp_path), replace(METADATA, started_from=date(2026, 3, 5)))
    assert json.loads((tmp_path / "stream.json").read_text())["started_from"] is None
