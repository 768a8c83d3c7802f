"""Alerts as ECS, Splunk's HEC, CEF and compact have them, against what their owners publish. Runs are in-process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.docs.test_alert_samples import alerts_shown
from tests.oracle import Options
from tests.organisations import random_organisation
from tests.running import configuration_of, run_records
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, NATIVE, document_of, text_of
from uncommon_im.transforms.rules.alerts.formats.cef import cef_line
from uncommon_im.transforms.rules.alerts.formats.compact import compact
from uncommon_im.transforms.rules.alerts.formats.ecs import OWN, ecs_document
from uncommon_im.transforms.rules.alerts.formats.splunk import hec_event
from uncommon_im.transforms.rules.alerts.formats.written import document_in

ECS_FIELDS: Final[dict[str, str]] = {
    **dict.fromkeys(("@timestamp", "event.start"), "date"),
    **dict.fromkeys(("destination.ip", "related.ip"), "ip"),
    **dict.fromkeys(
        ("event.severity", "process.pid", "destination.port", "destination.bytes", "source.bytes"),
        "long",
    ),
    "event.risk_score": "float",
    "process.code_signature.exists": "boolean",
    **dict.fromkeys(
        (
            *("ecs.version", "message", "organization.id", "user.name", "network.direction", "network.application"),
            *("event.id", "event.kind", "event.category", "event.type", "event.module", "event.dataset"),
            *("event.provider", "event.code", "event.reason"),
            *("observer.vendor", "observer.product", "observer.version"),
            *("rule.id", "rule.name", "rule.version", "rule.category"),
            *("threat.framework", "threat.tactic.id", "threat.tactic.name"),
            *("threat.technique.id", "threat.technique.name"),
            *("threat.technique.subtechnique.id", "threat.technique.subtechnique.name"),
            *("host.id", "host.name", "host.hostname", "host.os.type"),
            *("process.name", "process.executable", "process.command_line", "process.hash.sha256"),
            *("process.code_signature.subject_name", "process.code_signature.status"),
            *("process.parent.name", "process.parent.command_line"),
            *("process.group_leader.name", "process.group_leader.command_line"),
            *("destination.address", "destination.domain", "related.hosts", "related.user", "related.hash"),
        ),
        "text",
    ),
}
"""Field -> type, as generated/csv/fields.csv of https://github.com/elastic/ecs has them; `text` stands for keyword,
wildcard and match_only_text."""
ECS_LISTS: Final = ("threat.tactic", "threat.technique", "related.", "event.category", "event.type")
"""Fields that ECS wants as lists."""
TYPES: Final = {"text": str, "date": str, "ip": str, "long": int, "float": float, "boolean": bool}
CEF_HEADER: Final = re.compile(r"CEF:0((?:\|(?:[^|\\]|\\[|\\])*){6})\|(.*)", re.DOTALL)
CEF_PAIRS: Final = re.compile(r"(\w+)=((?:[^=\\\r\n]|\\[=\\rn])*?)(?= \w+=|$)")
CEF_KEYS: Final = frozenset(
    (
        *(
            "externalId",
            "start",
            "msg",
            "cat",
            "deviceDirection",
            "deviceExternalId",
            "shost",
            "suser",
            "sproc",
            "spid",
        ),
        *("filePath", "fileHash", "dhost", "dst", "dpt", "destinationServiceName", "out", "in", "cnt", "c6a3"),
        *(f"cs{number}" for number in range(1, 7)),
        *("cn1", "cn2", "c6a3Label", "cn1Label", "cn2Label"),
        *(f"cs{number}Label" for number in range(1, 7)),
    )
)
"""Keys of CEF's dictionary."""
ODD: Final = st.text(alphabet=st.sampled_from('a|=\\\n\r\t"{}é\u2028 ='), max_size=40)


def alerts() -> Iterator[dict[str, Any]]:
    """Alerts of random organisations, and those of the documentation."""
    for seed in range(2):
        organisation = random_organisation(seed)
        yield from run_records(organisation.records, configuration_of(organisation.options)).alerts
    yield from alerts_shown().values()


@pytest.fixture(scope="module", name="found")
def _found() -> list[dict[str, Any]]:
    return list(alerts())


@pytest.fixture(scope="module", name="least")
def _least() -> dict[str, Any]:
    event = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "x", "remote_host": "t.me"}
    (alert,) = run_records([event], configuration_of(Options(activation_days=0))).alerts
    return alert


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from leaves(below, f"{name}.{key}" if name else key)
    else:
        yield name, value


def ecs_problems(document: dict[str, Any]) -> Iterator[str]:
    for name, value in leaves({key: below for key, below in document.items() if key != OWN}):
        kind = ECS_FIELDS.get(name)
        if kind is None:
            yield f"{name} is no field of ECS"
            continue
        if isinstance(value, list) != name.startswith(ECS_LISTS):
            yield f"{name} is a list or should be one"
        for each in value if isinstance(value, list) else [value]:
            if type(each) is not TYPES[kind]:
                yield f"{name} should be {kind}: {each!r}"
            if kind == "ip":
                ip_address(each)


def test_ecs_documents_have_fields_of_ecs_alone_with_their_types(found: list[dict[str, Any]]) -> None:
    assert len(found) > 10
    assert [problem for alert in found for problem in ecs_problems(ecs_document(alert))] == []
    assert {name for alert in found for name, _ in leaves(ecs_document(alert)) if not name.startswith(OWN)} == set(
        ECS_FIELDS
    ), "and each of them is tried"


@pytest.mark.parametrize("wrong", [{"event": {"kind": 1}}, {"host": {"nme": "x"}}, {"related": {"ip": "10.0.0.1"}}])
def test_a_document_with_another_field_or_type_would_be_found(wrong: dict[str, Any]) -> None:
    assert list(ecs_problems(wrong))


