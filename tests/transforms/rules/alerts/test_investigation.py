"""The three questions, answered: where the event reports what they need, and where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transforms.rules.candidates import NOON, candidate
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.alerts.investigation import REASONS_IN_WORDS

SHOWN = {"other_hosts": 2, "host_days": 1, "active_days": 3, "first_day": 20_000, "last_day": 20_010}
FIGURES = SHOWN | {"first_day": "2024-10-04", "last_day": "2024-10-14"}
SIGNED = {"process_signature_status": "signed", "process_signer": "Telegram FZ-LLC", "os": "windows"}
COMPLETE = SIGNED | {
    "process_name": "Telegram.exe",
    "process_sha256": "ab" * 32,
    "parent_process_name": "explorer.exe",
    "causality_process_name": "explorer.exe",
}


def investigation(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = candidate(**more).alert["investigation"]
    return found


def missing(**more: Any) -> list[str]:
    return [each["what"] for each in investigation(**more)["missing"]]


def test_figures_of_every_subject_are_there_and_nothing_is_missing_if_the_event_says_all() -> None:
    shown = dict.fromkeys(("communication", "parentage", "binary", "hour_of_day"), SHOWN)
    found = investigation(shown=shown, **COMPLETE)
    assert found["application"]["program"] == found["application"]["binary"] == FIGURES
    assert found["parent"]["parentage"] == FIGURES
    assert found["application"]["execution"] is None
    assert investigation(shown={"execution": SHOWN}, fingerprint="python|stdin")["application"]["execution"] == FIGURES
    days = {name: FIGURES[name] for name in ("active_days", "first_day", "last_day")}
    assert found["time"]["service_at_this_hour"] == days
    assert found["missing"] == []


def test_what_the_event_does_not_report_is_null_and_listed_as_missing() -> None:
    found = investigation(shown={"hour_of_day": SHOWN}, coverage=20)
    assert found["application"]["binary"] is found["parent"]["parentage"] is found["application"]["signer"] is None
    assert [each["what"] for each in found["missing"]] == [
        "application.signature_status",
        "application.signer",
        "application.binary",
        "parent.parentage",
        "parent.causality",
        "time.covered_days",
    ]
    assert found["missing"][-1]["why"].startswith("only 20 of the 30 days of the window have telemetry")


def test_an_activity_of_a_stream_that_had_not_learned_services_yet_says_so() -> None:
    learned, not_yet = ({"service_use": figures} for figures in (SHOWN, None))
    assert investigation(shown=learned)["service"] == FIGURES
    assert "service" not in missing(shown=learned)
    assert investigation(shown=not_yet)["service"] is None
    assert "service" in missing(shown=not_yet)


def test_an_activity_of_a_stream_that_had_not_learned_hours_yet_says_so() -> None:
    assert investigation()["time"]["service_at_this_hour"] is None
    assert "time.service_at_this_hour" in missing()


def test_a_program_that_nobody_signed_lacks_no_signer() -> None:
    assert "application.signer" not in missing(process_signature_status="unsigned")
    assert "application.signer" in missing(process_signature_status="signed")
    assert "application.signature_status" in missing(process_signature_status="unknown")


@pytest.mark.parametrize(
    ("evidence", "own", "client_of", "known_by"),
    [
        (COMPLETE, True, "telegram", "signature"),
        (COMPLETE | {"process_signer": None}, True, "telegram", "name"),
        (COMPLETE | {"process_signer": "Acme Corp"}, False, None, None),
        (COMPLETE | {"process_signature_status": "invalid"}, False, None, None),
        (COMPLETE | {"process_name": "Discord.exe", "process_signer": "Discord Inc."}, False, "discord", "signature"),
        (COMPLETE | {"process_name": "curl.exe"}, False, None, None),
    ],
)
def test_it_says_whose_client_the_program_is_and_how_that_is_known(
    evidence: dict[str, Any], own: bool, client_of: str | None, known_by: str | None
) -> None:
    application = investigation(**evidence)["application"]
    said = application["own_client"], application["client_of"], application["client_known_by"]
    assert said == (own, client_of, known_by)


@pytest.mark.parametrize(
    ("owner", "parent", "chain"),
    [
        ("winword.exe", "cmd.exe", ["winword.exe", "cmd.exe", "app"]),
        ("C:\\Windows\\CMD.EXE", "cmd.exe", ["cmd.exe", "app"]),
        ("APP", "launchd", ["launchd", "app"]),
        (None, "/sbin/launchd", ["launchd", "app"]),
        ("cron", None, ["cron", "app"]),
        (None, "C:\\", ["app"]),
    ],
)
def test_the_chain_names_each_once_by_its_base_name(owner: str | None, parent: str | None, chain: list[str]) -> None:
    found = investigation(causality_process_name=owner, parent_process_name=parent)
    assert found["parent"]["chain"] == chain


@pytest.mark.parametrize(
    ("zone", "local_time", "hour", "weekday", "weekend"),
    [
        ("UTC", "2026-03-01T12:00:00+00:00", 12, "Sunday", True),
        ("Asia/Kolkata", "2026-03-01T17:30:00+05:30", 17, "Sunday", True),
        ("Pacific/Auckland", "2026-03-02T01:00:00+13:00", 1, "Monday", False),
    ],
)
def test_hour_weekday_and_weekend_are_those_of_the_time_zone(
    zone: str, local_time: str, hour: int, weekday: str, weekend: bool
) -> None:
    time = investigation(time_zone=zone, event_time=NOON)["time"]
    assert (time["time_zone"], time["local_time"], time["hour_utc"]) == (zone, local_time, 12)
    assert (time["hour"], time["weekday"], time["weekend"]) == (hour, weekday, weekend)


def test_every_reason_of_suspicion_is_said_in_words() -> None:
    classes = load_catalogue().classes
    engines = load_catalogue().engine_classes
    reasons = {c.id for c in classes if c.role == "suspicious" and c.id not in engines}
    reasons |= {"unsigned", "untrusted_path", "masquerading", "double_extension", "office_child"}
    assert set(REASONS_IN_WORDS) == reasons
    application = investigation(reasons="shell,unsigned")["application"]
    assert application["reasons"] == ["it is a shell", "it has no valid signature"]
