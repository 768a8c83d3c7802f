"""The page of `uncommon-im report` in headless Chromium; the runs are of Beam's in-process engine, and variants."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened, ready, rows
from tests.oracle import Options
from tests.report_runs import many, real_run, with_every_text
from tests.running import Found, Record, configuration_of, run_records
from uncommon_im.transforms.rules.advice.cases import CaseAlert, cases

pytestmark = pytest.mark.browser

HOSTILE = {
    "script": "<script>window.hacked = 1</script>",
    "end of the script": "</script><script>window.hacked = 1</script><!--",
    "image": '"><img src=x onerror="window.hacked = 1"><svg onload="window.hacked = 1">',
    "quotes": "'\"`</textarea></title></style>&lt;&amp;&#x27;",
    "template": "{{ 7 * 7 }}{% raw %}${7 * 7}#{7}<%= 7 %>\\u003cscript\\u003e",
    "address": "javascript:window.hacked=1//?a=b&service=x#y%00%zz",
    "line ends": "\u2028\u2029\r\nwindow.hacked = 1\n\t",
    "right to left": "\u202egnp.exe\u2066 שלום مرحبا \u2069",
    "emoji": "👩‍💻🏳️‍🌈 𝒳 \ufeff\u200b\x00\x1b[31m",
    "formula": "=HYPERLINK(1)+constructor __proto__ null undefined",
    "long": "x" * 100_000,
    "long words": "wide " * 20_000,
}


def none_found() -> Found:
    return run_records([], configuration_of(Options(activation_days=0)))


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [] if value is None or isinstance(value, bool) or value == "" else [str(value)]


def widths(page: Page) -> tuple[int, int]:
    """How wide the page is, and its window."""
    wide: list[int] = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return wide[0], wide[1]


def test_it_opens_within_2_seconds_with_5000_alerts(opened: Opened) -> None:
    page = ready(opened(many(5_000)))
    expect(page.locator("#status")).to_have_text("5,000 alerts")
    expect(rows(page)).to_have_count(50)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        ready(page.goto(page.url) and page)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 2, seconds


def test_all_alerts_can_be_reached_the_highest_priority_first_then_the_newest(opened: Opened) -> None:
    found = many(120)
    page = ready(opened(found))
    for shown in (50, 100, 120):
        expect(rows(page)).to_have_count(shown)
        if shown < 120:
            page.get_by_role("button", name="more of").click()
            assert page.evaluate("document.activeElement.closest('.alert').dataset.id") == listed(page)[shown]
    expect(page.get_by_role("button", name="more of")).to_be_hidden()
    first = sorted(found.alerts, key=lambda alert: (alert["priority"], *moment(alert)), reverse=True)
    assert listed(page) == [alert["alert_id"] for alert in first]


def moment(alert: Record) -> tuple[str, str]:
    return alert["timestamp"], alert["alert_id"]


def test_the_newest_or_the_oldest_come_first_if_asked(opened: Opened) -> None:
    found = many(20)
    page = ready(opened(found, address="#order=oldest"))
    oldest = [alert["alert_id"] for alert in sorted(found.alerts, key=moment)]
    assert listed(page) == oldest
    page.locator("#filters [name=order]").select_option("newest")
    assert listed(page) == oldest[::-1]


def test_a_case_leads_to_its_alerts_and_to_the_one_to_open_first(opened: Opened) -> None:
    page = ready(opened(many(45)))
    row = page.locator("table.cases tbody tr").first
    row.get_by_role("link", name="→").first.click()
    expect(page.locator("#status")).to_have_text(re.compile(r"^\d+ of 45 alerts$"))
    expect(page.locator("#filters [name=case]")).not_to_have_value("")
    row.get_by_role("link", name="open first").click()
    expect(page.locator("#status")).to_have_text("1 of 45 alerts")
    expect(rows(page).first).to_have_attribute("open", "")
    expect(rows(page).first.locator("> summary")).to_be_focused()
    page.reload()
    expect(rows(page).first.locator(".evidence")).to_be_visible()
    assert row.locator("td").first.inner_text() in rows(page).first.locator(".why").inner_text()


def test_the_link_of_a_case_lists_just_the_alerts_of_that_case(opened: Opened) -> None:
    found = many(45)
    for alert in found.alerts[:20]:  # names that are parts of others, and one program with several services
        alert["process"] |= {"name": "node"}
    page = ready(opened(found))
    shown = set()
    for link in page.locator("table.cases tbody tr th a").all():
        link.click()
        expect(page.locator("#filters [name=case]")).to_have_value(
            parse_qs(str(link.get_attribute("href"))[1:])["case"][0]
        )
        shown.add(frozenset(listed(page)))
    assert shown == {frozenset(alert.alert_id for alert in case.alerts) for case in cases(alerts_of_cases(found))}
    assert len(shown) > 3


def alerts_of_cases(found: Found) -> list[CaseAlert]:
    """The alerts, as cases are made of them."""
    return [msgspec.convert(alert, CaseAlert, strict=False) for alert in found.alerts]


def listed(page: Page) -> list[str]:
    """Ids of the alerts in the list, in its order."""
    ids: list[str] = rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")
    return ids


FILTERS: dict[str, Callable[[Record], bool]] = {
    "severity=Informational": lambda alert: alert["severity"] == "Informational",
    "variation=suspicious_process": lambda alert: alert["variation"] == "suspicious_process",
    "service=telegram": lambda alert: alert["service"]["id"] == "telegram",
    "tenant=other": lambda alert: alert["tenant_id"] == "other",
    "host=w0001": lambda alert: "w0001" in alert["host"]["name"],
    "host=H12": lambda alert: "h12" in alert["host"]["id"],
    "from=2026-03-10": lambda alert: alert["timestamp"] >= "2026-03-10",
    "to=2026-03-10": lambda alert: alert["timestamp"] < "2026-03-11",
    "q=POWERSHELL": lambda alert: "powershell" in json.dumps(alert).lower(),
    "q=user3 discord": lambda alert: "user3" in alert["user_name"] and alert["service"]["id"] == "discord",
    "q=nowhere at all": lambda alert: False,
}


@pytest.mark.parametrize("asked", FILTERS)
def test_a_filter_leaves_what_it_asks_for_by_hand_and_by_address(asked: str, opened: Opened) -> None:
    found = many(45)
    expected = {alert["alert_id"] for alert in found.alerts if FILTERS[asked](alert)}
    name, value = asked.split("=")
    page = ready(opened(found))
    control = page.locator(f"#filters [name={name}]")
    if control.evaluate("control => control.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)
    expect(page.locator("#status")).to_have_text(f"{len(expected)} of 45 alerts")
    assert set(listed(page)) == expected
    page.reload()
    expect(page.locator("#status")).to_have_text(f"{len(expected)} of 45 alerts")
    assert set(listed(page)) == expected
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#status")).to_have_text("45 alerts")


def test_the_rarest_come_first_if_asked(opened: Opened) -> None:
    found = many(9)
    for number, alert in enumerate(found.alerts):
        alert["baseline"]["other_hosts"], alert["baseline"]["host_days"] = number % 4, number % 3
    page = ready(opened(found, address="#order=rarest"))
    figures = {alert["alert_id"]: alert["baseline"] for alert in found.alerts}
    shown = [(figures[id]["other_hosts"], figures[id]["host_days"]) for id in listed(page)]
    assert shown == sorted(shown)


def test_alerts_of_older_runs_which_have_no_priority_come_last(opened: Opened) -> None:
    found = many(9)
    for number, alert in enumerate(found.alerts):
        alert["priority"] = number % 4 * 10 + 10
    del found.alerts[5]["priority"]
    page = ready(opened(found))
    points = {alert["alert_id"]: alert.get("priority", 0) for alert in found.alerts}
    shown = [points[id] for id in listed(page)]
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] == 0


def test_a_pair_a_service_and_a_day_lead_to_their_alerts(opened: Opened) -> None:
    page = ready(opened(real_run()))
    page.locator(".pairs").get_by_role("link", name="winlogs.exe").click()
    expect(page.locator("#status")).to_have_text("1 of 3 alerts")
    expect(page.locator("[name=q]")).to_have_value("winlogs.exe")
    expect(page.locator("h2#alerts")).to_be_focused()
    page.locator("section:has(#services)").get_by_role("link", name="Slack").click()
    expect(rows(page)).to_contain_text(["notes.exe"])
    page.get_by_text("Alerts by day and variation: as a table").click()
    page.get_by_role("link", name="2026-03-02").click()
    expect(rows(page)).to_contain_text(["powershell.exe"])


@pytest.mark.parametrize("number", range(3))
def test_an_opened_alert_says_all_that_it_holds(number: int, opened: Opened) -> None:
    alert = real_run().alerts[number]
    page = ready(opened(real_run()))
    row = page.locator(f"[data-id='{alert['alert_id']}']")
    row.locator("summary").click()
    expect(row.locator(".body")).to_be_visible()
    for queries in row.locator(".body summary").all():
        queries.click()
    said = row.locator(".body").inner_text()
    assert [leaf for leaf in leaves(alert) if leaf not in said] == []


def test_what_is_not_known_does_not_read_like_none(opened: Opened) -> None:
    found = many(1)
    (alert,) = found.alerts
    known = {"signature_status": "unsigned", "signer": None}
    alert["process"] |= {"signature_status": None, "signer": None}
    alert["investigation"]["application"] |= known
    alert["baseline"]["first_day"] = None
    alert["activity"] |= {"bytes_sent": 5_938_769, "bytes_received": None}
    page = ready(opened(found))
    rows(page).locator("summary").click()
    said = page.locator(".body .card")
    expect(said.filter(has_text="Process").first).to_contain_text("Signernot reported")
    expect(said.filter(has_text="Investigation: application")).to_contain_text("Signernone")
    expect(said.filter(has_text="Baseline").first).to_contain_text("First daynever")
    expect(said.filter(has_text="Activity").first).to_contain_text("5938769 bytes (5.9 MB)")
    expect(said.filter(has_text="Activity").first).to_contain_text("Bytes receivednot reported")


def test_next_steps_show_their_queries_and_copy_them(opened: Opened) -> None:
    found = many(1)
    sql = "SELECT '<b>' FROM events\nWHERE host_id = 'h0'"
    question = {
        "question": "Is it <i>known</i>?",
        "why": "Nobody else has it",
        "bigquery_sql": sql,
        "xql": "dataset = x",
    }
    found.alerts[0]["steps"] = [question, "Ask the user"]
    page = ready(opened(found, permissions=["clipboard-read", "clipboard-write"]))
    rows(page).locator("summary").click()
    steps = page.locator(".body ol > li")
    expect(steps).to_have_count(2)
    expect(steps.nth(0)).to_contain_text("Is it <i>known</i>?")
    expect(page.get_by_role("button", name="Copy XQL")).to_be_hidden()
    steps.nth(0).locator("summary").first.click()
    steps.nth(0).get_by_text("In other languages").click()
    expect(steps.nth(0)).to_contain_text(sql, use_inner_text=True)
    expect(steps.nth(1)).to_have_text("Ask the user")
    page.get_by_role("button", name="Copy BigQuery SQL").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == sql
    page.get_by_role("button", name="Copy as JSON").click()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == found.alerts[0]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_in_every_field_stays_text(kind: str, opened: Opened) -> None:
    page = ready(opened(with_every_text(real_run(), HOSTILE[kind])))
    for row in rows(page).all():
        row.locator("summary").click()
    for letter in page.locator(".letter").all():
        letter.locator("summary").click()
    page.locator("[name=q]").fill("window.hacked")
    page.locator("[name=q]").fill("")
    page.locator(".pairs a").first.click()
    expect(page.locator("#status")).not_to_have_text("0 of 3 alerts")
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, textarea:not(.written), [onload], [onerror]").count() == 0
    width, window = widths(page)
    assert width <= window


def test_missing_values_and_fields_of_other_versions_are_shown(opened: Opened) -> None:
    found = many(1)
    (alert,) = found.alerts
    alert |= {"user_name": None, "execution": None, "empty": []}
    alert["new_field"] = {"deep": {"deeper": [1, {"a": {"so_deep": "b"}}]}}
    alert["investigation"] = {"question": "a plain answer", "figures": {"hosts": None, "first": {"day": "2026-01-01"}}}
    alert["host"]["name"] = alert["destination"]["ip"] = None
    page = ready(opened(found))
    expect(rows(page)).to_contain_text(["h0"])
    rows(page).locator("summary").click()
    body = page.locator(".body")
    for said in ("a plain answer", "2026-01-01", "A: So deep: b", "New field", "Investigation: figures"):
        expect(body).to_contain_text(said)
    expect(body).not_to_contain_text("null")


@pytest.mark.parametrize(("port", "said"), [(443, ", port 443)"), (53, ", in a lookup)"), (None, ")")])
def test_the_port_of_a_name_server_is_none_of_the_service(port: int | None, said: str, opened: Opened) -> None:
    found = many(1)
    (alert,) = found.alerts
    alert["destination"] |= {"host": "api.telegram.org", "ip": "149.154.167.220", "port": port}
    page = ready(opened(found))
    rows(page).locator("summary").first.click()
    expect(page.locator(".body")).to_contain_text(f"(api.telegram.org, 149.154.167.220{said}")


def test_hosts_that_are_counted_up_to_a_limit_are_that_many_or_more(opened: Opened) -> None:
    found = many(2)
    for alert, others in zip(found.alerts, (4, 1), strict=True):
        alert["baseline"]["other_hosts"] = 0
        alert["investigation"] = {"service": {"other_hosts": others, "host_days": 0, "active_days": 9}}
    page = ready(opened(found))
    for alert, said in zip(found.alerts, ("4 or more", "1"), strict=True):
        row = page.locator(f"[data-id='{alert['alert_id']}']")
        row.locator("summary").click()
        expect(row.locator(".prevalence tr").filter(has_text="The service at all").locator("td").first).to_have_text(
            said
        )
        expect(row.locator(".evidence")).to_contain_text("Hosts are counted up to 4.")


@pytest.mark.parametrize(
    ("chain", "parent", "said"),
    [
        (["cmd.exe", "curl.exe"], "cmd.exe", "cmd.execurl.exe"),
        (["node.exe"], "node.exe", "node.exenode.exe"),
        (["node.exe"], None, "what started it is not reported"),
    ],
)
def test_a_program_that_started_itself_has_a_chain_too(
    chain: list[str], parent: str | None, said: str, opened: Opened
) -> None:
    found = many(1)
    found.alerts[0]["investigation"] = {"parent": {"name": parent, "chain": chain}}
    page = ready(opened(found))
    rows(page).locator("summary").click()
    facts = page.locator(".evidence dl")
    expect(facts.locator("dt:text-is('Parent chain') + dd")).to_have_text(said)


def test_the_priority_says_of_what_it_is_the_sum(opened: Opened) -> None:
    found = many(1)
    parts = [{"part": "reason:untrusted_path", "points": 15}, {"part": "known_binary", "points": -10}]
    found.alerts[0] |= {"priority": 5, "priority_parts": parts}
    page = ready(opened(found))
    rows(page).locator("summary").click()
    said = page.locator(".evidence dt:text-is('Priority') + dd")
    expect(said).to_have_text("5: untrusted path +15, known binary -10")


def test_hidden_and_reversing_characters_are_shown_by_number(opened: Opened) -> None:
    page = ready(opened(with_every_text(real_run(), "\u202efdp.exe")))
    expect(rows(page).first).to_contain_text("⟨U+202E⟩fdp.exe")
    expect(page.locator(".pairs")).to_contain_text("⟨U+202E⟩fdp.exe")
    assert "\u202e" not in page.locator("body").inner_text()


def tab_to(page: Page, wanted: str) -> None:
    """Presses the tabulator until an element has the focus; it must be near."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} is not reached by the keyboard")


