"""`uncommon-im cases`: a table and JSON of one run or several; runs are on Beam's in-process engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.report_runs import many, real_run, write_run
from uncommon_im.pipeline.cli.main import main


def test_the_table_shows_the_most_urgent_and_says_how_many_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", real_run())
    assert main(["cases", str(run), "--top", "2"]) == 0
    shown = capsys.readouterr().out
    assert "3 cases of 3 alerts, of which the first 2 are shown" in shown
    rows = [line for line in shown.splitlines() if " 1 host" in line]
    assert len(rows) == 2
    priorities = sorted((alert["priority"] for alert in real_run().alerts), reverse=True)
    assert [int(row.split()[0]) for row in rows] == priorities[:2]


def test_json_has_all_cases_and_the_ids_of_all_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = many(60)
    run = write_run(tmp_path / "run", found)
    assert main(["cases", str(run), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    ids = [id for case in report["cases"] for id in case["alert_ids"]]
    assert sorted(ids) == sorted(alert["alert_id"] for alert in found.alerts)
    for case in report["cases"]:
        mine = {alert["alert_id"]: alert for alert in found.alerts if alert["alert_id"] in case["alert_ids"]}
        assert case["priority"] == max(alert["priority"] for alert in mine.values())
        assert mine[case["open_first"]]["priority"] == case["priority"]
        assert case["hosts"] == sorted({alert["host"]["id"] for alert in mine.values()})
        assert case["first"] == min(alert["timestamp"] for alert in mine.values())


def test_the_days_of_a_chain_are_put_together_and_what_two_runs_have_counts_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (write_run(tmp_path / name, real_run()) for name in ("one", "two"))
    assert main(["cases", str(one), str(two), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["runs"] == [str(one), str(two)]
    assert sum(len(case["alert_ids"]) for case in report["cases"]) == len(real_run().alerts)


def test_a_run_without_alerts_has_no_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = real_run()
    run = write_run(tmp_path / "run", type(found)([], [], [], found.summary))
    assert main(["cases", str(run)]) == 0
    assert capsys.readouterr().out.strip() == "0 cases of 0 alerts"


def test_no_run_and_no_alert_are_said_with_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", str(tmp_path)]) == 2
    assert f"{tmp_path}: neither alerts/*.jsonl nor summary.json is there" in capsys.readouterr().err
    run = write_run(tmp_path / "run", real_run())
    path = run / "alerts" / "alerts-00000-of-00001.jsonl"
    path.write_text(path.read_text() + '{"class_uid": 2004}\n')
    assert main(["cases", str(run)]) == 2
    assert f"{path}, line 4: no native alert of a run (--alert-format)" in capsys.readouterr().err
