"""All campaigns that ship, planted at once and judged as their cards say. Backfills are on Beam's in-process engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.running import catalogue
from uncommon_im.pipeline.cli.commands.evaluate import show
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.lab.evaluation.folder import read_alerts, read_organisation
from uncommon_im.pipeline.lab.evaluation.report import report_of
from uncommon_im.pipeline.lab.evaluation.scoring import Campaign, Score, score
from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CHANGES
from uncommon_im.pipeline.lab.simulation.campaigns.deck import SHIPPED
from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS

FOR_LARGE_ORGANISATIONS = {"raven-in-chrome", "driven-chrome-mac"}
"""They expect that among hundreds of hosts some browsers visit the service."""
CARDS = {card.name: card for card in SHIPPED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organisation with all campaigns, and its run."""
    made = tmp_path_factory.mktemp("all")
    size = ["--hosts", "150", "--days", "60", "--seed", "2", "--background", "thinned"]
    assert main(["simulate", "--output", str(made), *size, "--campaigns", "*"]) == 0
    assert main(["backfill", "--input", f"{made}/events/*.parquet", "--output", f"{made}/run"]) == 0
    return made


@pytest.fixture(scope="module")
def found(folder: Path) -> Score:
    organisation = read_organisation(str(folder), catalogue())
    return score(organisation, read_alerts(str(folder), f"{folder}/run", organisation))


@pytest.fixture(scope="module")
def planted(found: Score) -> Mapping[str, Campaign]:
    return {campaign.name: campaign for campaign in found.organisation.campaigns}


def test_every_campaign_communicates_by_the_process_and_with_the_service_of_its_card(
    found: Score, planted: Mapping[str, Campaign]
) -> None:
    assert set(planted) == {*CARDS, *(change.name for change in CHANGES)}
    communications = found.organisation.communications
    for name, card in CARDS.items():
        program = PROGRAMS[card.hosts.os][card.program] if isinstance(card.program, str) else card.program
        told = {communications[event].activity for event in planted[name].event_ids if event in communications}
        assert {(each.program, each.service) for each in told} == {(program.name.lower(), card.service)}, name
        assert (planted[name].kind, planted[name].malicious) == (card.kind, card.malicious)


def test_the_detector_makes_of_every_campaign_what_its_card_expects(found: Score) -> None:
    told = {
        each.campaign.name: (each.campaign.expected, {alert.variation for alert in each.alerts} or {"none"})
        for each in found.campaigns
    }
    assert {name for name, (expected, got) in told.items() if got != {expected}} <= FOR_LARGE_ORGANISATIONS


def test_every_class_of_malicious_campaigns_has_a_row_and_what_was_missed_is_named(found: Score) -> None:
    rows = {row["class"]: row for row in report_of([found])["recall_by_class"]}
    assert set(rows) == {card.kind for card in SHIPPED if card.malicious}
    assert rows["inside-client"]["missed"] == {card.name: 1 for card in SHIPPED if card.kind == "inside-client"}
    assert (rows["inside-client"]["recall"]["value"], rows["stealer"]["recall"]["value"]) == (0, 1)
    for name, row in rows.items():
        assert row["planted"] == sum(card.kind == name for card in SHIPPED)
        assert row["detected"] == row["planted"] - sum(row["missed"].values())


def test_harmless_campaigns_are_never_attacks_however_many_alerts_there_are(found: Score) -> None:
    communications = found.organisation.communications
    malicious = [each.campaign for each in found.campaigns if each.campaign.malicious]
    events = [event for campaign in malicious for event in campaign.event_ids if event in communications]
    attacks = {communications[event].activity for event in events}
    alerts = [alert for each in found.campaigns if not each.campaign.malicious for alert in each.alerts]
    assert len(alerts) > 50
    assert [alert for alert in alerts if found.is_true(alert)] == [
        alert for alert in alerts if communications[alert.event_id].activity in attacks
    ]
    assert sum(map(found.is_true, alerts)) < 5  # where an attack shares hour, host, program and service


def test_the_table_names_classes_and_what_was_missed(
    found: Score, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    show(report_of([found, found]))
    lines = [line for line in capsys.readouterr().out.splitlines() if "inside-client" in line]
    assert "0 of 10" in lines[0]
    assert "convoc2 (2), darkgate-teams (2)" in lines[0]
