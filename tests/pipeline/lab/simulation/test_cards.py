"""Cards: all that ship are whole and of their word, those of one's own need no code, and mistakes in them are named."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT
from tests.running import catalogue
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.lab.simulation.campaigns.acts import ACTS
from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CHANGES, DEFAULT, Campaign
from uncommon_im.pipeline.lab.simulation.campaigns.deck import SHIPPED, campaign_of, chosen, select
from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS, Program
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import image_of
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.recognition.command_line import Engines
from uncommon_im.transforms.rules.recognition.destination import Destinations

Document = dict[str, Any]

FILES = sorted((ROOT / "pipeline" / "lab" / "simulation" / "campaigns" / "cards").glob("*.yaml"))
MALICIOUS = {
    "curl", "driven-browser", "hollowed-dotnet", "implant", "injected-browser", "inside-client", "known-script",
    "masquerading", "matrix", "node", "own-certificate", "real-client", "scripting-engine", "server-linux",
    "side-loading", "stealer", "system-tool", "teams", "there-before", "whatsapp", "zulip",
}  # fmt: skip
HARMLESS = {
    "browser-visit", "ci-notifier", "developer", "helpdesk", "link-preview", "merger", "monitoring", "new-hosts",
    "roll-out", "updater",
}  # fmt: skip
OWN: Document = {
    "title": "A test's implant",
    "class": "of-the-test",
    "malicious": True,
    "technique": "T1102.002",
    "sources": ["a test"],
    "stated": ["service", "process"],
    "platforms": ["windows"],
    "service": "viber",
    "engine": "",
    "hosts": {"os": "windows"},
    "program": {"path": "C:\\Tools\\vb.exe", "status": "unsigned", "parent": ["cmd.exe", "cmd.exe"]},
    "rhythm": {"at": 9, "every": 60, "times": 3},
    "transfers": [{"to": "chatapi.viber.com", "sent": 1_000_000}],
    "expected": "suspicious_process",
    "why": "an unsigned program",
}


def program_of(card: Campaign) -> Program:
    """The program of a card, named there or described."""
    return PROGRAMS[card.hosts.os][card.program] if isinstance(card.program, str) else card.program


def write_card(folder: Path, document: object, name: str = "of-mine") -> Path:
    """A card in a file."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def changed(place: str, value: object) -> Document:
    """The test's card with another value at a place such as `hosts.os`; `None` takes it away."""
    document = yaml.safe_load(yaml.safe_dump(OWN))
    *path, last = place.split(".")
    inner = document
    for step in path:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return dict(document)


def test_there_are_as_many_and_of_such_classes_as_promised() -> None:
    malicious = Counter(card.kind for card in SHIPPED if card.malicious)
    harmless = Counter(card.kind for card in SHIPPED if not card.malicious)
    assert (set(malicious), set(harmless)) == (MALICIOUS, HARMLESS)
    assert malicious.total() >= 60
    assert harmless.total() >= 20
    assert min(malicious.values()) >= 3
    assert {card.name for card in SHIPPED} == {path.stem for path in FILES}
    assert not {change.name for change in CHANGES} & {card.name for card in SHIPPED}


