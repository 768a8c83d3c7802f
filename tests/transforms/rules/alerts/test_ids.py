"""Ids of alerts and groups."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from uncommon_im.transforms.rules.alerts import ids

ACTIVITY: dict[str, Any] = {
    "tenant": "t1",
    "host": "h1",
    "program": "búho.exe",
    "origin": 'acme "corp"',
    "script": "python|script:/x.py",
    "reduced_script": "python|script:/*",
    "service": "telegram",
    "hour": 480_000,
}


def test_an_alert_id_is_the_digest_of_its_facts_in_order() -> None:
    text = (
        '["uncommon-im-communication","t1","h1","búho.exe","acme \\"corp\\"","python|script:/x.py",'
        '"telegram","base",480000]'
    )
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
    assert ids.alert_id("uncommon-im-communication", ACTIVITY, "base") == expected


def test_a_group_id_has_no_host_and_no_variation() -> None:
    text = '["uncommon-im-communication","t1","búho.exe","acme \\"corp\\"","python|script:/*","telegram",20000]'
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
    assert ids.group_id("uncommon-im-communication", ACTIVITY) == expected


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "t2"},
        {"host": "h2"},
        {"program": "p2"},
        {"origin": "o2"},
        {"script": "s2"},
        {"service": "v2"},
        {"hour": 2},
        {"tenant": "t1h1", "host": ""},
    ],
)
def test_another_fact_is_another_alert(other: dict[str, Any]) -> None:
    assert ids.alert_id("d", ACTIVITY | other, "base") != ids.alert_id("d", ACTIVITY, "base")


def test_another_detector_or_variation_is_another_alert() -> None:
    known = {ids.alert_id(*names) for names in (("d", ACTIVITY, "base"), ("d2", ACTIVITY, "base"))}
    assert len(known | {ids.alert_id("d", ACTIVITY, "suspicious_process")}) == 3
