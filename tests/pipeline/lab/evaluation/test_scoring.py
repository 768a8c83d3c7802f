"""Scoring alerts against what was planted. No engine: organisations of a few communications, made by hand."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from uncommon_im.pipeline.lab.evaluation.report import precision, rate, recall, report_of
from uncommon_im.pipeline.lab.evaluation.scoring import (
    LEARNING_DAYS,
    Activity,
    Alert,
    Campaign,
    Communication,
    Organisation,
    Score,
    Subject,
    score,
)
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US, SECOND_US

FIRST_DAY = 20_000
DAYS = 34
STEALER = Campaign("stealer", "A stealer", "T1567", True, "suspicious_process", ("steal-1", "steal-2", "start"))
WORM = Campaign("worm", "A worm", "T1570", True, "suspicious_process", ("worm-1", "worm-2"))
BOT = Campaign("bot", "A developer's bot", "", False, "base", ("bot-1",))
ORDINARY = tuple(f"ordinary-{number}" for number in range(45))


def at(day: int, hour: float) -> int:
    """µs since 1970 of an hour of a day of the telemetry."""
    return (FIRST_DAY + day) * DAY_US + round(hour * HOUR_US)


def communication(host: str, program: str, time: int, script: str = "", reduced: str = "") -> Communication:
    activity = Activity(host, program, "unsigned:", script, "telegram", time // HOUR_US)
    return Communication(activity, Subject(host, program, "unsigned:", reduced or script, "telegram"), time)


COMMUNICATIONS = {
    "steal-1": communication("h1", "stealer.exe", at(20, 9)),
    "steal-2": communication("h1", "stealer.exe", at(20, 9.5)),
    "worm-1": communication("h2", "worm.exe", at(25, 13)),
    "worm-2": communication("h3", "worm.exe", at(25, 15)),
    "bot-1": communication("h4", "node", at(26, 9)),
    **{name: communication(f"h{number % 10}", "chrome.exe", at(15, number)) for number, name in enumerate(ORDINARY)},
}
ORGANISATION = Organisation(10, FIRST_DAY, DAYS, COMMUNICATIONS, [BOT, STEALER, WORM])


def scored(*event_ids: str, organisation: Organisation = ORGANISATION) -> Score:
    return score(organisation, [Alert(event_id, "Low", "base") for event_id in event_ids])


def first_events(organisation: Organisation) -> list[str]:
    """An event of each activity."""
    return list({told.activity: event_id for event_id, told in reversed(organisation.communications.items())}.values())


def test_a_detector_that_alerts_on_everything_finds_everything_with_the_precision_of_chance() -> None:
    everything = scored(*first_events(ORGANISATION))
    assert all(each.detected for each in everything.campaigns)
    assert recall([everything]).value == 1
    activities = 1 + 2 + 1 + len(ORDINARY)
    assert len(everything.alerts) == activities
    assert precision([everything]).value == pytest.approx(3 / activities)
    assert rate([everything], lambda score, alert: True).value == pytest.approx(activities * 1000 / (10 * 20))


def test_a_detector_that_alerts_on_nothing_finds_nothing_and_has_no_precision() -> None:
    nothing = scored()
    assert recall([nothing]).value == 0
    assert precision([nothing]).value is None
    assert rate([nothing], lambda score, alert: True).value == 0
    report = report_of([nothing])
    assert (report["precision"]["all"]["value"], report["precision"]["by_severity"]) == (None, {})
    assert [each["seconds_to_first_alert"] for each in report["campaigns"]] == [None, None, None]


def test_an_alert_belongs_to_a_campaign_whichever_event_of_the_activity_it_names() -> None:
    late = scored("steal-2")
    [stealer] = [each for each in late.campaigns if each.campaign is STEALER]
    assert (stealer.detected, stealer.hidden, stealer.delay_seconds) == (True, False, 1800)
    assert late.is_true(late.alerts[0])


def test_an_alert_before_the_campaign_in_the_same_activity_finds_it_without_delay() -> None:
    told = COMMUNICATIONS | {
        "before": communication("h1", "stealer.exe", at(20, 9)),
        "steal-1": communication("h1", "stealer.exe", at(20, 9.25)),
    }
    found = scored("before", organisation=replace(ORGANISATION, communications=told, campaigns=[STEALER]))
    assert found.campaigns[0].delay_seconds == 0


@pytest.mark.parametrize(
    ("host", "program", "hours_before"), [("h9", "stealer.exe", 0), ("h1", "chrome.exe", 0), ("h1", "stealer.exe", -1)]
)
def test_an_alert_about_another_host_program_or_hour_finds_nothing(
    host: str, program: str, hours_before: float
) -> None:
    other = communication(host, program, at(20, 9 - hours_before))
    organisation = replace(ORGANISATION, communications=COMMUNICATIONS | {"other": other})
    found = scored("other", organisation=organisation)
    assert not any(each.detected for each in found.campaigns)
    assert not found.is_true(found.alerts[0])


@pytest.mark.parametrize(("hours_before", "detected"), [(1, True), (23.9, True), (24, False), (30, False)])
def test_a_campaign_that_deduplication_hides_is_detected_within_a_day(hours_before: float, detected: bool) -> None:
    told = {
        "earlier": communication("h1", "python.exe", at(20, 9.5 - hours_before), "python|inline:1", "python|inline"),
        "steal-1": communication("h1", "python.exe", at(20, 9.5), "python|inline:2", "python|inline"),
    }
    organisation = replace(ORGANISATION, communications=told, campaigns=[STEALER])
    [stealer] = scored("earlier", organisation=organisation).campaigns
    assert (stealer.detected, stealer.hidden, stealer.alerts) == (detected, detected, [])
    assert stealer.delay_seconds == (0 if detected else None)


def test_an_earlier_alert_about_nothing_malicious_stays_false_though_it_hides_a_campaign() -> None:
    earlier = communication("h1", "stealer.exe", at(20, 5))
    found = scored("earlier", organisation=replace(ORGANISATION, communications=COMMUNICATIONS | {"earlier": earlier}))
    assert precision([found]).value == 0


def test_harmless_campaigns_count_neither_for_recall_nor_for_precision() -> None:
    found = scored("bot-1")
    assert recall([found]).value == 0
    assert precision([found]).value == 0
    assert [each.campaign.name for each in found.campaigns if each.detected] == ["bot"]


def test_a_campaign_without_a_communication_is_not_scored() -> None:
    silent = Campaign("gap", "A gap", "", False, "none", ())
    found = scored(organisation=replace(ORGANISATION, campaigns=[silent, STEALER]))
    assert [each.campaign.name for each in found.campaigns] == ["stealer"]


def test_alerts_of_the_learning_days_are_counted_apart() -> None:
    early = communication("h5", "chrome.exe", at(LEARNING_DAYS, 0) - 1)
    first = communication("h5", "chrome.exe", at(LEARNING_DAYS, 0))
    organisation = replace(ORGANISATION, communications={"early": early, "first": first})
    found = scored("early", "first", organisation=organisation)
    assert [alert.event_id for alert in found.learning] == ["early"]
    assert [alert.event_id for alert in found.alerts] == ["first"]
    assert found.host_days == 10 * (DAYS - LEARNING_DAYS)


def test_figures_are_told_apart_by_variation_and_severity() -> None:
    alerts = [
        Alert("steal-1", "Low", "suspicious_process"),
        Alert("bot-1", "Informational", "base"),
        Alert("worm-1", "Informational", "base"),
    ]
    report = report_of([score(ORGANISATION, alerts)])
    by_variation = report["alerts_per_1000_hosts_per_day"]["by_variation"]
    assert {name: estimate["value"] for name, estimate in by_variation.items()} == {
        "base": 10,
        "suspicious_process": 5,
    }
    by_severity = report["precision"]["by_severity"]
    assert {name: estimate["value"] for name, estimate in by_severity.items()} == {"Informational": 0.5, "Low": 1}


def test_recall_is_told_apart_by_severity_and_by_the_variation_that_was_expected() -> None:
    alerts = [Alert("steal-1", "Low", "suspicious_process"), Alert("worm-1", "Informational", "base")]
    report = report_of([score(ORGANISATION, alerts)])
    by_severity = {name: estimate["value"] for name, estimate in report["recall_by_severity"].items()}
    assert (report["recall"]["value"], by_severity) == (1, {"Informational": 0.5, "Low": 0.5})
    assert report["told_as_expected"].keys() == {"suspicious_process"}
    assert report["told_as_expected"]["suspicious_process"]["value"] == 0.5


def test_recall_is_told_apart_by_class_and_what_was_missed_is_named() -> None:
    classes = {"stealer": "stealer", "worm": "implant", "bot": "developer"}
    named = [msgspec.structs.replace(each, kind=classes[each.name]) for each in ORGANISATION.campaigns]
    organisation = replace(ORGANISATION, campaigns=[*named, msgspec.structs.replace(named[1], name="thief")])
    rows = report_of([scored("worm-1", organisation=organisation)] * 2)["recall_by_class"]
    assert [(row["class"], row["detected"], row["planted"], row["missed"]) for row in rows] == [
        ("implant", 2, 2, {}),
        ("stealer", 0, 4, {"stealer": 2, "thief": 2}),
    ]
    assert rows[0]["recall"]["low"] == pytest.approx(0.342, abs=0.001)


def test_campaigns_of_labels_without_classes_have_one_row_together() -> None:
    (row,) = report_of([scored("worm-1")])["recall_by_class"]
    assert (row["class"], row["detected"], row["planted"]) == ("", 1, 2)


def test_campaigns_are_added_up_over_organisations() -> None:
    report = report_of([scored("worm-2", "steal-1"), scored("worm-1", "worm-2")])
    worm = next(each for each in report["campaigns"] if each["campaign"] == "worm")
    assert (worm["planted"], worm["detected"]) == (2, 2)
    assert worm["seconds_to_first_alert"] == {"median": 3600, "most": 7200}
    assert worm["alerts"] == {"median": 1.5, "most": 2}
    assert worm["share_detected"]["low"] == pytest.approx(0.342, abs=0.001)
    assert report["recall"]["value"] == 0.75


def test_a_campaign_on_several_hosts_says_how_many_of_them_an_alert_names() -> None:
    worm = next(each for each in scored("worm-2").campaigns if each.campaign is WORM)
    assert (worm.detected, worm.hosts, worm.alerted_hosts) == (True, 2, 1)


def test_the_delay_counts_seconds() -> None:
    told = COMMUNICATIONS | {"steal-2": communication("h1", "stealer.exe", at(20, 9) + 7 * SECOND_US)}
    [stealer] = scored(
        "steal-2", organisation=replace(ORGANISATION, communications=told, campaigns=[STEALER])
    ).campaigns
    assert stealer.delay_seconds == 7
