"""Ids of alerts and groups."""

from __future__ import annotations

import hashlib

import pytest

from uncommon_im.transforms.rules.alerts import ids

PROGRAM = ("búho.exe", 'acme "corp"', "python|script:/x.py")


def test_an_alert_id_is_the_digest_of_its_facts_in_order() -> None:
    text = (
        '["uncommon-im-communication","t1","h1","búho.exe","acme \\"corp\\"","python|script:/x.py",'
        '"telegram","base",480000]'
    )
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
    assert ids.alert_id("uncommon-im-communication", "t1", "h1", PROGRAM, "telegram", "base", 480_000) == expected


def test_a_group_id_has_no_host_and_no_variation() -> None:
    text = '["uncommon-im-communication","t1","búho.exe","acme \\"corp\\"","python|script:/x.py","telegram",20000]'
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
    assert ids.group_id("uncommon-im-communication", "t1", PROGRAM, "telegram", 20_000) == expected


@pytest.mark.parametrize(
    "other",
    [
        ("d2", "t", "h", ("p", "o", "s"), "v", "base", 1),
        ("d", "t2", "h", ("p", "o", "s"), "v", "base", 1),
        ("d", "t", "h2", ("p", "o", "s"), "v", "base", 1),
        ("d", "t", "h", ("p2", "o", "s"), "v", "base", 1),
        ("d", "t", "h", ("p", "o2", "s"), "v", "base", 1),
        ("d", "t", "h", ("p", "o", "s2"), "v", "base", 1),
        ("d", "t", "h", ("p", "o", "s"), "v2", "base", 1),
        ("d", "t", "h", ("p", "o", "s"), "v", "suspicious_process", 1),
        ("d", "t", "h", ("p", "o", "s"), "v", "base", 2),
        ("d", "th", "", ("p", "o", "s"), "v", "base", 1),
    ],
)
def test_another_fact_is_another_alert(other: tuple[str, str, str, tuple[str, str, str], str, str, int]) -> None:
    assert ids.alert_id(*other) != ids.alert_id("d", "t", "h", ("p", "o", "s"), "v", "base", 1)