def test_what_ecs_has_no_field_for_is_kept_under_the_alerts_own_names(found: list[dict[str, Any]]) -> None:
    for alert in found:
        own = ecs_document(alert)[OWN]
        for name in ("group_id", "severity", "priority_parts", "investigation", "steps", "baseline", "service"):
            assert own[name] == alert[name]


def test_values_that_ecs_cannot_hold_are_kept_where_it_can(least: dict[str, Any]) -> None:
    strange = least | {
        "destination": least["destination"] | {"ip": "no address", "port": 99_999},
        "process": least["process"] | {"sha256": "md5:1"},
    }
    document = ecs_document(strange)
    assert list(ecs_problems(document)) == []
    assert document[OWN]["destination"]["ip"] == "no address"
    assert document[OWN]["destination"]["port"] == 99_999
    assert document[OWN]["process"]["sha256"] == "md5:1"


def test_hec_events_have_the_envelopes_keys_and_flat_fields(found: list[dict[str, Any]]) -> None:
    for alert in found:
        event = hec_event(alert)
        assert list(event) == ["time", "host", "source", "sourcetype", "event", "fields"]
        assert isinstance(event["time"], float)
        assert event["event"] == alert
        assert all(isinstance(value, str) for value in (*event["fields"].values(), event["host"], event["source"]))


def test_the_time_of_a_hec_event_is_seconds_since_1970(least: dict[str, Any]) -> None:
    assert hec_event(least | {"timestamp": "2026-03-01T10:00:00.123456Z"})["time"] == 1_772_359_200.123


def cef_read(line: str) -> tuple[list[str], dict[str, str]]:
    """A line as a reader of CEF takes it: (fields of the header, extension)."""
    assert "\n" not in line
    assert "\r" not in line
    matched = CEF_HEADER.fullmatch(line)
    assert matched, line
    header = re.findall(r"\|((?:[^|\\]|\\[|\\])*)", matched[1])
    unescape = {"\\\\": "\\", "\\=": "=", "\\n": "\n", "\\r": "\r", "\\|": "|"}

    def plain(text: str) -> str:
        return re.sub(r"\\.", lambda found: unescape[found[0]], text)

    return [plain(each) for each in header], {key: plain(value) for key, value in CEF_PAIRS.findall(matched[2])}


def test_cef_lines_have_a_header_of_seven_and_keys_of_the_dictionary(found: list[dict[str, Any]]) -> None:
    for alert in found:
        header, extension = cef_read(cef_line(alert))
        assert header == [
            "uncommon-im",
            "uncommon-im",
            alert["detector_version"],
            alert["variation"],
            alert["title"],
            "3" if alert["severity"] == "Low" else "1",
        ]
        assert extension.keys() <= CEF_KEYS
        assert extension["externalId"] == alert["alert_id"]
        assert extension["msg"] == alert["description"][:1023]
        assert all(f"{key}Label" in extension for key in extension if re.fullmatch(r"(cs|cn|c6a)\d", key))


@given(user=ODD, command=ODD, title=ODD, host=ODD)
def test_whatever_text_telemetry_holds_a_reader_of_cef_gets_it_back(
    least: dict[str, Any], user: str, command: str, title: str, host: str
) -> None:
    alert = least | {"user_name": user, "title": title, "destination": least["destination"] | {"host": host}}
    alert["process"] = alert["process"] | {"command_line": command}
    header, extension = cef_read(cef_line(alert))
    assert header[4] == " ".join(title.split())
    for key, value in (("suser", user), ("cs3", command), ("dhost", host)):
        assert extension[key] == value or value != value.strip() or not value, "blanks around a value say nothing"


def test_an_address_of_ipv6_has_a_key_of_its_own(least: dict[str, Any]) -> None:
    alert = least | {"destination": least["destination"] | {"ip": "2001:67c:4e8:f004::9"}}
    _, extension = cef_read(cef_line(alert))
    assert extension["c6a3"] == "2001:67c:4e8:f004::9"
    assert "dst" not in extension


def test_long_values_are_cut_in_cef_and_in_no_other_format(least: dict[str, Any]) -> None:
    alert = least | {"user_name": "=" * 5000}
    _, extension = cef_read(cef_line(alert))
    assert extension["suser"] == "=" * 1023
    assert all("=" * 5000 in text_of(alert, each) for each in ALERT_FORMATS if each != "cef")


def test_compact_alerts_are_flat_and_small(found: list[dict[str, Any]]) -> None:
    for alert in found:
        flat = compact(alert)
        assert all(isinstance(value, str | int) for value in flat.values())
        assert flat["alert_id"] == alert["alert_id"]
    assert max(len(json.dumps(compact(alert))) for alert in found) < 3_000


@pytest.mark.parametrize("alert_format", ALERT_FORMATS)
def test_a_line_in_a_format_says_which_alert_it_is_and_a_native_one_is_converted(
    alert_format: str, found: list[dict[str, Any]]
) -> None:
    for alert in found[:10]:
        document = document_of(alert, alert_format)
        assert "\n" not in document.text
        assert document_in(document.text, alert_format) == document
        assert document_in(text_of(alert, NATIVE), alert_format) == document


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", "null", "CEF:0|", '{"event": []}', '{"event": {"id": 3}}', "{" * 9999]
)
@pytest.mark.parametrize("alert_format", ALERT_FORMATS)
def test_a_line_that_is_no_alert_is_refused(line: str, alert_format: str) -> None:
    with pytest.raises(ValueError, match="alert"):
        document_in(line, alert_format)


def test_an_alert_of_another_format_is_refused(least: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither an alert in the format ecs nor a native one"):
        document_in(text_of(least, "ocsf"), "ecs")
