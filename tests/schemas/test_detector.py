"""The detector card: what ships is the specification's, and what is wrong in another is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import asdict

from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import PRIORITY_PARTS, SEVERITIES, VARIATION_IDS, Limits, load_card, load_detector
from uncommon_im.schemas.documents import ConfigurationError

LIMIT_NAMES = (
    "training_days, activation_days, guard_days, max_other_hosts, max_host_days, execution_max_other_hosts, "
    "execution_max_host_days, deduplication_hours, max_alerts_per_group, process_lookback"
)
KEYS = "id, name, description, attack, variations, false_positives, triage, references, priority, limits"


def card(folder: Path, document: Any) -> str:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(path)


def error_of(folder: Path, document: Any) -> str:
    path = card(folder, document)
    with pytest.raises(ConfigurationError) as error:
        load_detector(path)
    return str(error.value).replace(path, "own.yaml")


def test_the_shipped_card_is_the_specifications() -> None:
    detector = load_detector()
    assert detector.id == "uncommon-im-communication"
    assert (detector.tactic_id, detector.technique_id) == ("TA0011", "T1102")
    assert [(v.id, v.severity) for v in detector.variations] == [
        ("suspicious_process", "Low"),
        ("uncommon_scripting_engine", "Low"),
        ("base", "Informational"),
    ]
    assert asdict(detector.limits) == {
        "training_days": 30,
        "activation_days": 14,
        "guard_days": 3,
        "max_other_hosts": 3,
        "max_host_days": 2,
        "execution_max_other_hosts": 3,
        "execution_max_host_days": 2,
        "deduplication_hours": 24,
        "max_alerts_per_group": 25,
        "process_lookback": 7,
    }
    assert detector.limits == Limits()


def test_the_card_says_what_an_analyst_wants_to_know() -> None:
    card = load_card()
    assert card.description.startswith("The detector finds ")
    assert min(len(card.false_positives), len(card.triage), len(card.references)) >= 5
    assert {"T1102", "TA0011"} <= {card.attack.technique_id, card.attack.tactic_id}
    addresses = [reference.url for reference in card.references]
    assert any("attack.mitre.org/techniques/T1102" in address for address in addresses)
    assert any("Uncommon-communication-to-an-instant-messaging-server" in address for address in addresses)


def test_the_texts_of_a_card_change_no_digest(tmp_path: Path) -> None:
    texts = {"description": "Ours.", "triage": ["Ask us."], "references": [{"title": "t", "url": "https://a.example"}]}
    path = card(tmp_path, texts)
    assert load_card(path).triage == ("Ask us.",)
    assert load_detector(path) == load_detector()
    own, shipped = (Configuration(detector, load_catalogue()) for detector in (load_detector(path), load_detector()))
    assert own.digest == shipped.digest


def test_other_points_are_another_configuration_for_the_digest_and_the_same_detector_otherwise(tmp_path: Path) -> None:
    path = card(tmp_path, {"priority": [{"part": "never_seen", "points": 1}]})
    own, shipped = (Configuration(detector, load_catalogue()) for detector in (load_detector(path), load_detector()))
    assert own.digest != shipped.digest
    assert own.identity_digest == shipped.identity_digest


def test_each_variation_is_found_by_its_id() -> None:
    detector = load_detector()
    assert [detector.variation(name).id for name in VARIATION_IDS] == list(VARIATION_IDS)
    assert detector.variation("base").title == detector.name


def test_a_card_replaces_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    own = load_detector(card(tmp_path, {"id": "own", "limits": {"guard_days": 0}}))
    assert (own.id, own.name, own.limits) == ("own", load_detector().name, Limits(guard_days=0))
    assert load_detector(card(tmp_path, {"limits": None})) == load_detector()


def test_overrides_go_before_the_card_and_none_overrides_nothing(tmp_path: Path) -> None:
    path = card(tmp_path, {"limits": {"guard_days": 0, "max_host_days": 7}})
    assert load_detector(path, guard_days=5, max_host_days=None).limits == Limits(guard_days=5, max_host_days=7)
    assert load_detector(guard_days=5).limits == Limits(guard_days=5)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (["x"], "own.yaml: expected keys such as `limits`, found list"),
        (None, "own.yaml: expected keys such as `limits`, found nothing"),
        (
            {"limit": {}},
            f"own.yaml: unknown key limit: did you mean limits? known are {KEYS}",
        ),
        ({1: 2}, f"own.yaml: unknown key 1: known are {KEYS}"),
        ({"limits": [1]}, f"own.yaml: limits: expected a mapping with {LIMIT_NAMES}, not [1]"),
        (
            {"limits": {"max_hosts": 1}},
            f"own.yaml: limits: unknown key max_hosts: did you mean max_host_days? known are {LIMIT_NAMES}",
        ),
        (
            {"limits": {"guard_days": "3"}},
            "own.yaml: limits.guard_days: expected a whole number, 0 or more, not '3'",
        ),
        ({"limits": {"guard_days": -1}}, "own.yaml: limits.guard_days: expected a whole number, 0 or more, not -1"),
        ({"limits": {"guard_days": 1.5}}, "own.yaml: limits.guard_days: expected a whole number, 0 or more, not 1.5"),
        ({"limits": {"guard_days": True}}, "own.yaml: limits.guard_days: expected a whole number, 0 or more, not True"),
        ({"limits": {"guard_days": None}}, "own.yaml: limits.guard_days: expected a whole number, 0 or more, not None"),
        ({"limits": {"training_days": 0}}, "own.yaml: limits: training_days is 0: it must be 1 to 62"),
        ({"limits": {"training_days": 63}}, "own.yaml: limits: training_days is 63: it must be 1 to 62"),
        (
            {"limits": {"activation_days": 31}},
            "own.yaml: limits: activation_days is 31: it must not exceed training_days (30), "
            "or the detector never becomes active",
        ),
        (
            {"variations": [{"id": "base", "title": "t", "severity": "Low"}]},
            "own.yaml: variations must be exactly suspicious_process, uncommon_scripting_engine, base",
        ),
        (
            {"variations": [{"id": name, "title": "t", "severity": "Awful"} for name in VARIATION_IDS]},
            "own.yaml: variations[0] (suspicious_process).severity: expected one of "
            "Critical, High, Informational, Low, Medium, not 'Awful'",
        ),
        ({"triage": []}, "own.yaml: triage: expected a list that is not empty, not []"),
        ({"description": " "}, "own.yaml: description: expected a text, not ' '"),
        (
            {"references": [{"title": "t", "url": "http://a.example"}]},
            "own.yaml: references[0].url: expected an address that begins with https://, not 'http://a.example'",
        ),
        ({"variations": 5}, "own.yaml: variations: expected a list, not 5"),
        ({"attack": {"tactic": "x"}}, "own.yaml: attack: `tactic_id` is missing"),
        (
            {"priority": [{"part": "reason:shel", "points": 3}]},
            f"own.yaml: priority[0]: there is no part 'reason:shel': expected one of {', '.join(PRIORITY_PARTS)}",
        ),
        (
            {"priority": [{"part": "never_seen", "points": 101}]},
            "own.yaml: priority[0].points: expected a whole number from -100 to 100, not 101",
        ),
        (
            {"priority": [{"part": "bytes_sent", "points": 3}]},
            "own.yaml: priority[0]: bytes_sent needs `at_least`, a number of bytes above 0",
        ),
        (
            {"priority": [{"part": "never_seen", "points": 3, "at_least": 5}]},
            "own.yaml: priority[0]: never_seen takes no `at_least`: only bytes_sent and bytes_received do",
        ),
    ],
)
def test_a_wrong_card_says_which_entry_and_how_to_mend_it(tmp_path: Path, document: Any, message: str) -> None:
    assert error_of(tmp_path, document) == message


@pytest.mark.parametrize("document", [{1: 2, "limit": 3}, {"limits": {1: 2}}, {"limits": {1: 2, "x": 3}}])
def test_keys_that_are_no_text_are_named_like_others(tmp_path: Path, document: Any) -> None:
    assert error_of(tmp_path, document).startswith(("own.yaml: unknown key ", "own.yaml: limits: unknown key "))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"guard_days": -1}, "guard_days is -1: it must be 0 to 62"),
        (
            {"training_days": 7},
            "activation_days is 14: it must not exceed training_days (7), or the detector never becomes active",
        ),
    ],
)
def test_a_wrong_override_is_named(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_detector(**overrides)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        (Limits(), 5),
        (Limits(max_other_hosts=9), 11),
        (Limits(execution_max_other_hosts=9), 11),
        (Limits(max_other_hosts=0, execution_max_other_hosts=0), 2),
    ],
)
def test_two_more_hosts_are_kept_than_the_larger_limit(limits: Limits, kept: int) -> None:
    assert limits.hosts_kept == kept


def test_severities_are_listed_from_mild_to_severe() -> None:
    assert SEVERITIES.index("Informational") < SEVERITIES.index("Low") < SEVERITIES.index("High")
