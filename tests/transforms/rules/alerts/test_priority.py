"""Which alert to open first: each part of the card holds where the specification says so, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.transforms.rules.candidates import NOBODY_ELSE, candidate
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import PRIORITY_PARTS, SUSPICION_REASONS, PriorityPart, load_detector
from uncommon_im.transforms.rules.alerts.investigation import REASONS_IN_WORDS

DETECTOR = load_detector()
HERE = NOBODY_ELSE | {"host_days": 1, "active_days": 1, "first_day": 20_480, "last_day": 20_480}
FEW = NOBODY_ELSE | {"other_hosts": 3, "active_days": 1, "first_day": 20_480, "last_day": 20_480}
MANY = FEW | {"other_hosts": 4}
SIGNED = {"process_signature_status": "signed", "process_signer": "Telegram FZ-LLC", "os": "windows"}
CLIENT = SIGNED | {"process_name": "Telegram.exe"}
BOT = {"remote_host": "api.telegram.org", "matched": "api.telegram.org"}


def alert(**more: Any) -> dict[str, Any]:
    """An alert by a card that gives one point for each part."""
    points = tuple(PriorityPart(part, 1, at_least=1_000 if part.startswith("bytes") else 0) for part in PRIORITY_PARTS)
    return candidate(detector=replace(DETECTOR, priority=points), **more).alert


def parts(**more: Any) -> set[str]:
    return {each["part"] for each in alert(**more)["priority_parts"]}


@pytest.mark.parametrize(
    ("part", "holds", "holds_not"),
    [
        ("never_seen", {}, {"shown": {"communication": HERE}}),
        ("never_seen", {}, {"shown": {"communication": FEW}}),
        ("unused_service", {}, {"shown": {"service_use": HERE}}),
        ("rare_service", {"shown": {"service_use": HERE}}, {}),
        ("rare_service", {"shown": {"service_use": HERE}}, {"shown": {"service_use": None}}),
        ("unused_service", {}, {"shown": {"service_use": None}}),
        ("rare_service", {"shown": {"service_use": FEW}}, {"shown": {"service_use": MANY}}),
        ("new_binary", {"shown": {"binary": NOBODY_ELSE}}, {}),
        ("new_binary", {"shown": {"binary": NOBODY_ELSE}}, {"shown": {"binary": HERE}}),
        ("new_parentage", {"shown": {"parentage": NOBODY_ELSE}}, {"shown": {"parentage": FEW}}),
        ("known_binary", {"shown": {"binary": MANY}}, {"shown": {"binary": FEW}}),
        ("known_parentage", {"shown": {"parentage": MANY}}, {"shown": {"parentage": FEW}}),
        ("quiet_hour", {"shown": {"hour_of_day": NOBODY_ELSE}}, {"shown": {"hour_of_day": FEW}}),
        ("quiet_hour", {"shown": {"hour_of_day": NOBODY_ELSE}}, {}),
        ("bot_host", BOT, {}),
        ("bot_host", BOT, BOT | {"attribution": "ip_range"}),
        ("bytes_sent", {"bytes_sent": 1_000}, {"bytes_sent": 999}),
        ("bytes_sent", {"bytes_sent": 1_000}, {"total_sent": 5_000}),
        ("bytes_received", {"bytes_received": 1_000}, {"bytes_received": 999}),
        ("own_client", CLIENT, CLIENT | {"process_signature_status": "unknown"}),
        ("own_client", CLIENT, CLIENT | {"process_signer": None}),
        ("own_publisher", SIGNED | {"process_name": "Updater.exe"}, CLIENT),
        ("own_publisher", SIGNED, SIGNED | {"process_signature_status": "invalid"}),
        ("own_publisher", SIGNED, SIGNED | {"process_signer": "Somebody Else"}),
        ("reason:shell", {"reasons": "shell,unsigned"}, {"reasons": "unsigned"}),
        (
            "uncommon_execution",
            {"fingerprint": "python|stdin", "shown": {"execution": NOBODY_ELSE}},
            {"fingerprint": "python|stdin", "shown": {"execution": MANY}},
        ),
    ],
)
def test_a_part_holds_where_its_facts_do_and_nowhere_else(
    part: str, holds: dict[str, Any], holds_not: dict[str, Any]
) -> None:
    assert part in parts(**holds)
    assert part not in parts(**holds_not)


def test_what_an_event_does_not_say_counts_neither_for_nor_against() -> None:
    assert parts() == {"never_seen", "unused_service"}


def test_parts_are_listed_in_the_cards_order_without_those_of_no_points() -> None:
    points = (PriorityPart("unused_service", 7), PriorityPart("quiet_hour", 0), PriorityPart("never_seen", -3))
    found = candidate(detector=replace(DETECTOR, priority=points), shown={"hour_of_day": NOBODY_ELSE}).alert
    assert found["priority_parts"] == [{"part": "unused_service", "points": 7}, {"part": "never_seen", "points": -3}]
    assert found["priority"] == 4


@pytest.mark.parametrize(("points", "priority"), [((60, 60), 100), ((-20, 10), 0), ((60, -10), 50)])
def test_the_sum_is_cut_to_0_and_100(points: tuple[int, int], priority: int) -> None:
    parts = tuple(map(PriorityPart, ("unused_service", "never_seen"), points))
    assert candidate(detector=replace(DETECTOR, priority=parts)).alert["priority"] == priority


def test_each_threshold_of_bytes_counts_by_itself() -> None:
    points = tuple(PriorityPart("bytes_sent", 10, at_least) for at_least in (10, 100, 1_000))
    assert candidate(detector=replace(DETECTOR, priority=points), bytes_sent=100).alert["priority"] == 20


def test_the_shipped_card_has_points_for_every_part_and_every_reason_of_suspicion() -> None:
    assert {part.part for part in DETECTOR.priority} == set(PRIORITY_PARTS)
    assert set(SUSPICION_REASONS) == set(REASONS_IN_WORDS)


def test_a_host_that_people_use_too_is_none_of_bots() -> None:
    discord = load_catalogue().services_by_id["discord"]
    assert "gateway.discord.gg" not in discord.bot_hosts
    assert "api.telegram.org" in load_catalogue().services_by_id["telegram"].bot_hosts
