"""What analysts do with the page of `uncommon-im report`: decide, write out, ask further, go to a host. In Chromium."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened, ready, rows
from tests.report_runs import many, verdict_of
from tests.running import Found, Record
from uncommon_im.schemas.dispositions import load_dispositions
from uncommon_im.schemas.exceptions import parse_exceptions
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions

pytestmark = pytest.mark.browser

CLIPBOARD = ["clipboard-read", "clipboard-write"]
HOSTILE = "=cmd()|'</script><script>window.hacked = 1</script>\"*?[a]\n- x: \u2028\u0085# [a](http://e) `@x"


def one(**changes: Any) -> tuple[Found, Record]:
    """A run of one alert, and the alert."""
    found = many(1)
    (alert,) = found.alerts
    alert["process"] |= changes.pop("process", {})
    alert["host"] |= changes.pop("host", {})
    alert |= changes
    return found, alert


def copied(page: Page, label: str) -> str:
    page.get_by_role("button", name=label, exact=True).click()
    expect(page.locator("#said")).to_have_text("Copied.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def written(page: Page, button: str) -> str:
    """The file that a button writes."""
    with page.expect_download() as download:
        page.locator(button).click()
    return Path(download.value.path()).read_bytes().decode()


def values_of(alert: Record) -> dict[str, str]:
    return {
        "process_name": alert["process"]["name"].lower(),
        "origin": alert["process"]["origin"].lower(),
        "service_id": alert["service"]["id"],
        "host_id": alert["host"]["id"].lower(),
    }


def matches(entry: Record, values: dict[str, str]) -> bool:
    """Whether an exception of these globs matches; its form is what `--exceptions` takes."""
    return Exceptions(parse_exceptions([entry], "copied")).match(values, 20_000) is not None


def test_a_decision_is_kept_shown_and_filtered(opened: Opened) -> None:
    page = ready(opened(many(9)))
    row = rows(page).nth(2)
    row.locator("> summary").click()
    row.get_by_label("benign").check()
    row.get_by_label("Note").fill("our <b>own</b> tool")
    expect(row.locator(".decision")).to_have_text("benign: our <b>own</b> tool")
    page.reload()
    expect(rows(page).nth(2).locator(".decision")).to_have_text("benign: our <b>own</b> tool")
    page.locator("#filters [name=decision]").select_option("benign")
    expect(page.locator("#status")).to_have_text("1 of 9 alerts")
    page.locator("#filters [name=decision]").select_option("undecided")
    expect(page.locator("#status")).to_have_text("8 of 9 alerts")


def test_keys_on_a_row_decide_and_nowhere_else(opened: Opened) -> None:
    page = ready(opened(many(3)))
    row = rows(page).first
    row.locator("> summary").focus()
    for key, state in {"s": "seen", "b": "benign", "m": "malicious", "e": "escalated", "u": ""}.items():
        page.keyboard.press(key)
        expect(row.locator(".decision")).to_have_text(state)
    page.keyboard.press("Enter")
    row.get_by_label("Note").press_sequentially("seems")
    expect(row.locator(".decision")).to_have_text("undecided: seems")


def test_decisions_are_written_as_dispositions_and_read_by_another_browser(opened: Opened, tmp_path: Path) -> None:
    found = many(4)
    hostile, other = found.alerts[0], found.alerts[1]
    hostile["process"]["name"] = hostile["host"]["id"] = HOSTILE
    page = ready(opened(found))
    for alert, key in ((hostile, "m"), (other, "b"), (found.alerts[2], "s")):
        page.locator(f"[data-id='{alert['alert_id']}'] > summary").press(key)
    page.locator(f"[data-id='{hostile['alert_id']}'] > summary").click()
    page.get_by_role("textbox", name="Note").fill(HOSTILE)
    text = written(page, "#export")
    document = json.loads(text)
    entries = {entry["alert_id"]: entry for entry in document["dispositions"]}
    assert set(entries) == {hostile["alert_id"], other["alert_id"]}
    assert set(document["triage"]) == {alert["alert_id"] for alert in found.alerts[:3]}
    assert document["triage"][hostile["alert_id"]].keys() == {"state", "note", "at"}
    (tmp_path / "d.json").write_text(text, encoding="utf-8")
    decided = load_dispositions(str(tmp_path / "d.json"))
    for alert, parsed in ((hostile, decided.malicious), (other, decided.benign)):
        day = date.fromisoformat(alert["timestamp"][:10])
        match = Exceptions(parsed).match
        assert match(values_of(alert), day_number(day))
        assert not match(values_of(alert), day_number(day) - 1)
        assert not match(values_of(found.alerts[3]), day_number(day))
        assert not match(values_of(alert) | {"host_id": HOSTILE.replace("*", "xx").lower()}, day_number(day))
    assert entries[hostile["alert_id"]]["reason"] == HOSTILE.strip()

    page.evaluate("localStorage.clear()")
    page.reload()
    expect(rows(page).locator("b").filter(has_text="malicious")).to_have_count(0)
    page.locator("#file").set_input_files({"name": "d.json", "mimeType": "application/json", "buffer": text.encode()})
    expect(page.locator("#said")).to_have_text("3 decisions taken from d.json.")
    expect(page.locator(f"[data-id='{hostile['alert_id']}'] .decision")).to_contain_text("malicious: =cmd()")
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"triage": {"a": {"state": "seen", "note": "", "at": "2026-01-01"}, "b": 1}}']
)
def test_a_file_that_holds_no_decisions_is_refused(text: str, opened: Opened) -> None:
    page = ready(opened(many(2)))
    page.locator("#file").set_input_files({"name": "<b>.json", "mimeType": "text/plain", "buffer": text.encode()})
    expect(page.locator("#said")).to_contain_text("<b>.json is no file of decisions: ")
    assert page.evaluate("localStorage.length") == 0


def test_of_two_decisions_the_later_one_stays(opened: Opened) -> None:
    found, alert = one()
    page = ready(opened(found))
    rows(page).locator("> summary").press("b")
    old = {"triage": {alert["alert_id"]: {"state": "malicious", "note": "", "at": "2020-01-01T00:00:00Z"}}}
    new = {"triage": {alert["alert_id"]: {"state": "escalated", "note": "", "at": "2099-01-01T00:00:00Z"}}}
    for document, state in ((old, "benign"), (new, "escalated")):
        file = {"name": "d.json", "mimeType": "application/json", "buffer": json.dumps(document).encode()}
        page.locator("#file").set_input_files(file)
        expect(page.locator("#said")).to_contain_text("taken from d.json")
        expect(rows(page).locator(".decision")).to_have_text(state)


@pytest.mark.parametrize("text", ["notes.exe", HOSTILE])
def test_an_exception_is_yaml_that_matches_its_alert_and_no_other(text: str, opened: Opened) -> None:
    found, alert = one(process={"name": text, "script": ""}, host={"id": text})
    page = ready(opened(found, permissions=CLIPBOARD))
    rows(page).locator("> summary").click()
    (entry,) = yaml.safe_load(copied(page, "Copy as exception"))
    assert list(entry) == ["process_name", "origin", "service_id", "host_id", "reason"]
    assert matches(entry, values_of(alert))
    assert not matches(entry, values_of(alert) | {"process_name": text.lower() + "x"})


def test_an_exception_of_several_hosts_names_none_unless_a_script_ran(opened: Opened) -> None:
    found = many(6)
    for alert in found.alerts:  # two each of a program, on other hosts
        alert["process"]["name"] = f"{alert['variation']}.exe"
    page = ready(opened(found, permissions=CLIPBOARD))
    for alert in found.alerts[:3]:
        row = page.locator(f"[data-id='{alert['alert_id']}']")
        row.locator("> summary").click()
        (entry,) = yaml.safe_load(copied(page, "Copy as exception"))
        assert ("host_id" in entry) == bool(alert["process"]["script"])
        row.locator("> summary").click()


def test_a_ticket_says_it_in_lines_that_no_value_can_break(opened: Opened) -> None:
    found, alert = one(process={"name": HOSTILE, "command_line": HOSTILE, "path": None}, user_name=None)
    page = ready(opened(found, permissions=CLIPBOARD))
    rows(page).locator("> summary").click()
    ticket = copied(page, "Copy as ticket")
    lines = ticket.splitlines()
    assert lines[0] == f"# {alert['title'].replace('_', chr(92) + '_')}"
    assert "- User: not reported" in lines
    assert "- Path: not reported" in lines
    assert f"- Severity: {alert['severity']}, priority {alert['priority']}" in lines
    (command,) = [line for line in lines if line.startswith("- Command line: ``=cmd()")]
    assert command.endswith("`@x``")
    assert "- x" not in [line[:3] for line in lines]
    assert lines[-1] == f"alert_id: `{alert['alert_id']}`"
    assert sum(line[:2] in ("1.", "2.", "3.", "4.", "5.") for line in lines) == 5


def test_a_table_holds_what_is_selected_else_listed_and_no_formula(opened: Opened) -> None:
    found = many(5)
    signs = ["=cmd()", "+1", "-1", "@x", "\tx"]
    for alert, sign in zip(found.alerts, signs, strict=True):
        alert["process"]["command_line"] = f'{sign}"\n,</script>'
    page = ready(opened(found, address="#order=oldest"))
    table = list(csv.DictReader(io.StringIO(written(page, "#csv").removeprefix("\ufeff"), newline="")))
    assert sorted(row["command_line"] for row in table) == sorted(f"'{sign}\"\n,</script>" for sign in signs)
    by_id = {alert["alert_id"]: alert for alert in found.alerts}
    assert {row["alert_id"]: row["host_id"] for row in table} == {id: each["host"]["id"] for id, each in by_id.items()}
    assert {row["bytes_sent"] for row in table} == {""}
    page.get_by_role("checkbox", name="Select").nth(1).check()
    expect(page.locator("#csv")).to_have_text("CSV of 1 selected")
    (row,) = csv.DictReader(io.StringIO(written(page, "#csv").removeprefix("\ufeff"), newline=""))
    assert row["alert_id"] == rows(page).nth(1).get_attribute("data-id")


def at_one_host(text: str = "") -> Found:
    """Two alerts of a host, and two activities of it that were rare without one; alerts of other hosts."""
    found = many(6)
    for alert in found.alerts[:2]:
        alert["host"] |= {"id": f"the-host{text}", "name": f"the host{text}"}
        alert["tenant_id"] = "default"
    row = verdict_of(found.alerts[0])
    kept_back = [row | {"verdict": "duplicate"}, row | {"verdict": "excepted", "hour": row["hour"] + 48}]
    return Found(found.alerts, [*map(verdict_of, found.alerts), *kept_back], found.dead_letters, found.summary)


@pytest.mark.parametrize("text", ["", HOSTILE])
def test_a_host_has_a_page_with_its_alerts_and_what_was_rare(text: str, opened: Opened) -> None:
    found = at_one_host(text)
    page = ready(opened(found))
    page.locator(f"[data-id='{found.alerts[0]['alert_id']}'] > summary").click()
    page.locator("#list .evidence").get_by_role("link", name="the host").press("Enter")
    expect(page.locator("#place-name")).to_be_focused()
    expect(page.locator("#place-name")).to_contain_text("Host the host")
    expect(page.locator("#place .alert")).to_have_count(2)
    expect(page.locator("#place .kept-back")).to_have_count(2)
    expect(page.locator("#place .kept-back").first).to_contain_text("rare, but repeats an earlier alert")
    expect(page.locator("#list")).to_be_hidden()
    width, window = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= window
    page.reload()
    expect(page.locator("#place .alert")).to_have_count(2)
    page.go_back()
    expect(page.locator("#place")).to_be_hidden()
    expect(rows(page)).to_have_count(6)
    assert page.evaluate("window.hacked") is None


def test_a_user_has_a_page_and_back_finds_the_list_as_it_was(opened: Opened) -> None:
    found = many(6)
    page = ready(opened(found, address="#order=oldest"))
    rows(page).nth(1).locator("> summary").click()
    link = page.locator("#list .evidence").get_by_role("link", name="CORP\\")
    user = link.inner_text()
    link.click()
    expect(page.locator("#place-name")).to_have_text(f"User {user}")
    expect(page.locator("#place")).to_contain_text("only alerts are here")
    page.locator("#place .alert > summary").click()
    page.locator("#place .evidence").get_by_role("link").first.click()
    expect(page.locator("#place-name")).to_contain_text("Host")
    page.go_back()
    expect(page.locator("#place-name")).to_have_text(f"User {user}")
    page.go_back()
    expect(page.locator("#list .body")).to_be_visible()
    expect(link).to_be_focused()


def test_the_place_of_nobody_says_that_nothing_is_listed(opened: Opened) -> None:
    page = ready(opened(many(2), address="#of-host=<script>"))
    expect(page.locator("#place")).to_contain_text("Host <script>")
    expect(page.locator("#place")).to_contain_text("Nothing is listed.")
    page.get_by_role("link", name="The whole run").click()
    expect(rows(page)).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_a_host(scheme: str, opened: Opened) -> None:
    page = ready(opened(at_one_host(), "#of-host=the-host&tenant=default", width=360, color_scheme=scheme))
    page.locator("#place .alert > summary").first.press("m")
    page.locator("#place .alert > summary").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    ("given", "name"),
    [([], "BigQuery SQL"), (["--queries", "kql"], "KQL"), (["--queries", "splunk"], "Splunk")],
)
def test_the_first_language_is_the_one_that_was_given_until_another_is_chosen(
    given: list[str], name: str, opened: Opened
) -> None:
    found, _ = one()
    page = ready(opened(found, "", *given))
    rows(page).locator("> summary").click()
    expect(page.locator("ol > li > .folded > summary").first).to_have_text(f"Query: {name}")
    page.get_by_label("Queries in").select_option(label="XQL")
    page.reload()
    rows(page).locator("> summary").click()
    expect(page.locator("ol > li > .folded > summary").first).to_have_text("Query: XQL")


def test_queries_come_in_the_chosen_language_with_the_table_that_was_given_once(opened: Opened) -> None:
    found, alert = one(process={"name": 'a"\\b.exe'})
    page = ready(opened(found))
    rows(page).locator("> summary").click()
    tables = {"BigQuery SQL": "lake.events", "XQL": "mine", "KQL": "Mine", "ES|QL": "mine-*", "Splunk": "index=edr"}
    for name, table in tables.items():
        page.get_by_label("Queries in").select_option(label=name)
        page.get_by_label("Table, dataset").fill(table)
        page.get_by_label("Table, dataset").press("Tab")
        queries = page.locator("ol > li > .folded > .query pre")
        expect(queries).to_have_count(5)
        assert all(table in text for text in queries.all_text_contents()), name
        if name in ("KQL", "ES|QL", "Splunk"):
            assert '"a\\"\\\\b.exe"' in queries.first.text_content()  # type: ignore[operator]
    page.reload()
    rows(page).locator("> summary").click()
    expect(page.get_by_label("Queries in")).to_have_value("spl")
    expect(page.locator("ol > li > .folded > .query pre").first).to_contain_text("index=edr earliest=")
    assert alert["process"]["command_line"] not in page.locator(".body ol").last.inner_text()


@pytest.mark.parametrize("asked", [True, False])
def test_attack_is_linked_and_virustotal_only_if_asked_for(asked: bool, opened: Opened) -> None:
    said = [{"id": "T1036.007", "name": "Double File Extension", "because": "double_extension"}]
    found, alert = one(
        attack={
            "tactic": {"id": "TA0011", "name": "C"},
            "technique": {"id": "T1102.002", "name": "W"},
            "subtechniques": said,
        }
    )
    page = ready(opened(found, "", *(["--virustotal"] if asked else [])))
    rows(page).locator("> summary").click()
    links = page.locator(".evidence a[target=_blank]").evaluate_all("links => links.map(link => link.href)")
    attack = [
        f"https://attack.mitre.org/{path}/"
        for path in ("tactics/TA0011", "techniques/T1102/002", "techniques/T1036/007")
    ]
    virustotal = [f"https://www.virustotal.com/gui/file/{alert['process']['sha256']}"]
    assert sorted(links) == sorted([*attack, *(virustotal if asked else [])])


def test_ids_and_digests_that_are_none_are_no_links(opened: Opened) -> None:
    attack = {"tactic": {"id": "x", "name": "y"}, "technique": {"id": "T1/../../x", "name": "<script>"}}
    found, _ = one(process={"sha256": "javascript:1"}, attack=attack)
    page = ready(opened(found, "", "--virustotal"))
    rows(page).locator("> summary").click()
    expect(page.locator(".evidence")).to_contain_text("T1/../../x <script>")
    expect(page.locator(".evidence a[target=_blank]")).to_have_count(0)


def test_evidence_says_what_is_not_reported_and_shows_shares_as_pictures(opened: Opened) -> None:
    found, alert = one(process={"path": None, "signature_status": "invalid", "signer": "Somebody"})
    alert["activity"] |= {"bytes_sent": 5_938_769, "bytes_received": None}
    alert["baseline"] |= {"other_hosts": 1, "host_days": 2, "active_days": 5, "coverage_days": 20}
    page = ready(opened(found))
    rows(page).locator("> summary").click()
    said = page.locator(".evidence")
    for text in ("Pathnot reported", "Somebody (the signature is not valid)", "sent 5.9 MB, received not reported"):
        expect(said).to_contain_text(text)
    days = said.locator("tbody tr").first.locator("svg.days").last
    assert [days.locator(f".{kind}").count() for kind in ("rare", "common", "track")] == [5, 15, 10]
