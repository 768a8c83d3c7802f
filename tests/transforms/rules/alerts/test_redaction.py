"""Rows without secrets: alerts, verdict rows, dead letters and the raw records in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.secrets.corpus import Planted, ordinary, planted
from tests.transforms.rules.candidates import candidate
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.alerts.redaction import Redactor
from uncommon_im.transforms.rules.alerts.secrets import SecretText
from uncommon_im.transforms.rules.alerts.steps import with_steps
from uncommon_im.transforms.rules.columns.json_lines import parse_line
from uncommon_im.transforms.rules.columns.rejection import Rejection

CATALOGUE = load_catalogue()
REDACTOR = Redactor(CATALOGUE)
LINE = "curl -u bob:hunter22 https://x"
MASKED = "curl -u bob:[redacted:password] https://x"
LINES = st.one_of(
    st.sampled_from([case.line for case in planted(5)]),
    st.sampled_from(ordinary()),
    st.text(max_size=30),
)
VALUES = st.recursive(
    st.one_of(LINES, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "password", "Token", "process_command_line", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def shape(value: Any) -> Any:
    """What of a record has nothing to do with its texts."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return str if isinstance(value, str) else value


def readable(raw: str) -> bool:
    return not isinstance(parse_line(raw.encode("utf-8", "replace")), Rejection)


def test_all_text_of_an_alert_is_masked_but_ids() -> None:
    texts = {"title": LINE, "process": {"command_line": LINE, "pid": 7}, "steps": [LINE, {"sql": LINE}], "late": False}
    ids = {"alert_id": LINE, "event_id": LINE, "host": {"id": LINE}, "group_id": LINE, "tenant_id": LINE}
    masked = {"title": MASKED, "process": {"command_line": MASKED, "pid": 7}, "steps": [MASKED, {"sql": MASKED}]}
    assert REDACTOR.alert(texts | ids) == masked | ids | {"late": False}


@pytest.mark.parametrize("field", ["process_name", "host_name", "matched"])
def test_a_secret_that_steps_repeat_is_masked_there_too(field: str) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    alert = with_steps(candidate(**{field: secret}).alert)
    masked = REDACTOR.alert(alert)
    assert secret in json.dumps(alert["steps"])
    assert secret not in json.dumps(masked)
    assert "[redacted:" in json.dumps(masked["steps"])


@pytest.mark.parametrize("line", [case.line for case in planted(20)] + ordinary()[::40])
def test_steps_are_not_looked_at_where_they_repeat_no_secret(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = with_steps(candidate(process_command_line=line, user_name=line, remote_host=line).alert)
    looked_at: list[str] = []
    masked = SecretText.masked
    monkeypatch.setattr(SecretText, "masked", lambda self, text: (looked_at.append(text), masked(self, text))[1])
    found = Redactor(CATALOGUE).alert(alert)
    assert found["steps"] == alert["steps"]
    assert line in looked_at
    assert not {step["bigquery_sql"] for step in alert["steps"]} & set(looked_at)
    assert REDACTOR._value(alert["steps"]) == alert["steps"]


def test_of_a_verdict_row_only_its_program_is_masked() -> None:
    row = {
        "tenant": LINE,
        "host": LINE,
        "program": LINE,
        "origin": LINE,
        "script": LINE,
        "hour": 5,
        "duplicate_of": None,
    }
    assert REDACTOR.verdict(row) == row | {"program": MASKED, "origin": MASKED, "script": MASKED}


def test_a_dead_letter_is_masked_in_its_detail_and_its_record() -> None:
    letter = {"reason": "malformed", "detail": LINE, "source": "s", "record": 3, "raw": json.dumps({"a": LINE})}
    assert REDACTOR.dead_letter(letter) == letter | {"detail": MASKED, "raw": json.dumps({"a": MASKED})}


def test_a_record_stays_as_it_is_written_but_for_its_secrets() -> None:
    raw = ' {"n" : 1e400, "n": 1.50,"a":"caf\\u00e9 C:\\\\x", "b" :"' + LINE + '","c":[ true,null ]}'
    assert REDACTOR.record(raw) == raw.replace(LINE, MASKED)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"a": 'tool --password "my secret" --next'}),
        json.dumps({"a": 'tool --password "my secret" --next'}).replace("e", "\\u0065"),
        json.dumps({"a": json.dumps({"cmd": 'tool --password "my secret"'})}),
        json.dumps({"a": "1", "password": "my secret"}),
        json.dumps({"Password": "my secret"}, indent=1),
        '{"a": "tool --password=my_secret", "a": "x"}',
        '["tool --password my_secret"]',
        '"tool --password my_secret"',
        'tool --password "my secret"',
        '{"a": "tool --password my_secret',
        'host=a cmd="tool --password my_secret"',
        '{"a": "https:\\/\\/bob:my_secret@x\\/"}',
    ],
)
def test_secrets_of_a_record_are_found_however_it_is_written(raw: str) -> None:
    masked = REDACTOR.record(raw)
    assert "my secret" not in masked
    assert "my_secret" not in masked
    assert "[redacted:" in masked


