"""Alerts over HTTP to a stub that keeps the documented contracts of HEC, `_bulk` and webhooks, and fails as told."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.sinks.delivery.alerts import alert, ids
from tests.pipeline.sinks.delivery.receiver import BULK, HEC, HOOK, TOKEN, Receiver, receiver, silence, status
from uncommon_im.pipeline.sinks.delivery import http
from uncommon_im.pipeline.sinks.delivery.http import HttpTarget
from uncommon_im.pipeline.sinks.delivery.sending import Secret, Unsent
from uncommon_im.pipeline.sinks.delivery.templates import SHIPPED, source_of
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, document_of

PATHS = {"splunk": HEC, "elastic": BULK, "webhook": HOOK}
KINDS = tuple(PATHS)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as state:
        yield state


def target(server: Receiver, kind: str, **changes: Any) -> HttpTarget:
    """The stub, with a token, and waits of a moment."""
    made = HttpTarget(
        kind=kind,
        url=Secret("--alerts-url", plain=server.url + PATHS.get(kind, HOOK)),
        alert_format="native",
        token=Secret("--alerts-token-file", plain=TOKEN),
        rate=1000,
        attempts=4,
        backoff=0.001,
    )
    return replace(made, **changes)


def send(target: HttpTarget, *numbers: int) -> tuple[list[Unsent], int]:
    """What was not taken of some alerts, and how many requests were sent again."""
    retried: list[None] = []
    sender = target.open(lambda: retried.append(None))
    try:
        return list(sender.send(document_of(alert(number), target.alert_format) for number in numbers)), len(retried)
    finally:
        sender.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alert_format", ALERT_FORMATS)
def test_every_format_is_taken_by_every_kind_of_server_that_takes_it(
    kind: str, alert_format: str, server: Receiver
) -> None:
    unsent, _ = send(target(server, kind, alert_format=alert_format), *range(3))
    if alert_format == "cef" and kind != "splunk":  # text, which these stubs refuse as their products do
        assert len(unsent) == 3
    elif kind == "webhook":
        assert unsent == []
        assert server.bodies == [json.loads(document_of(alert(n), alert_format).text) for n in range(3)]
    else:
        assert (unsent, server.got) == ([], [f"{n:032x}" for n in range(3)])
        assert server.requests == 1, "they are sent together"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault",
    [status(500), status(503), status(429), status(408), silence],
    ids=["500", "503", "429", "408", "silence"],
)
def test_what_fails_for_a_while_is_sent_again_until_it_is_taken(kind: str, fault: Any, server: Receiver) -> None:
    server.faults = [fault, fault]
    assert send(target(server, kind), 1) == ([], 2)
    assert (server.indexed, server.requests) == (ids(1), 3)


@pytest.mark.parametrize("kind", KINDS)
def test_one_refused_alert_is_named_and_costs_no_other(kind: str, server: Receiver) -> None:
    server.refuses = ids(3)
    unsent, _ = send(target(server, kind), *range(8))
    assert [(each.document.alert_id, each.refused) for each in unsent] == [(*ids(3), True)]
    assert server.indexed == ids(0, 1, 2, 4, 5, 6, 7)


def test_of_a_bulk_reply_only_items_that_may_be_taken_later_are_sent_again(server: Receiver) -> None:
    server.refuses = ids(1)
    server.busy.update({next(iter(ids(2))): 2})
    unsent, retried = send(target(server, "elastic"), *range(4))
    assert ([each.document.alert_id for each in unsent], retried) == ([*ids(1)], 2)
    assert sorted(server.got) == sorted(ids(0, 2, 3)), "none twice"
    assert "document_parsing_exception" in unsent[0].reason


def test_an_item_that_stays_too_busy_is_left_over_and_not_refused(server: Receiver) -> None:
    server.busy.update({next(iter(ids(2))): 99})
    unsent, _ = send(target(server, "elastic"), *range(4))
    assert [(each.document.alert_id, each.refused) for each in unsent] == [(*ids(2), False)]


def test_a_server_is_given_the_time_that_it_asks_for(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(http.time, "sleep", waits.append)
    server.faults = [status(429, Retry_After="7"), status(503, Retry_After="11")]
    assert send(target(server, "splunk"), 1)[0] == []
    assert [wait for wait in waits if wait > 1] == [7, 11]


def test_without_such_a_wish_waits_double_with_jitter_and_are_bounded(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(http.time, "sleep", waits.append)
    server.faults = [status(500)] * 7
    send(target(server, "splunk", attempts=8, backoff=10.0), 1)
    waits = [wait for wait in waits if wait > 1]
    assert all(20 * 2**n <= wait <= 20 * 2**n + 10 for n, wait in enumerate(waits[:2]))
    assert max(waits) <= 120


def test_who_asks_for_too_much_time_is_not_waited_for(server: Receiver) -> None:
    server.faults = [status(429, Retry_After="86400")]
    unsent, retried = send(target(server, "splunk"), 1)
    assert ([each.refused for each in unsent], retried, server.requests) == ([False], 0, 1)


def test_a_wish_that_is_no_time_is_passed_over(server: Receiver) -> None:
    server.faults = [status(503, Retry_After="soon")]
    assert send(target(server, "splunk"), 1) == ([], 1)


@pytest.mark.parametrize("code", [401, 403, 404, 302])
def test_a_wrong_address_or_token_is_asked_once_and_everything_is_kept_for_later(code: int, server: Receiver) -> None:
    server.faults = [status(code, Location="http://127.0.0.1:1/elsewhere")]
    unsent, _ = send(target(server, "webhook"), *range(300))
    assert (len(unsent), server.requests) == (300, 1)
    assert not any(each.refused for each in unsent)
    assert f"HTTP {code}" in unsent[0].reason


def test_a_server_that_stays_away_is_tried_for_one_request_and_all_is_kept() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = Receiver(f"http://127.0.0.1:{free.getsockname()[1]}")
        unsent, retried = send(target(away, "webhook"), *range(50))
    assert (len(unsent), retried) == (50, 3)
    assert "refused" in unsent[0].reason
    assert not unsent[0].refused


def test_an_alert_that_breaks_the_server_costs_no_other(server: Receiver) -> None:
    server.breaks = ids(2)
    unsent, _ = send(target(server, "webhook"), *range(10))
    assert [(each.document.alert_id, each.refused) for each in unsent] == [(*ids(2), False)]
    assert server.indexed == ids(*range(10)) - ids(2)


def test_a_server_that_breaks_again_and_again_is_asked_no_more(server: Receiver) -> None:
    server.breaks = ids(*range(50))
    unsent, _ = send(target(server, "webhook"), *range(50))
    assert (len(unsent), server.requests) == (50, 3 * 4)


def test_text_of_another_format_in_the_spool_is_refused_by_a_template(server: Receiver) -> None:
    sender = target(server, "webhook", template="{{ alert | tojson }}").open(lambda: None)
    (unsent,) = sender.send([document_of(alert(1), "cef")])
    assert unsent.refused


def test_a_server_that_does_not_answer_in_time_is_tried_again(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_READ_SECONDS", 0.05)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        unsent, retried = send(target(Receiver(f"http://127.0.0.1:{deaf.getsockname()[1]}"), "webhook"), 1)
    assert ([each.refused for each in unsent], retried) == ([False], 3)
    assert "ReadTimeoutError" in unsent[0].reason


@pytest.mark.parametrize("kind", ["splunk", "elastic"])
@pytest.mark.parametrize("reply", [b"<html>log in</html>", b"[]", b"", b'{"items": [1]}', b"[" * 100_000])
def test_a_reply_that_is_none_of_the_server_takes_nothing(kind: str, reply: bytes, server: Receiver) -> None:
    server.faults = [lambda request: (200, {}, reply)] * 4
    assert [each.refused for each in send(target(server, kind), 1)[0]] == [False]


@pytest.mark.parametrize("kind", KINDS)
def test_no_reason_shows_the_token_or_the_path(kind: str, server: Receiver) -> None:
    for code in (400, 403, 500):
        echo = f"no such thing: {server.url}{PATHS[kind]} with {TOKEN}".encode()
        server.faults = [lambda request, code=code, echo=echo: (code, {}, echo)] * 4
        (unsent,) = send(target(server, kind), 1)[0]
        assert TOKEN not in unsent.reason
        assert PATHS[kind] not in unsent.reason
        assert "***" in unsent.reason
    assert TOKEN not in repr(target(server, kind))
    assert PATHS[kind] not in repr(target(server, kind))


def test_requests_keep_to_the_rate(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(http.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(http.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert send(target(server, "webhook", rate=4), *range(21))[0] == []
    assert now[0] == pytest.approx(100 + 20 / 4)


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_of_the_own_authority_is_taken(
    tmp_path: Path,
) -> None:
    from tests.pipeline.sinks.delivery.certificates import over_tls

    with over_tls(tmp_path) as (server, certificate):
        unsent, _ = send(target(server, "splunk"), 1)
        assert "certificate verify failed" in unsent[0].reason
        assert server.got == []
        trusting = target(server, "splunk", authorities=Secret("--alerts-ca", file=str(certificate)))
        assert send(trusting, 1)[0] == []
        assert server.indexed == ids(1)


@pytest.mark.parametrize("kind", SHIPPED)
def test_a_shipped_message_is_json_and_names_the_alert_whatever_telemetry_holds(kind: str, server: Receiver) -> None:
    hostile = alert(1) | {
        "description": 'he said "}]} \\ \n {{ 7 * 7 }} {% raw %} <!channel> &amp; ' + "x" * 10_000,
        "host": {"id": "h", "name": None, "os": "linux"},
        "user_name": None,
    }
    sender = target(server, kind, template=source_of(kind, None)).open(lambda: None)
    assert list(sender.send([document_of(hostile, "native")])) == []
    text = json.dumps(server.bodies)
    assert hostile["alert_id"] in text
    assert "{{ 7 * 7 }}" in text
    if kind == "slack":
        assert "<!channel>" not in text, "Slack would call everybody"


def test_a_template_that_fails_for_one_alert_costs_no_other(server: Receiver) -> None:
    template = '{"alert_id": {{ alert.alert_id | tojson }}, "n": {{ 1 // (alert.alert_id | int(base=16) - 1) }}}'
    unsent, _ = send(target(server, "webhook", template=template), 0, 1, 2)
    assert [each.document.alert_id for each in unsent] == [*ids(1)]
    assert unsent[0].refused
    assert server.indexed == ids(0, 2)


@pytest.mark.parametrize(
    "template",
    [
        "{{ alert.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() | tojson }}",
        "{% set _ = alert.update({}) %}{}",
        "{{ cycler.__init__.__globals__.os.environ | tojson }}",
        "{{ nothing_of_that_name | tojson }}",
        "no json",
    ],
)
def test_a_template_reaches_nothing_but_the_alert(template: str, server: Receiver) -> None:
    assert [each.refused for each in send(target(server, "webhook", template=template), 1)[0]] == [True]
    assert server.requests == 0
