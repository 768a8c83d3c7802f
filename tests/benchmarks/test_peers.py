"""The peers' queries on hand-made communications: what each alerts on, and what it does not. No engine but DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from tests.benchmarks.peers import PEERS, Peer, alerts_of, open_communications
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_SCHEMA
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US

Row = dict[str, Any]
FIRST_DAY = 20_000
CHROME = r"C:\Program Files\Google\Chrome\Application\chrome.exe"


def peer(name: str) -> Peer:
    return next(each for each in PEERS if each.name == name)


def row(event_id: str, day: int, hour: float = 9, **given: Any) -> Row:
    """A communication of an unsigned tool on host h1 with Telegram's bot API, unless something else is given."""
    ordinary = {
        "host": "h1",
        "os": "windows",
        "program": "tool.exe",
        "process_path": r"C:\Tools\tool.exe",
        "process_sha256": "a" * 64,
        "process_signature_status": "unsigned",
        "remote_host": "api.telegram.org",
        "remote_ip": "149.154.167.220",
    }
    return {"event_id": event_id, "event_time": (FIRST_DAY + day) * DAY_US + round(hour * HOUR_US), **ordinary, **given}


def signed_by(signer: str) -> Row:
    return {"process_signature_status": "signed", "process_signer": signer}


def alerts(name: str, rows: Sequence[Row], shuffle_seed: int | None = None) -> list[str]:
    names = (*row("", 0), "process_signer")
    table = pa.table({n: pa.array([each.get(n) for each in rows], ACTIVITY_SCHEMA.field(n).type) for n in names})
    return alerts_of(peer(name), open_communications(table, shuffle_seed))


@pytest.mark.parametrize(
    "given",
    [
        {"program": "tool.exe"},
        {"program": "chrome.exe", "process_path": r"C:\Users\al\AppData\Roaming\Google\chrome.exe"},
        {"program": "python3", "process_path": "/usr/bin/python3", "os": "linux"},
    ],
)
def test_a_static_list_alerts_on_what_is_no_browser_and_no_client(given: Row) -> None:
    assert alerts("static-list", [row("a", 0, **given)]) == ["a"]


@pytest.mark.parametrize(
    "given",
    [
        {"program": "chrome.exe", "process_path": CHROME},
        {"program": "brave.exe", "process_path": r"C:\Users\al\AppData\Local\brave.exe"},
        {"program": "telegram.exe", "process_path": r"C:\Users\al\AppData\Roaming\Telegram Desktop\Telegram.exe"},
        {"program": "firefox", "process_path": "/usr/lib/firefox/firefox", "os": "linux"},
    ],
)
def test_a_static_list_leaves_browsers_and_clients_alone(given: Row) -> None:
    assert alerts("static-list", [row("a", 0, **given)]) == []


def test_a_static_list_alerts_again_every_day_but_once_a_day() -> None:
    rows = [row("a", 0, 9), row("b", 0, 10), row("c", 1), row("other place", 1, remote_host="discord.com")]
    assert alerts("static-list", rows) == ["a", "c", "other place"]


@pytest.mark.parametrize(("name", "days"), [("new-terms-7", 7), ("new-terms-14", 14)])
def test_a_term_is_new_again_after_its_window(name: str, days: int) -> None:
    assert alerts(name, [row("a", 0), row("b", days)]) == ["a"]
    assert alerts(name, [row("a", 0), row("b", days, 9.1)]) == ["a", "b"]
    assert alerts(name, [row("a", 0), row("b", days - 1), row("c", 2 * days - 1)]) == ["a"]


@pytest.mark.parametrize(
    "given", [{"host": "h2"}, {"process_path": r"C:\Tools-2\tool.exe"}, {"remote_host": "discord.com"}]
)
def test_a_term_is_host_executable_and_destination(given: Row) -> None:
    assert alerts("new-terms-7", [row("a", 0), row("b", 1, **given)]) == ["a", "b"]


@pytest.mark.parametrize(
    "given",
    [
        signed_by("Google LLC"),
        signed_by("Mozilla Corporation"),
        signed_by("Software Signing"),
        signed_by("Discord Inc.") | {"remote_host": "discord.com"},
        {"remote_host": None},
    ],
)
def test_new_terms_leave_out_signed_browsers_and_what_has_no_name(given: Row) -> None:
    assert alerts("new-terms-7", [row("a", 0, **given)]) == []


@pytest.mark.parametrize(
    "given",
    [
        {"process_signature_status": "unsigned", "process_signer": "Google LLC"},
        signed_by("Discord Inc.") | {"remote_host": "api.telegram.org"},
        signed_by("Some Software Signing Ltd"),
    ],
)
def test_new_terms_believe_trusted_signatures_of_these_only(given: Row) -> None:
    assert alerts("new-terms-7", [row("a", 0, **given)]) == ["a"]


