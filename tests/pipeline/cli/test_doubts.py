"""A run that could use no record, or few, says so (in-process runner)."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from uncommon_im.pipeline.cli.doubts import check_recognised
from uncommon_im.pipeline.cli.main import main
from uncommon_im.schemas.documents import ConfigurationError


def summary(read: int, valid: int, **dead: int) -> dict[str, Any]:
    return {"events": {"read": read, "valid": valid, "out_of_range": 0, "dead_letter": dead}}


def test_no_event_among_records_is_said_with_the_formats_the_reasons_and_what_to_do() -> None:
    dead = {"malformed": 3, "not_endpoint": 90, "missing_field:host_id": 7, "bad_timestamp": 1}
    with pytest.raises(ConfigurationError) as caught:
        check_recognised(summary(101, 0, **dead), "auto", "my export.json", "run")
    text = str(caught.value)
    assert text.startswith("of 101 records read none is an event. Formats tried: native, ")
    assert ", sysmon. The commonest reasons: not_endpoint (90), missing_field:host_id (7), malformed (3). " in text
    assert text.endswith(
        "run/dead_letter has them, and `uncommon-im inspect 'my export.json'` says what is in the input"
    )


def test_a_given_format_is_the_only_one_that_was_tried() -> None:
    with pytest.raises(ConfigurationError, match=r"Formats tried: sysmon\. .*\. `uncommon-im inspect a"):
        check_recognised(summary(1, 0, malformed=1), "sysmon", "a", None)


@pytest.mark.parametrize(
    ("counts", "warned"),
    [
        (summary(0, 0), False),
        (summary(10, 10), False),
        (summary(10, 5, malformed=5), False),
        (summary(10, 4, malformed=6), True),
        (summary(10, 1, not_endpoint=9), False),
        (summary(10, 1, not_endpoint=3, malformed=6), True),
    ],
)
def test_more_than_half_dead_is_a_warning_but_for_what_is_none_by_design(
    counts: dict[str, Any], warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        check_recognised(counts, "auto", "a.json", "run")
    assert bool(caplog.messages) is warned
    if warned:
        assert "of 10 records are no events. The commonest reasons: malformed (6)" in caplog.text


@pytest.mark.parametrize("records", [[{"message": "hello"}] * 3, [{"event_time": "x", "host_id": "h"}]])
def test_a_backfill_that_recognises_nothing_writes_all_and_ends_with_status_2(
    records: list[dict[str, str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert main(["backfill", "--input", str(path), "--output", str(tmp_path / "run")]) == 2
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["events"]["read"] == len(records)
    assert len(list((tmp_path / "run" / "dead_letter").glob("*.jsonl"))) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"uncommon-im: of {len(records)} record{'s' * (len(records) > 1)} read none is an event.")


def test_a_backfill_of_nothing_at_all_is_done(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("\n")
    assert main(["backfill", "--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "run")]) == 0