def test_rhythms_and_volumes_are_as_different_as_those_of_malware() -> None:
    cards = [card for card in SHIPPED if card.malicious]
    beacons = {card.rhythm.every for card in cards if card.rhythm.times > 2}
    assert min(beacons) <= 5
    assert max(beacons) >= 86_400
    loot = [max(transfer.sent for transfer in card.transfers) for card in cards if card.kind == "stealer"]
    assert sum(1_000_000 <= most <= 50_000_000 for most in loot) >= 10
    assert sum(card.rhythm.days == "weekend" for card in cards) >= 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_card_is_whole_and_agrees_with_the_catalogue(path: Path) -> None:
    card = campaign_of(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    assert re.fullmatch(r"T\d{4}(\.\d{3})?", card.technique) if card.malicious else card.technique == ""
    assert card.service in catalogue().services_by_id
    destinations = Destinations(catalogue())
    for transfer in card.transfers:
        if transfer.by_name:
            match = destinations.match_host(transfer.to)
            assert (match and match.service_id) == card.service, transfer.to
    program = program_of(card)
    engines = Engines(catalogue())
    owner = (program.causality or program.parent)[0]
    assert card.engine == (engines.find(program.name) or engines.find(owner) or "")
    assert card.act in ACTS
    host = Host(0, "h1", "h1.corp.example", card.hosts.os, "workstation", "sales", "ann.lee", 0)
    told = [text for text in image_of(host, card.name, program, "1").values() if text]
    assert not [text for text in told if "{" in text or "Users\\Default" in text], "the user is filled in everywhere"


def test_the_default_is_what_the_demo_plants() -> None:
    assert tuple(card.name for card in chosen()) == DEFAULT
    assert len([card for card in chosen() if card.malicious]) == 14


def test_campaigns_are_chosen_by_names_classes_and_globs_in_the_order_of_the_deck() -> None:
    def names(*wanted: str) -> list[str]:
        return [card.name for card in select(SHIPPED, wanted)]

    assert names("skuld", "chaosbot") == ["chaosbot", "skuld"]
    assert names("zulip") == ["duke-zulip", "gozulipc2", "zulip-python"]
    assert set(names("vdi-*", "mer*")) == {"vdi-teams", "vdi-webex", *names("merger")}
    assert names("slack-c2", "outbreak", "default") == list(DEFAULT)
    assert set(names("malicious")) | set(names("harmless")) == set(names("*")) == {card.name for card in SHIPPED}
    with pytest.raises(ConfigurationError, match=r"--campaigns stealers: no campaign .* did you mean stealer\? "):
        names("stealers")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed("colour", "red"), "unknown key colour: known are "),
        (changed("hosts.departmant", "sales"), "hosts: unknown key departmant: did you mean department?"),
        (changed("why", None), "`why` is missing"),
        (changed("transfers.0.to", None), "transfers[0]: `to` is missing"),
        (changed("transfers", []), "transfers: expected a list that is not empty"),
        (changed("transfers.0.sent", "much"), "transfers[0].sent: expected a whole number from 0 on, not 'much'"),
        (changed("technique", "1102"), "technique: expected an id of ATT&CK such as T1102.002"),
        (changed("expected", "suspicious"), "expected: expected one of base, none, suspicious_process"),
        (changed("stated", ["services"]), "stated[0]: expected one of command_line, engine, hosts, "),
        (changed("rhythm.at", 25), "rhythm.at: expected an hour from 0 to below 24, not 25"),
        (changed("class", "Of Mine"), "class: expected a word of small letters, digits and -, not 'Of Mine'"),
        (changed("technique", ""), "technique: a malicious campaign has one, a harmless one has ''"),
        (changed("malicious", False), "technique: a malicious campaign has one, a harmless one has ''"),
        (changed("sources", []), "sources: a malicious campaign is modelled on something: name it"),
        (changed("hosts.os", "linux"), "hosts.os: linux is none of `platforms`: add it there"),
        (changed("hosts.department", "legal"), "hosts.department: expected one of engineering, "),
        (changed("hosts.named", "x-{host}-{nr}"), "hosts.named: expected a name with no other placeholders"),
        (changed("program", "notepad"), "program: expected a mapping, or one of chrome, "),
        (changed("program.signer", "Acme"), "program.signer: what is `signed` has one, and only that"),
        (changed("program.path", "C:\\{home}\\a.exe"), "program.path: known are {user}, {project} and {version}"),
        (
            changed("program.parent", ["cmd.exe", "cmd {home}"]),
            "program.parent: known are {user}, {project} and {version}",
        ),
        (changed("program.path", "a.exe"), "program.path: expected the whole path of the image"),
        (["no", "card"], "expected a mapping with title, "),
    ],
)
def test_a_mistake_in_a_card_is_named_with_its_file_and_field(
    document: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_card(tmp_path / "cards", document)
    assert main(["simulate", "--output", str(tmp_path / "out"), "--cards", str(folder)]) == 2
    err = capsys.readouterr().err
    assert f"{folder}/of-mine.yaml: {message}" in err
    assert err.count("\n") == 1


def test_a_harmless_card_states_nothing_without_a_source() -> None:
    harmless = OWN | {"malicious": False, "technique": "", "sources": []}
    with pytest.raises(ConfigurationError, match=r"^a\.yaml: stated: nothing states a fact without `sources`"):
        campaign_of(harmless, "a.yaml")
    assert campaign_of(harmless | {"stated": []}, "a.yaml").name == "a"


@pytest.mark.parametrize(
    ("name", "message"),
    [("skuld", "skuld.yaml: the name of one that ships: give"), ("My Card", "My Card.yaml: call the file by small")],
)
def test_a_card_is_called_as_no_other_is(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        chosen(folder=str(write_card(tmp_path, OWN, name)))


def test_two_cards_of_one_name_are_refused(tmp_path: Path) -> None:
    write_card(tmp_path, OWN)
    write_card(tmp_path / "more", OWN)
    with pytest.raises(ConfigurationError, match=rf"of-mine\.yaml: the name of {re.escape(str(tmp_path))}"):
        chosen(folder=str(tmp_path))


def test_a_folder_without_cards_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--output", str(tmp_path / "out"), "--cards", str(tmp_path)]) == 2
    assert f"--cards {tmp_path}: no *.yaml there: give a folder with a card for each" in capsys.readouterr().err


def planted(output: Path, *arguments: str) -> Mapping[str, Document]:
    """The labels of a small simulation, by campaign."""
    size = ["--hosts", "10", "--days", "45", "--background", "thinned"]
    assert main(["simulate", "--output", str(output), *size, *arguments]) == 0
    lines = (output / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    return {label["campaign"]: label for label in map(json.loads, lines)}


def test_a_card_of_ones_own_is_planted_and_labelled_without_any_code(tmp_path: Path) -> None:
    folder = write_card(tmp_path / "cards", OWN)
    labels = planted(tmp_path / "out", "--cards", str(folder))
    assert set(labels) >= {"of-mine", "telegram-stealer", "outbreak"}
    mine = labels["of-mine"]
    assert (mine["class"], mine["malicious"], mine["technique"]) == ("of-the-test", True, "T1102.002")
    assert mine["events"] == 1 + 2 * 3  # a start, and three times a lookup with its connection
    only = planted(tmp_path / "out", "--cards", str(folder), "--campaigns", "of-*", "--force")
    assert set(only) - {change.name for change in CHANGES} == {"of-mine"}


def test_no_more_campaigns_begin_on_a_day_than_may(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    some = ["--campaigns", "implant", "--campaigns", "curl", "--campaigns-per-day", "3"]
    labels = planted(tmp_path / "out", *some)
    names = {card.name for card in select(SHIPPED, ["implant", "curl"])}
    first = Counter(label["days"][0] for name, label in labels.items() if name in names)
    assert max(first.values()) == 3
    assert first.total() >= 20  # some servers are of no kind that so few hosts have
    assert main(["simulate", "--output", str(tmp_path / "no"), "--days", "45", "--campaigns", "*", *some[-2:]]) == 2
    assert "--campaigns-per-day 3: no day is left for " in capsys.readouterr().err