def test_it_can_be_used_by_keyboard_alone(opened: Opened) -> None:
    page = ready(opened(many(30)))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the alerts")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("[name=q]")).to_be_focused()
    page.keyboard.type("user7")
    expect(page.locator("#status")).to_have_text("1 of 30 alerts")
    tab_to(page, ".alert > summary")
    page.keyboard.press("Enter")
    expect(page.locator(".alert .body")).to_be_visible()
    expect(page.get_by_role("button", name="Copy as JSON")).to_be_visible()
    tab_to(page, ".triage input")
    tab_to(page, ".body .actions > button")
    tab_to(page, ".folded > summary")
    page.keyboard.press("Escape")
    expect(page.locator(".alert .body")).to_be_hidden()
    expect(rows(page).locator("> summary")).to_be_focused()


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("count", [0, 10])
def test_nothing_has_to_be_scrolled_sideways(width: int, count: int, opened: Opened) -> None:
    page = opened(many(count) if count else none_found(), width=width)
    if count:
        rows(ready(page)).first.locator("summary").click()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert widths(page) == (width, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("count", [0, 10])
def test_axe_finds_nothing(scheme: str, width: int, count: int, opened: Opened) -> None:
    page = opened(many(count) if count else none_found(), width=width, color_scheme=scheme)
    if count:
        rows(ready(page)).first.locator("summary").click()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_light_and_dark_have_colours_of_their_own(opened: Opened) -> None:
    page = ready(opened(many(10)))
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        bar = page.locator(".wide path[fill='var(--suspicious)']").first
        colours.append(
            (
                bar.evaluate("bar => getComputedStyle(bar).fill"),
                page.evaluate("getComputedStyle(document.body).backgroundColor"),
            )
        )
    assert colours[0] == ("rgb(194, 65, 12)", "rgb(246, 247, 249)")
    assert colours[1] == ("rgb(251, 140, 75)", "rgb(14, 19, 27)")


def test_the_chart_says_each_bar(opened: Opened) -> None:
    page = ready(opened(real_run()))
    marks = page.locator("figure .wide [role=graphics-symbol] > title")
    assert "2026-03-01: 1 by a suspicious process" in marks.all_text_contents()


def test_printed_it_has_no_controls_and_all_rows(opened: Opened) -> None:
    page = ready(opened(many(10), width=700))
    page.emulate_media(media="print")
    expect(page.locator(".wide svg").first).to_be_visible()
    expect(page.locator("nav")).to_be_hidden()
    expect(page.locator("#filters")).to_be_hidden()
    expect(rows(page).last).to_be_visible()
    assert rows(page).last.bounding_box()["width"] > 500


def test_without_scripts_all_but_the_list_is_there(opened: Opened) -> None:
    page = opened(real_run(), java_script_enabled=False)
    expect(page.get_by_text("The list of alerts needs JavaScript")).to_be_visible()
    expect(page.locator(".pairs")).to_contain_text("winlogs.exe")
    expect(page.locator("figure .wide svg").first).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()


@pytest.mark.parametrize(
    "attempt",
    [
        "fetch('http://127.0.0.1:9/')",
        "document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/' }))",
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 1' }))",
        "document.body.setAttribute('style', 'background: url(http://127.0.0.1:9/)')",
    ],
)
def test_its_own_policy_refuses_network_and_foreign_scripts(attempt: str, opened: Opened, browser: Any) -> None:
    page = ready(opened(real_run()))
    other = browser.new_context().new_page()  # not watched: the refusal is what is wanted
    other.goto(page.url)
    refused = other.evaluate(
        f"""new Promise(resolve => {{
            addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective));
            try {{ Promise.resolve({attempt}).catch(() => null); }} catch {{ resolve('thrown'); }}
        }})"""
    )
    assert refused in ("connect-src", "img-src", "script-src-elem", "style-src-attr")
    assert other.evaluate("window.hacked") is None
    other.context.close()


def test_a_filter_in_the_address_is_that_of_the_page(opened: Opened) -> None:
    asked = {"q": "user1 corp", "service": "discord", "from": "2026-03-01"}
    page = ready(opened(many(30), address=f"#{urlencode(asked)}"))
    for name, value in asked.items():
        expect(page.locator(f"[name={name}]")).to_have_value(value)
