"""An alert in a few short sentences: who, what, where, when, how rare, why this severity."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from tests.transforms.rules.candidates import NOBODY_ELSE, candidate
from uncommon_im.schemas.detector import Limits, load_detector
from uncommon_im.transforms.rules.alerts.investigation import REASONS_IN_WORDS

KNOWN = ("communication", "service_use", "binary", "parentage")
RARE = NOBODY_ELSE | {"other_hosts": 1, "host_days": 2}
TITLE = "Uncommon communication to an instant messaging server"
SCRIPT = "python|script:/srv/bot.py"


def described(**more: Any) -> tuple[str, str]:
    """(title, description)."""
    alert = candidate(**more).alert
    return alert["title"], alert["description"]


def test_base_says_all_that_there_is_to_say() -> None:
    event = {"host_name": "pc-7", "user_name": "al", "parent_process_name": "explorer.exe"}
    event |= {"process_signature_status": "signed", "process_signer": "Acme Corp", "process_name": "sync.exe"}
    event |= {"process_path": "C:\\Program Files\\Sync\\sync.exe"}
    assert described(shown=dict.fromkeys(KNOWN, RARE), **event) == (
        TITLE,
        "sync.exe on pc-7 communicated with Telegram (recognised by the name t.me) on 2026-03-01 at 12:00 UTC. "
        "It was signed by Acme Corp, started by explorer.exe and run by al. "
        "In the 30 days before, the same program used Telegram on 1 other host and on 2 days on this host. "
        "Severity is Informational because only its rarity speaks against it.",
    )


def test_what_is_not_known_is_not_claimed_but_said_to_be_not_reported() -> None:
    event = {"remote_host": None, "remote_ip": "91.108.4.1", "attribution": "ip_range", "matched": "91.108.4.0/22"}
    assert described(coverage=20, process_signer="Forged Ltd", **event)[1] == (
        "app on h communicated with Telegram (recognised by the address 91.108.4.1) on 2026-03-01 at 12:00 UTC. "
        "Its signature, parent process and user are not reported. "
        "In the 30 days before, the same program used Telegram on no other host and on no day on this host. "
        "Telemetry exists for 20 of these days. "
        "Nobody else used Telegram in these days. "
        "Severity is Informational because only its rarity is known."
    )
    host = described(**event | {"remote_host": "cdn.example"})[1]
    assert "(cdn.example, recognised by the address 91.108.4.1)" in host


@pytest.mark.parametrize(("kind", "how"), [("dns", " in a lookup"), ("connection", "")])
def test_an_alert_of_a_lookup_says_so(kind: str, how: str) -> None:
    assert described(event_type=kind)[1].startswith(
        f"app on h communicated with Telegram (recognised by the name t.me{how})"
    )


SIGNED = {"process_signature_status": "signed", "process_signer": "Acme Corp", "process_path": "/opt/acme/app"}


@pytest.mark.parametrize(
    "less",
    [
        {"process_path": None},
        {"process_signature_status": None},
        {"process_signature_status": "unsigned"},
        {"shown": dict.fromkeys(("communication", "service_use", "binary"), RARE)},
        {"shown": dict.fromkeys(KNOWN, RARE) | {"binary": NOBODY_ELSE}},
        {"shown": dict.fromkeys(KNOWN, RARE) | {"parentage": NOBODY_ELSE}},
    ],
)
def test_only_rarity_speaks_against_it_where_all_else_is_known_and_not_new(less: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"shown": dict.fromkeys(KNOWN, RARE), "parent_process_name": "bash", **SIGNED}
    assert described(**whole)[1].endswith("because only its rarity speaks against it.")
    assert described(**whole | less)[1].endswith("because only its rarity is known.")


def test_what_else_is_new_is_said() -> None:
    parent = {"parent_process_name": "C:\\Windows\\services.exe"}
    new = described(shown=dict.fromkeys(KNOWN, NOBODY_ELSE), **parent)[1]
    assert "New here, too: its binary and its start by services.exe. Nobody else used Telegram in these days." in new
    one = described(shown=dict.fromkeys(KNOWN, RARE) | {"binary": NOBODY_ELSE}, **parent)[1]
    assert "New here, too: its binary. " in one
    assert "Nobody else" not in one


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (
            {"process_signature_status": "signed", "process_signer": "Telegram FZ-LLC"},
            "It is Telegram's own client, by",
        ),
        ({}, "It claims to be Telegram's own client, by its name alone."),
    ],
)
def test_a_client_by_its_name_alone_only_claims_to_be_one(signature: dict[str, str], words: str) -> None:
    assert words in described(process_name="Telegram.exe", os="windows", **signature)[1]
    assert (
        "own client" not in described(process_name="sync.exe", os="windows", **signature | {"process_signer": "A"})[1]
    )


@pytest.mark.parametrize(
    ("status", "signer", "words"),
    [
        ("signed", "Acme, Inc.", "It was signed by Acme, Inc. Its parent process and user are not reported."),
        ("signed", None, "It was signed. Its signer, parent process and user are not reported."),
        ("unsigned", None, "It is not signed. Its parent process and user are not reported."),
        ("invalid", "Acme Corp", "Its signature is not valid. Its parent process and user are not reported."),
        ("unknown", "Acme Corp", "UTC. Its signature, parent process and user are not reported."),
    ],
)
def test_a_signer_is_named_only_where_the_signature_holds(status: str, signer: str | None, words: str) -> None:
    assert words in described(process_signature_status=status, process_signer=signer)[1]


def test_a_suspicious_process_is_so_in_words_and_the_guard_days_are_named() -> None:
    title, text = described(reasons="shell,untrusted_path", shown={"execution": NOBODY_ELSE | {"host_days": 3}})
    assert title == f"{TITLE} by a suspicious process"
    assert "on no other host and on no day on this host. Other hosts are counted without the last 3 days." in text
    assert text.endswith(
        "Severity is Low for 2 reasons. It is a shell. It runs from a folder where programs do not belong."
    )


def test_a_window_and_a_guard_of_one_day_are_singular() -> None:
    detector = replace(load_detector(), limits=Limits(training_days=1, activation_days=1, guard_days=1))
    text = described(reasons="shell", detector=detector)[1]
    assert "In the day before, the same program used Telegram on no other host" in text
    assert "Other hosts are counted without the last day." in text


def test_an_uncommon_scripting_engine_execution_says_what_it_runs_and_how_rare_that_is() -> None:
    title, text = described(script=SCRIPT, fingerprint=SCRIPT, process_name="python3", shown={"execution": RARE})
    assert title == f"{TITLE} by an uncommon scripting engine execution"
    assert text.startswith("python3 on h communicated")
    assert "It ran the script /srv/bot.py. " in text
    assert "the same program with this script used Telegram on no other host" in text
    assert text.endswith("Low because the script was seen on 1 other host and on 2 days on this host.")


def test_of_a_program_that_a_script_started_the_script_is_what_is_behind_it() -> None:
    text = described(script=SCRIPT, fingerprint=SCRIPT, process_name="curl", shown={"execution": RARE})[1]
    assert "Behind it, python ran the script /srv/bot.py. " in text


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("module:http.server", "It ran the module http.server."),
        ("inline:0123456789abcdef", "It ran code from its command line (hash 0123456789abcdef)."),
        ("stdin", "It ran code from standard input."),
        ("interactive", "It ran an interactive session."),
        ("unknown", "It ran code that is not reported."),
    ],
)
def test_whatever_a_scripting_engine_runs_has_words(target: str, words: str) -> None:
    assert words in described(process_name="python3", fingerprint=f"python|{target}")[1]


@pytest.mark.parametrize("both", [{"reasons": "unsigned", "shown": {"execution": RARE}}])
def test_all_variations_that_hold_are_reasons(both: dict[str, Any]) -> None:
    title, text = described(**both)
    assert title == f"{TITLE} by a suspicious process"
    assert "for 2 reasons. It has no valid signature. The code was seen on" in text


def test_no_sentence_has_more_than_25_words() -> None:
    everything = {"user_name": "CORP\\al", "parent_process_name": "explorer.exe", "script": SCRIPT}
    everything |= {"process_signature_status": "signed", "process_signer": "Developer ID Application: Acme Inc (X7)"}
    everything |= {"service": "microsoft-teams", "reasons": ",".join(REASONS_IN_WORDS)}
    for event, target in product(({}, everything), ("script:/srv/bot.py", "inline:0123456789abcdef", "unknown")):
        seen = {"other_hosts": 2, "host_days": 2}
        shown = {
            "execution": RARE | seen,
            "communication": RARE | seen,
            "binary": NOBODY_ELSE,
            "parentage": NOBODY_ELSE,
        }
        text = described(coverage=20, fingerprint=f"python|{target}", shown=shown, **event)[1]
        lengths = {sentence: len(sentence.split()) for sentence in re.split(r"(?<=\.) (?=[A-Z])", text)}
        assert max(lengths.values()) <= 25, lengths
