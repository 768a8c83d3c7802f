"""Alerts as OCSF has them, against the schema that the package `ocsf-json-schema` carries; runs are in-process."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from tests.oracle import Options
from tests.organisations import random_organisation
from tests.running import configuration_of, run_records
from uncommon_im.transforms.rules.alerts.formats.ocsf import VERSION, detection_finding

EVENT = {
    "event_id": "e1",
    "event_time": "2026-03-01T10:00:00.123456Z",
    "host_id": "h1",
    "host_name": "h1.corp.example",
    "os": "windows",
    "user_name": "CORP\\al",
    "process_name": "courier.exe",
    "process_path": "C:\\Tools\\courier.exe",
    "process_command_line": "courier.exe --send",
    "process_sha256": "0a" * 32,
    "process_pid": 77,
    "process_signature_status": "signed",
    "process_signer": "Courier Ltd",
    "parent_process_name": "cmd.exe",
    "parent_process_command_line": "cmd.exe /c courier",
    "causality_process_name": "explorer.exe",
    "remote_host": "api.telegram.org",
    "remote_ip": "149.154.167.220",
    "remote_port": 443,
}
LEAST = {"event_time": "2026-03-01T10:00:00Z", "host_id": "h1", "process_name": "x", "remote_host": "t.me"}
TYPES = {1: "hostname_t", 2: "ip_t", 4: "username_t", 8: "file_hash_t", 9: "process_name_t", 45: "file_path_t"}


@cache
def validator() -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION)).get_class_schema("detection_finding", ["host"])
    return Draft202012Validator(schema)


def problems(finding: dict[str, Any]) -> list[str]:
    return [f"{list(error.path)}: {error.message}" for error in validator().iter_errors(finding)]


def alert_of(event: dict[str, Any]) -> dict[str, Any]:
    (alert,) = run_records([event], configuration_of(Options(activation_days=0))).alerts
    return alert


@pytest.mark.parametrize("seed", range(6))
def test_alerts_of_random_organisations_are_valid_detection_findings(seed: int) -> None:
    organisation = random_organisation(seed)
    alerts = run_records(organisation.records, configuration_of(organisation.options)).alerts
    assert alerts
    assert [found for alert in alerts for found in problems(detection_finding(alert))] == []


@pytest.mark.parametrize(
    "event",
    [
        EVENT,
        LEAST,
        LEAST | {"remote_host": None, "remote_ip": "2001:67c:4e8::9"},
        EVENT | {"remote_port": 70_000, "process_sha256": "not hex", "os": "solaris"},
        EVENT | {"process_pid": None, "process_command_line": "x" * 70_000, "user_name": None},
    ],
)
def test_an_alert_of_much_or_little_is_a_valid_detection_finding(event: dict[str, Any]) -> None:
    assert (
        problems(detection_finding(alert_of({name: value for name, value in event.items() if value is not None}))) == []
    )


def test_the_validator_refuses_what_is_none() -> None:
    finding = detection_finding(alert_of(EVENT))
    assert problems(finding | {"severity_id": 42})
    assert problems(finding | {"surprise": 1})
    assert problems({name: value for name, value in finding.items() if name != "finding_info"})
    assert problems(finding | {"actor": {"process": {"name": "no id"}}})


def test_what_an_alert_says_is_where_ocsf_has_it() -> None:
    alert = alert_of(EVENT)
    finding = detection_finding(alert)
    assert (finding["class_uid"], finding["type_uid"], finding["metadata"]["version"]) == (2004, 200401, "1.5.0")
    assert (finding["severity"], finding["severity_id"]) == ("Informational", 1)
    assert finding["time"] == 1772359200123
    info = finding["finding_info"]
    assert (info["uid"], info["title"], info["desc"]) == (alert["alert_id"], alert["title"], alert["description"])
    assert info["attacks"][0]["technique"] == {"uid": "T1102", "name": "Web Service"}
    assert finding["metadata"]["correlation_uid"] == alert["group_id"]
    assert finding["metadata"]["tenant_uid"] == "default"
    assert finding["device"]["uid"] == "h1"
    assert finding["device"]["os"]["type_id"] == 100
    process = finding["actor"]["process"]
    assert (process["pid"], process["cmd_line"]) == (77, "courier.exe --send")
    assert process["file"]["hashes"][0]["value"] == "0a" * 32
    assert process["parent_process"]["cmd_line"] == "cmd.exe /c courier"
    assert process["ancestry"][0]["uid"] == "e1/causality"
    (evidence,) = finding["evidences"]
    assert evidence["uid"] == "e1"
    assert evidence["dst_endpoint"] == {
        "hostname": "api.telegram.org",
        "ip": "149.154.167.220",
        "port": 443,
        "svc_name": "Telegram",
    }


def test_subtechniques_are_attacks_of_their_own() -> None:
    told = [{"id": "T1036.007", "name": "Double File Extension", "because": "double_extension"}]
    alert = alert_of(EVENT)
    finding = detection_finding(alert | {"attack": alert["attack"] | {"subtechniques": told}})
    assert problems(finding) == []
    assert finding["finding_info"]["attacks"][1:] == [
        {"sub_technique": {"uid": "T1036.007", "name": "Double File Extension"}}
    ]


def test_observables_are_of_the_type_that_ocsf_gives_their_number() -> None:
    schema = get_ocsf_schema(VERSION)
    captions = schema["objects"]["observable"]["attributes"]["type_id"]["enum"]
    observables = detection_finding(alert_of(EVENT))["observables"]
    assert len(observables) == 8
    for observable in observables:
        assert captions[str(observable["type_id"])]["caption"] == observable["type"]
        if observable["type_id"] in TYPES:
            assert schema["types"][TYPES[observable["type_id"]]]["observable"] == observable["type_id"]


def test_what_ocsf_has_no_place_for_is_unmapped_under_its_own_name() -> None:
    alert = alert_of(EVENT) | {"new_field": {"a": None}}
    unmapped = detection_finding(alert)["unmapped"]
    whole = (
        "variation",
        "baseline",
        "investigation",
        "suspicion_reasons",
        "service",
        "activity",
        "run_id",
        "timestamp",
    )
    for name in (*whole, "config_digest", "group_saturated", "late", "new_field"):
        assert unmapped[name] == alert[name]
    assert unmapped["process"] == {
        name: alert["process"][name] for name in ("signature_status", "signer", "origin", "script", "completed_from")
    }
    assert unmapped["destination"] == {"attribution": "domain", "matched": "api.telegram.org"}


def test_values_that_ocsf_does_not_take_are_unmapped() -> None:
    unmapped = detection_finding(alert_of(EVENT | {"remote_port": 70_000, "process_sha256": "not hex"}))["unmapped"]
    assert unmapped["destination"]["port"] == 70_000
    assert unmapped["process"]["sha256"] == "not hex"
