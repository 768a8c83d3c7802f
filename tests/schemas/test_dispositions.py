"""Files of dispositions: what is read, what is wrong with those that are not, and what a snapshot may hold of them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncommon_im.schemas.dispositions import (
    Dispositions,
    digest_of,
    load_dispositions,
    not_left_out,
    parse_dispositions,
)
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.recognition.exceptions import Exceptions

BOT: dict[str, Any] = {"process_name": "bot.exe", "disposition": "malicious", "reason": "r"}
AS_OF = date(2026, 5, 10)


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_file_nothing_is_decided(path: str | None) -> None:
    assert load_dispositions(path) == Dispositions()


@pytest.mark.parametrize("written", ["yaml", "json"])
def test_a_list_or_what_the_report_exports_is_read_and_told_apart(tmp_path: Path, written: str) -> None:
    path = tmp_path / f"decided.{written}"
    if written == "yaml":
        path.write_text(
            "- {process_name: Bot.exe, service_id: Telegram, disposition: malicious, reason: seen , from: 2026-05-01}\n"
            "- {signer: Acme*, disposition: benign, reason: ours, until: '2026-06-01'}\n"
        )
    else:
        one = {"process_name": "Bot.exe", "service_id": "Telegram", "disposition": "malicious", "reason": " seen "}
        two = {"signer": "Acme*", "disposition": "benign", "reason": "ours", "until": "2026-06-01"}
        entries = [one | {"from": "2026-05-01", "alert_id": "a1"}, two]
        path.write_text(json.dumps({"dispositions": entries, "triage": {"a1": {"state": "malicious", "note": "seen"}}}))
    assert load_dispositions(str(path)) == Dispositions(
        benign=(ExceptionEntry((("signer", "acme*"),), "ours", date(2026, 6, 1)),),
        malicious=(
            ExceptionEntry((("process_name", "bot.exe"), ("service_id", "telegram")), "seen", begins=date(2026, 5, 1)),
        ),
    )


@pytest.mark.parametrize("name", ["host_id", "service_id"])
@given(value=st.text("ab*?[]!-", min_size=1).filter(str.strip), other=st.text("ab*?[]!-", min_size=1))
def test_hosts_and_services_are_meant_as_they_are(name: str, value: str, other: str) -> None:
    (entry,) = parse_dispositions([{name: value, "disposition": "malicious", "reason": "r"}], "d").malicious
    exceptions = Exceptions((entry,))
    assert exceptions.match({name: value.strip()}, 0) is entry
    assert (exceptions.match({name: other}, 0) is entry) == (other == value.strip())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "expected a list of dispositions (or a mapping with `dispositions`)"),
        ({"decisions": []}, "expected a list of dispositions (or a mapping with `dispositions`)"),
        ([{"process_name": "a", "reason": "r"}], "disposition"),
        ([BOT | {"disposition": "seen"}], "benign"),
        ([{"disposition": "benign", "reason": "r"}], "matches everything"),
        ([BOT | {"reason": " "}], "needs a `reason`"),
        ([BOT | {"from": "soon"}], "from is 'soon': write it as YYYY-MM-DD"),
        ([BOT | {"until": "31.12."}], "until is '31.12.': write it as YYYY-MM-DD"),
        ([BOT | {"from": "2026-05-02", "until": "2026-05-01"}], "until 2026-05-01 is before from 2026-05-02"),
        ([BOT | {"expires": "2026-05-02"}], "expires"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_entry(document: object, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_dispositions(document, "decided.json")
    assert str(raised.value).startswith("decided.json")
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def entry(begins: date | None = None, until: date | None = None, name: str = "bot.exe") -> ExceptionEntry:
    return ExceptionEntry((("process_name", name),), "r", until, begins)


def test_a_digest_names_what_is_matched_and_when_and_not_why() -> None:
    other_reason = ExceptionEntry((("process_name", "bot.exe"),), "another reason")
    assert digest_of(entry()) == digest_of(other_reason)
    different = [entry(), entry(AS_OF), entry(until=AS_OF), entry(name="b.exe")]
    assert len({digest_of(each) for each in different}) == 4


day = st.one_of(st.none(), st.integers(-5, 5).map(lambda days: AS_OF + timedelta(days=days)))


@given(begins=day, until=day, since=day, listed=st.booleans())
def test_a_snapshot_may_hold_the_days_before_it_on_which_an_entry_holds_and_was_not_left_out(
    begins: date | None, until: date | None, since: date | None, listed: bool
) -> None:
    written = entry(begins, until)
    left = not_left_out(written, {digest_of(written): since} if listed else {}, AS_OF)
    for days in range(-12, 12):
        today = AS_OF + timedelta(days=days)
        holds = (begins or date.min) <= today <= (until or date.max)
        was_left_out = listed and (since is None or since <= today)
        may_be_held = left is not None and (left.begins or date.min) <= today <= (left.expires or date.max)
        assert may_be_held == (holds and today < AS_OF and not was_left_out)
