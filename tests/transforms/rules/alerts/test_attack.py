"""Where ATT&CK places an alert: sub-techniques are told where a reason says so, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.transforms.rules.candidates import NOBODY_ELSE, candidate
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import Subtechnique, load_detector
from uncommon_im.transforms.rules.recognition.command_line import engine_name

CARD = load_detector()
FEW = NOBODY_ELSE | {"other_hosts": 3, "active_days": 1, "first_day": 20_480, "last_day": 20_480}
RARE, COMMON = ({"shown": {"execution": figures}} for figures in (NOBODY_ELSE, FEW | {"other_hosts": 4}))


def said(**more: Any) -> list[tuple[str, str]]:
    return [(each["id"], each["because"]) for each in candidate(**more).alert["attack"]["subtechniques"]]


@pytest.mark.parametrize(
    ("id", "because", "of", "not_of"),
    [
        ("T1036.005", "masquerading", {"reasons": "masquerading,unsigned"}, {"reasons": "unsigned"}),
        ("T1036.007", "double_extension", {"reasons": "double_extension"}, {"reasons": "office_child"}),
        (
            "T1059.003",
            "shell",
            {"reasons": "shell", "process_name": "CMD.EXE"},
            {"reasons": "shell", "process_name": "bash"},
        ),
        ("T1059.004", "shell", {"reasons": "shell", "process_name": "bash"}, {"reasons": "", "process_name": "bash"}),
        (
            "T1218.011",
            "lolbin-network",
            {"reasons": "lolbin-network", "process_name": "rundll32.exe"},
            {"reasons": "lolbin-network", "process_name": "regsvr32.exe"},
        ),
        (
            "T1059.006",
            "uncommon_scripting_engine",
            {"fingerprint": "python|stdin", "process_name": "python3.11", **RARE},
            {"fingerprint": "python|stdin", "process_name": "python3.11", **COMMON},
        ),
        (
            "T1059.001",
            "uncommon_scripting_engine",
            {"fingerprint": "powershell|inline:1", "process_name": "conhost.exe", **RARE},
            {"fingerprint": "node|inline:1", "process_name": "node.exe", **RARE},
        ),
        (
            "T1059.005",
            "uncommon_scripting_engine",
            {"fingerprint": "wscript|script:c:/users/a/deep.VBS", "process_name": "wscript.exe", **RARE},
            {"fingerprint": "wscript|script:c:/users/a/deep.js", "process_name": "wscript.exe", **RARE},
        ),
        (
            "T1059.007",
            "uncommon_scripting_engine",
            {"fingerprint": "cscript|script:c:/users/a/deep.js", "process_name": "cscript.exe", **RARE},
            {"fingerprint": "cscript|unknown", "process_name": "cscript.exe", **RARE},
        ),
    ],
)
def test_a_subtechnique_is_told_where_its_reason_and_its_program_are(
    id: str, because: str, of: dict[str, Any], not_of: dict[str, Any]
) -> None:
    assert (id, because) in said(**of)
    assert id not in [each for each, _ in said(**not_of)]


def test_an_alert_without_such_a_reason_has_none_and_the_technique_stays() -> None:
    attack = candidate(reasons="unsigned").alert["attack"]
    assert attack == {
        "tactic": {"id": "TA0011", "name": "Command and Control"},
        "technique": {"id": "T1102", "name": "Web Service"},
        "subtechniques": [],
    }


def test_those_of_a_card_of_ones_own_replace_the_shipped_ones() -> None:
    own = (Subtechnique("T1204.002", "Malicious File", "office_child"),)
    assert said(reasons="office_child,masquerading", detector=replace(CARD, subtechniques=own)) == [
        ("T1204.002", "office_child")
    ]


def test_each_program_of_the_shipped_card_is_one_that_the_catalogue_has_in_such_a_class() -> None:
    catalogue = load_catalogue()
    for each in CARD.subtechniques:
        of_engine = each.because == "uncommon_scripting_engine"
        classes = catalogue.engine_classes if of_engine else (each.because,) if each.programs else ()
        names = {
            engine_name(name)
            for class_id in classes
            for by_system in catalogue.process_class(class_id).names.values()
            for name in by_system
        }
        assert not each.programs or {engine_name(name) for name in each.programs} <= names, each.id
