"""An alert in one sentence: who, what, where, when, how rare, why this severity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.transforms.rules.candidates import NOBODY_ELSE, candidate
from uncommon_im.schemas.detector import Limits, load_detector

RARE = NOBODY_ELSE | {"other_hosts": 1, "host_days": 2}
TITLE = "Uncommon communication to an instant messaging server"


def described(**more: Any) -> tuple[str, str]:
    """(title, description)."""
    alert = candidate(**more).alert
    return alert["title"], alert["description"]


def test_base_says_all_that_there_is_to_say() -> None:
    told = {"host_name": "pc-7", "user_name": "al", "parent_process_name": "explorer.exe"}
    told |= {"process_signature_status": "signed", "process_signer": "Acme Corp", "process_name": "sync.exe"}
    assert described(shown={"communication": RARE}, **told) == (
        TITLE,
        "sync.exe, signed by Acme Corp, started by explorer.exe, run by al, on pc-7 communicated with Telegram (t.me, "
        "known by its name) on 2026-03-01 12:00 UTC: in the 30 days before, it did so on 1 other host and on 2 days of "
        "this host; severity is Informational because nothing but its rarity speaks against it.",
    )


def test_base_leaves_out_what_is_not_known() -> None:
    told = {"remote_host": None, "remote_ip": "91.108.4.1", "attribution": "ip_range", "matched": "91.108.4.0/22"}
    assert described(coverage=20, process_signer="Forged Ltd", **told)[1] == (
        "app on h communicated with Telegram (91.108.4.1, known by its address) on 2026-03-01 12:00 UTC: in the 30 "
        "days before, 20 of them with telemetry, it did so on no other hosts and on no days of this host; severity is "
        "Informational because nothing but its rarity speaks against it."
    )


def test_a_suspicious_process_is_so_in_words_and_the_guard_days_are_named() -> None:
    title, text = described(reasons="shell,untrusted_path", shown={"execution": NOBODY_ELSE | {"host_days": 3}})
    assert title == f"{TITLE} by a suspicious process"
    assert "on no other hosts (the last 3 days left out) and on no days of this host" in text
    assert text.endswith(
        "severity is Low because it is a shell, and it runs from a folder where programs do not belong."
    )


def test_a_window_and_a_guard_of_one_day_are_singular() -> None:
    detector = replace(load_detector(), limits=Limits(training_days=1, activation_days=1, guard_days=1))
    text = described(reasons="shell", detector=detector)[1]
    assert "in the 1 day before, it did so on no other hosts (the last 1 day left out) and" in text


def test_an_uncommon_scripting_engine_execution_says_what_it_runs_and_how_rare_that_is() -> None:
    script = "python|script:/srv/bot.py"
    title, text = described(script=script, fingerprint=script, process_name="python3", shown={"execution": RARE})
    assert title == f"{TITLE} by an uncommon scripting engine execution"
    assert text.startswith("python3 (script:/srv/bot.py) on h communicated")
    assert text.endswith(
        "Low because what its scripting engine runs was seen on 1 other host and on 2 days of this host."
    )


@pytest.mark.parametrize("both", [{"reasons": "unsigned", "shown": {"execution": RARE}}])
def test_all_variations_that_hold_are_reasons(both: dict[str, Any]) -> None:
    title, text = described(**both)
    assert title == f"{TITLE} by a suspicious process"
    assert "because it is not signed, and what its scripting engine runs was seen on" in text