def test_what_no_mask_can_keep_unreadable_is_masked_whole() -> None:
    raw = '{"a": "tool --password \\q"}'
    assert not readable(raw)
    assert REDACTOR.record(raw) == "[redacted:record]"


@pytest.mark.parametrize("case", planted(2), ids=lambda case: case.line[:40])
def test_a_planted_secret_is_in_no_record(case: Planted) -> None:
    raw = json.dumps({"process_command_line": case.line, "n": 1})
    masked = REDACTOR.record(raw)
    assert not [secret for secret in case.secrets if secret in masked]
    assert json.loads(masked)["n"] == 1


def test_no_record_of_ordinary_lines_is_changed() -> None:
    raws = [json.dumps({"process_command_line": line, "user": "bob@corp.example"}) for line in ordinary()]
    assert [raw for raw in raws if REDACTOR.record(raw) != raw] == []


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_json_stays_the_same_json_but_for_its_texts(value: Any) -> None:
    raw = json.dumps(value)
    masked = REDACTOR.record(raw)
    assert shape(json.loads(masked)) == shape(json.loads(raw))
    assert REDACTOR.record(masked) == masked


@given(
    st.one_of(st.text(max_size=80), LINES, st.tuples(LINES, st.integers(0, 60)).map(lambda a: json.dumps(a)[: a[1]]))
)
@example('{"a": "tool --password \\q"}')
@settings(max_examples=300, deadline=None)
def test_what_is_no_record_does_not_become_one_and_the_other_way_round(raw: str) -> None:
    masked = REDACTOR.record(raw)
    assert readable(masked) == readable(raw)
    assert REDACTOR.record(masked) == masked


@pytest.mark.parametrize(
    "raw",
    [
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "[" * 300_000,
        '"' + '\\"' * 300_000,
        '["' + '","'.join(f"text number {number}" for number in range(50_000)) + '"]',
        '{"password":"a",' * 20_000,
        '"a"' + " " * 300_000 + '"b"' + " " * 300_000,
    ],
    ids=["nested", "brackets", "escapes", "wide", "names", "blanks"],
)
def test_a_long_hostile_record_does_not_hold_a_run_up(raw: str) -> None:
    """Where work grew with the square of these lengths, the test would take hours."""
    masked = REDACTOR.record(raw)
    assert '"password":"a"' not in masked


def test_of_a_record_that_holds_no_secret_every_text_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    masked = SecretText.masked
    monkeypatch.setattr(SecretText, "masked", lambda self, text: looked_at.append(text) or masked(self, text))
    for depth in (100, 1_000, 10_000):
        looked_at.clear()
        raw = '{"a name of some length":' * depth + "1" + "}" * depth
        assert Redactor(CATALOGUE).record(raw) == raw
        assert len(looked_at) <= 2
        assert sum(map(len, looked_at)) <= len(raw) + 100
