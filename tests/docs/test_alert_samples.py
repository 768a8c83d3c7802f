"""The samples of alerts say all that alerts say. `python -m tests.docs.test_alert_samples demo-output` renews them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.running import read_rows
from uncommon_im.schemas.bigquery.tables import TABLES
from uncommon_im.schemas.detector import VARIATION_IDS, load_detector
from uncommon_im.transforms.rules.alerts.steps import steps_of
from uncommon_im.transforms.rules.columns.json_lines import to_json

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "alert.md"
_ALERT: Final = re.compile(r'(?<=```json\n)\{"alert_id".*?\n(?=```)', re.DOTALL)
_IN_LINES: Final = ("investigation", "steps")


def shown(alert: dict[str, Any]) -> str:
    """An alert as JSON, a line a field; of the investigation and the steps a line each part."""
    lines = (f'"{name}": {_parts(value) if name in _IN_LINES else _line(value)}' for name, value in alert.items())
    return "{" + ",\n ".join(lines) + "}\n"


def _parts(value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, list):
        return "[\n  " + ",\n  ".join(map(_line, value)) + "]"
    return "{\n  " + ",\n  ".join(f'"{name}": {_line(part)}' for name, part in value.items()) + "}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def alerts_shown() -> dict[str, dict[str, Any]]:
    """Variation -> the page's alert of it."""
    alerts = [json.loads(text) for text in _ALERT.findall(PAGE.read_text(encoding="utf-8"))]
    return {alert["variation"]: alert for alert in alerts}


def test_one_alert_of_each_variation_is_shown() -> None:
    assert list(alerts_shown()) == ["base", "suspicious_process", "uncommon_scripting_engine"]
    assert set(alerts_shown()) == set(VARIATION_IDS)


@pytest.mark.parametrize("variation", VARIATION_IDS)
def test_an_alert_that_is_shown_is_whole_and_as_the_program_writes_it(variation: str) -> None:
    alert, card = alerts_shown()[variation], load_detector().variation(variation)
    columns = set(TABLES["alerts"].columns) - {"service_id", "content_digest"}
    assert set(alert) == columns
    assert (alert["title"], alert["severity"]) == (card.title, card.severity)
    assert alert["steps"] == steps_of(alert)
    assert len(to_json(alert).encode()) < 10_000, "as the program writes it"


@pytest.mark.parametrize("variation", VARIATION_IDS)
def test_the_description_of_an_alert_says_who_what_where_when_how_rare_and_why(variation: str) -> None:
    alert = alerts_shown()[variation]
    values = (alert["process"]["name"], alert["user_name"], alert["host"]["name"], alert["service"]["name"])
    assert all(value in alert["description"] for value in (*values, alert["timestamp"][:10], alert["severity"]))
    assert "In the 30 days before" in alert["description"]
    reasons = alert["investigation"]["application"]["reasons"]
    assert all(reason.lower() in alert["description"].lower() for reason in reasons)


def write(demo: Path) -> None:
    """Puts the first malicious alert of each variation that the demo found in the place of the page's."""
    labels = (json.loads(line) for line in (demo / "labels.jsonl").read_text(encoding="utf-8").splitlines())
    planted = {event for label in labels if label["malicious"] for event in label["event_ids"]}
    found = sorted(read_rows(str(demo / "run"), "alerts"), key=lambda alert: alert["timestamp"])
    first: dict[str, dict[str, Any]] = {}
    for alert in (alert for alert in found if alert["event_id"] in planted):
        first.setdefault(alert["variation"], alert)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_ALERT.sub(lambda old: shown(first[json.loads(old[0])["variation"]]), text), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