def test_what_is_first_seen_is_device_name_and_signer_whatever_the_path_and_destination() -> None:
    rows = [
        row("a", 0, **signed_by("Acme")),
        row("moved", 1, process_path=r"C:\Tools-2\tool.exe", remote_host="discord.com", **signed_by("Acme")),
        row("unsigned", 1),
        row("other device", 1, host="h2", **signed_by("Acme")),
    ]
    assert alerts("first-seen", rows) == ["a", "other device", "unsigned"]


def test_the_tested_day_teaches_nothing_and_alerts_once() -> None:
    assert alerts("first-seen", [row("b", 0, 10), row("a", 0, 9), row("c", 1)]) == ["a"]


def test_what_was_first_seen_is_forgotten_after_fourteen_days() -> None:
    assert alerts("first-seen", [row("a", 0, 23), row("b", 14, 1)]) == ["a"]
    assert alerts("first-seen", [row("a", 0, 23), row("b", 15, 1)]) == ["a", "b"]


def on_hosts(day: int, hosts: int, **given: Any) -> list[Row]:
    return [row(f"{day}-h{number}", day, host=f"h{number}", **given) for number in range(hosts)]


def test_a_file_on_three_hosts_is_rare_and_on_four_it_is_not() -> None:
    common = on_hosts(0, 9, process_sha256="c" * 64)
    assert len(alerts("prevalence", on_hosts(0, 3))) == 3
    assert alerts("prevalence", [*common, *on_hosts(1, 3)]) == ["1-h0", "1-h1", "1-h2"]
    assert alerts("prevalence", [*common, *on_hosts(1, 4)]) == []


def test_a_domain_on_few_hosts_is_rare_though_the_file_is_common() -> None:
    rare = row("rare", 1, process_sha256="c" * 64, remote_host="filev2.getsession.org")
    assert alerts("prevalence", [*on_hosts(0, 9, process_sha256="c" * 64), rare]) == ["rare"]


def test_prevalence_looks_back_ten_days_the_current_one_included() -> None:
    assert alerts("prevalence", [*on_hosts(0, 9), row("b", 9)]) == []
    assert alerts("prevalence", [*on_hosts(0, 9), row("b", 10)]) == ["b"]


def test_prevalence_is_the_most_hosts_of_one_day_not_of_all_days_together() -> None:
    rows = [row(f"{day}", day, host=f"h{day}") for day in range(6)]
    assert alerts("prevalence", rows) == ["0", "1", "2", "3", "4", "5"]


def test_prevalence_alerts_once_a_host_artifact_and_day() -> None:
    assert alerts("prevalence", [row("a", 0, 9), row("b", 0, 11)]) == ["a"]


@pytest.mark.parametrize("name", ["new-value", "new-value-host"])
def test_a_group_learns_for_seven_days_and_forgets_after_twenty_eight(name: str) -> None:
    start = row("start", 0, remote_host="discord.com")
    assert alerts(name, [start, row("a", 6), row("b", 7, 10)]) == []
    assert alerts(name, [start, row("b", 7, 10), row("c", 8)]) == ["b"]
    assert alerts(name, [start, row("a", 3), row("b", 31)]) == []
    assert alerts(name, [start, row("a", 3), row("b", 31, 10)]) == ["b"]


def test_a_value_that_another_host_has_shown_is_new_to_the_host_only() -> None:
    rows = [
        row("h1 learns", 0),
        row("h2 learns", 0, host="h2", remote_host="discord.com"),
        row("new to h2", 8, host="h2"),
    ]
    assert alerts("new-value-host", rows) == ["new to h2"]
    assert alerts("new-value", rows) == []


def test_a_value_is_process_and_destination_by_name_or_by_address() -> None:
    rows = [
        row("start", 0),
        row("other process", 8, program="other.exe"),
        row("address", 8, remote_host=None),
        row("known", 8),
    ]
    assert alerts("new-value", rows) == ["address", "other process"]


def test_new_values_depend_on_the_order_of_arrival_and_queries_on_stored_events_do_not() -> None:
    rows = [row("start", 0)]
    rows += [
        row(f"{day}-{number}", day, 9 + number / 100, program=f"p{day}.exe")
        for day in range(8, 40)
        for number in range(8)
    ]
    for each in PEERS:
        in_order, late = alerts(each.name, rows), alerts(each.name, rows, shuffle_seed=1)
        assert (in_order == late) is (each.query != "new_value.sql")


def test_every_peer_says_whose_logic_it_is() -> None:
    assert len({each.name for each in PEERS}) == len(PEERS)
    assert all(each.source and each.title for each in PEERS)
