"""`uncommon-im report`: exit status, messages, what the page says; runs are on Beam's in-process engine."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Options
from tests.report_runs import many, real_run, with_every_text, write_run
from tests.running import Found, configuration_of, read_rows, run_records, write_lines
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.report.charts import Series, over_time
from uncommon_im.pipeline.report.page import MOST_CASES, script_text
from uncommon_im.transforms.rules.columns.visible import visible


def page_of(found: Found, folder: Path, *more: str, verdicts: bool = True) -> str:
    run = write_run(folder / "run", found, verdicts)
    assert main(["report", str(run), *more]) == 0
    return (run / "report.html").read_text(encoding="utf-8")


def packed(page: str) -> list[dict[str, Any]]:
    """The alerts that a page holds."""
    alerts: list[dict[str, Any]] = packed_data(page)["alerts"]
    return alerts


def packed_data(page: str) -> dict[str, Any]:
    """All that a page holds for its script."""
    (text,) = re.findall(r'id="packed">([^<]*)<', page)
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return data


def text_of(page: str, section: str) -> str:
    """The words of a section, its tags and further white space aside."""
    (inner,) = re.findall(rf'<section aria-labelledby="{section}">(.*?)</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", inner, flags=re.DOTALL).split())


def test_cases_come_first_the_most_urgent_on_top_with_what_a_glance_needs(tmp_path: Path) -> None:
    page = page_of(many(120), tmp_path)
    assert page.index('id="cases"') < page.index('id="over-time"') < page.index('id="alerts"')
    rows = re.findall(r'<td class="number">(\d+)</td>\s*<th scope="row">', page)
    assert len(rows) == MOST_CASES
    assert [*map(int, rows)] == sorted(map(int, rows), reverse=True)
    shown = text_of(page, "cases")
    assert f"These are the first {MOST_CASES} of" in shown
    assert "once" not in shown, "without verdicts nobody knows whether it went on"
    assert "open first" in shown
    assert "not reported" in shown


def test_a_case_says_in_how_many_hours_its_alerts_were_repeated(tmp_path: Path) -> None:
    found = many(2)
    row = real_run().verdicts[0] | {"verdict": "duplicate", "duplicate_of": found.alerts[0]["alert_id"]}
    again = Found(
        found.alerts, [*found.verdicts, *(row | {"hour": row["hour"] + more} for more in (1, 2, 3))], [], found.summary
    )
    shown = text_of(page_of(again, tmp_path / "again"), "cases")
    assert re.findall(r"1 alert, repeated in \S+ hours?", shown) == ["1 alert, repeated in 3 hours"]
    assert "repeated" not in text_of(page_of(found, tmp_path / "once"), "cases")


def test_a_case_names_what_else_its_hosts_had(tmp_path: Path) -> None:
    found = many(4)
    for alert in found.alerts:
        alert |= {"tenant_id": "t", "host": found.alerts[0]["host"]}
    names = [f"{alert['process']['name']} → {alert['service']['name']}" for alert in found.alerts]
    shown = text_of(page_of(found, tmp_path), "cases")
    assert shown.count("see also ") == shown.count(" and 1 more") == 4
    told = re.findall(r"see also (\S+ → \S+) , (\S+ → \S+) and 1 more", shown)
    assert len(told) == 4
    assert {name for pair in told for name in pair} <= set(names)
    assert all(one != other for one, other in told)


def test_without_alerts_there_is_no_case(tmp_path: Path) -> None:
    page = page_of(run_records([], configuration_of(Options())), tmp_path)
    assert "this run raised no alert" in text_of(page, "cases")


def test_the_script_knows_hosts_and_what_was_kept_back_only_from_verdicts(tmp_path: Path) -> None:
    found = real_run()
    (first,) = (verdict for verdict in found.verdicts if verdict["service"] == "discord")
    found = Found(found.alerts, [*found.verdicts, first | {"verdict": "duplicate"}], [], found.summary)
    data = packed_data(page_of(found, tmp_path / "with", "--virustotal"))
    (kept_back,) = data["kept_back"]
    assert (kept_back["verdict"], kept_back["day"]) == ("Rare, but repeats an earlier alert", "2026-03-01")
    assert kept_back["service"] == "Discord"
    assert (data["has_verdicts"], data["hosts"], data["virustotal"]) == (True, {"default": 2, "other": 1}, True)
    data = packed_data(page_of(found, tmp_path / "without", verdicts=False))
    assert (data["kept_back"], data["has_verdicts"], data["hosts"], data["virustotal"]) == ([], False, {}, False)


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_page_of_a_real_backfill_is_in_its_folder_and_gone_with_the_next_run(tmp_path: Path) -> None:
    events, run = tmp_path / "events.jsonl", tmp_path / "run"
    event = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "curl"}
    write_lines(events, [event | {"remote_host": "api.telegram.org"}, {"host_id": "h1"}])
    backfill = ["backfill", "--input", str(events), "--output", str(run), "--activation-days", "0", "--verdicts"]
    assert main(backfill) == 0
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert packed(page) == read_rows(str(run), "alerts")
    assert "curl" in text_of(page, "pairs")
    assert "Alert 1 100.0 %" in text_of(page, "verdicts")
    assert "missing_field:event_time 1" in text_of(page, "dead-letters")
    assert main(backfill) == 0
    assert not (run / "report.html").exists()


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", real_run())
    for name in ("a", "b"):
        assert main(["report", str(run), "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_it_says_how_many_alerts_and_where_the_page_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, page = write_run(tmp_path / "run", real_run()), tmp_path / "deep" / "page.html"
    capsys.readouterr()
    assert main(["report", str(run), "--output", str(page)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"3 alerts in {page}"
    assert page.exists()
    assert not (run / "report.html").exists()


def test_services_hosts_verdicts_and_dead_letters_are_counted(tmp_path: Path) -> None:
    page = page_of(real_run(), tmp_path)
    assert text_of(page, "services").count("1 1 1 1") == 3
    assert "Alert 3 100.0 %" in text_of(page, "verdicts")
    assert "other 2026-03-03 0 0 days 0 days 1" in text_of(page, "coverage")
    letters = text_of(page, "dead-letters")
    assert "1 of 4 read" in letters
    (letter,) = real_run().dead_letters
    assert f"{letter['reason']} 1 " in letters
    assert "record 4" in letters
    assert "{&#34;host_id&#34;: &#34;h4&#34;}" in letters


def test_without_verdicts_it_counts_alerts_and_says_so(tmp_path: Path) -> None:
    page = page_of(real_run(), tmp_path, verdicts=False)
    assert "Only rows with alerts are shown" in text_of(page, "pairs")
    assert "Only services, hosts and programs with alerts are counted" in text_of(page, "services")
    assert "covers only days with alerts" in text_of(page, "coverage")
    assert "Activities over time" not in page
    assert text_of(page, "services").count("1 1 1 1") == 3


def test_a_run_without_any_event_has_a_page_too(tmp_path: Path) -> None:
    page = page_of(run_records([], configuration_of(Options())), tmp_path)
    assert "no uncommon communication" in text_of(page, "over-time")
    assert "every record was an event" in text_of(page, "dead-letters")
    assert 'id="packed"' not in page


def test_the_alerts_of_the_highest_priority_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    found = many(30)
    page = page_of(found, tmp_path, "--most-alerts", "4")
    first = sorted(found.alerts, key=lambda alert: (alert["priority"], alert["timestamp"]), reverse=True)[:4]
    assert packed(page) == first
    assert "the 4 of 30 alerts with the highest priority" in text_of(page, "alerts")
    assert "--most-alerts" not in page_of(many(4), tmp_path / "few")


def test_hostile_text_is_escaped_wherever_the_page_is_written(tmp_path: Path) -> None:
    text = "</script><script>alert(1)</script>\"'{{ 7 * 7 }}\u202e"
    page = page_of(with_every_text(real_run(), text), tmp_path)
    assert page.count("<script") == 2
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;{{ 7 * 7 }}⟨U+202E⟩" in page
    assert "\u202e" not in page


def test_examples_of_each_reason_are_few_and_long_records_are_cut(tmp_path: Path) -> None:
    letter = {"reason": "malformed", "detail": "no JSON", "source": "x.jsonl", "raw": "y" * 2_010}
    letters = [letter | {"record": number} for number in range(1, 9)] + [letter | {"reason": "rare_one", "record": 99}]
    events = {"read": 9, "valid": 0, "out_of_range": 0, "dead_letter": {"malformed": 8, "rare_one": 1, "gone": 2}}
    summary = real_run().summary | {"events": events}
    said = text_of(page_of(Found([], [], letters, summary), tmp_path), "dead-letters")
    assert [f"record {number} " in said for number in (1, 2, 3, 4, 99)] == [True, True, True, False, True]
    assert said.count("and 10 more characters") == 4
    assert "gone 2 No example is left in the run's folder." in said


def test_the_page_and_its_script_show_the_same_hidden_characters() -> None:
    (pattern,) = re.findall(r"HIDDEN = /(.*)/g;", script_text())
    characters = [chr(code) for code in range(0x10000)]
    assert [each for each in characters if re.match(pattern, each)] == [
        each for each in characters if visible(each) != each
    ]


SERIES = (Series("a", "as", "--a"), Series("b", "bs", "--b"))


def test_bars_are_days_and_weeks_from_monday_where_days_are_many() -> None:
    first = date(2026, 1, 1)
    few = over_time({(first, "a"): 2, (first + timedelta(days=139), "b"): 3}, SERIES)
    assert few
    assert few.rows == ((first, (2, 0)), (date(2026, 5, 20), (0, 3)))
    counts = {(first, "a"): 2, (first + timedelta(days=3), "b"): 1, (first + timedelta(days=140), "b"): 3}
    many_days = over_time(counts, SERIES)
    assert many_days
    assert many_days.weekly
    assert many_days.rows == ((date(2025, 12, 29), (2, 1)), (date(2026, 5, 18), (0, 3)))
    assert "week from 2025-12-29: 2 as" in many_days.wide


def test_a_chart_of_nothing_is_none() -> None:
    assert over_time({}, SERIES, [date(2026, 1, 1)]) is None


def broken(run: Path, name: str, line: str) -> None:
    (path,) = (run / name).glob("*.jsonl")
    path.write_text(line + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("alerts", "no JSON", "alerts-00000-of-00001.jsonl, line 1: no alert: "),
        ("alerts", "{}", "alerts-00000-of-00001.jsonl, line 1: no alert: Object missing required field"),
        ("alerts", '{"class_uid": 2004}', "line 1: an OCSF finding: report reads alerts of --alert-format native"),
        ("dead_letter", "{}", "dead_letter-00000-of-00001.jsonl, line 1: no dead letter of a run: "),
        ("verdicts", "{}", "verdicts-00000-of-00001.jsonl: "),
    ],
)
def test_a_file_that_no_run_wrote_exits_with_2_and_is_named(
    name: str, line: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", real_run())
    broken(run, name, line)
    assert main(["report", str(run)]) == 2
    assert message in error_of(capsys)
    assert not (run / "report.html").exists()


@pytest.mark.parametrize("summary", [None, "no JSON", "[]", '{"events": 1}'])
def test_a_run_that_is_not_done_exits_with_2(
    summary: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", real_run())
    (run / "summary.json").unlink()
    if summary is not None:
        (run / "summary.json").write_text(summary)
    assert main(["report", str(run)]) == 2
    said = "summary.json: no summary of a run: " if summary else f"{run}: no summary.json there: the run did not finish"
    assert said in error_of(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: DIR"),
        ([""], "DIR: it is empty"),
        (["/no/such/folder"], "/no/such/folder: no summary.json there"),
        (["nosuch://bucket/run"], "DIR nosuch://bucket/run: no file system is called nosuch://"),
        (["x", "--most-alerts", "0"], "--most-alerts"),
        (["x", "--runner", "r"], "unknown argument --runner"),
    ],
)
def test_wrong_arguments_exit_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *arguments]) == 2
    assert message in error_of(capsys)


def test_a_page_that_cannot_be_written_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", real_run())
    assert main(["report", str(run), "--output", str(run / "summary.json" / "page.html")]) == 2
    assert "page.html: cannot be written: " in error_of(capsys)


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for imported in ("uncommon_im.pipeline.report.page", "uncommon_im.pipeline.report.charts"):
        monkeypatch.delitem(sys.modules, imported, raising=False)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert main(["report", str(tmp_path)]) == 2
    assert "report needs vl_convert, which is not installed: pip install 'uncommon-im[report]'" in error_of(capsys)
