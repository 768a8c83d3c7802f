"""Elastic's risk score of an event: that of the highest of its prebuilt rules on messengers that fires on it.

Risk scores and conditions are those of elastic/detection-rules as of 2026-08-21, in words of our own. Each rule reads
the operating system that it is published for. As with the other peers, lists of web services are replaced by the
catalogue, and so are lists of messengers' clients and publishers. What is excluded and never talks to a messenger is
left out: OneDrive's own folder at SharePoint, fixed command lines of `cmd.exe`.

A trusted signature is one that the event says is valid. A system's account is known by its name, for events have no
user ids. Two rules read the start of a process; an event of the process tells the same of it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.catalogue_tables import names, read

Event = Mapping[str, Any]
"""Columns of one communication, and `new_term`: whether the peer `new-terms-7` alerts on it."""

COLUMNS = (
    *("event_id", "os", "program", "user_name", "process_path", "process_command_line", "process_sha256"),
    *("process_signature_status", "process_signer", "parent_process_name", "remote_host"),
)
"""Of `ACTIVITY_SCHEMA`: what the rules read."""

_PROGRAMS = re.compile(
    r"c:\\program files( \(x86\))?\\.*\.exe$"
    r"|c:\\users\\.*\\appdata\\local\\(bravesoftware\\.*\\application\\brave|google\\chrome\\application\\chrome"
    r"|microsoft\\onedrive\\onedrive|programs\\opera.*\\opera|programs\\fiddler\\fiddler|powertoys\\powertoys"
    r"|vivaldi\\application\\vivaldi|zen browser\\zen)\.exe$"
    r"|c:\\users\\.*\\wavesor software\\wavebrowser\\wavebrowser\.exe$"
    r"|c:\\programdata\\microsoft\\windows defender\\platform\\.*\\msmpeng\.exe$"
    r"|c:\\windows\\(system32\\(microsoftedgecp|mobsync|svchost|smartscreen|wsl|wwahost)|syswow64\\mobsync)\.exe$"
)
_SIGNERS = frozenset(
    (
        *("johannes schindelin", "redis inc.", "slack technologies, llc", "cisco systems, inc.", "dropbox, inc"),
        *("amazon.com services llc", "island technology inc.", "github, inc.", "red hat, inc", "mozilla corporation"),
        *("spotify ab", "deepl se", "google llc", "anthropic, pbc", "openai opco, llc", "anysphere, inc."),
        "perplexity ai, inc.",
    )
)
_DISCORD = frozenset(("discord.com", "cdn.discordapp.com", "discordapp.com"))
_SYSTEM = re.compile(r"nt authority\\|(system|local service|network service)$")
_LINUX_PROGRAMS = re.compile(
    r"/usr/lib/systemd/systemd-resolved$|/usr/bin/(dockerd|warp-svc|google_osconfig_agent|pihole-ftl)$"
    r"|/snap/(firefox/.*/usr/lib/firefox/firefox|chromium/.*/usr/lib/chromium-browser/chrome)$"
    r"|/opt/google/chrome/chrome$|/usr/local/bin/rclone$|/var/lib/docker/overlay2/.*/merged/usr/local/bin/node$"
    r"|/opt/google-cloud-ops-agent/|(/opt/elastic/agent|/var/lib/elastic-agent)/data/elastic-agent-"
)
_CHILDREN = re.compile(r"c:\\program files( \(x86\))?\\.*\.exe$|c:\\windows\\(system32|syswow64)\\werfault\.exe$")
_BROWSERS = re.compile(
    r"c:\\users\\.*\\appdata\\local\\(google\\chrome\\application\\chrome|island\\island\\application\\island"
    r"|mozilla firefox\\firefox|programs\\opera\\opera)\.exe$"
)


@dataclass(frozen=True)
class Rule:
    """A prebuilt rule.

    Args:
        file: its name in the repository.
        risk: its `risk_score`.
        os: of the hosts that it is for.
        fires: whether it does on an event of such a host.
    """

    file: str
    risk: int
    os: str
    fires: Callable[[Event], bool]


def risk_of(event: Event) -> int:
    """The highest risk score of the rules that fire on an event; 0: none does."""
    return max((rule.risk for rule in RULES if rule.os == event["os"] and rule.fires(event)), default=0)


def _lower(event: Event, name: str) -> str:
    return (event[name] or "").lower()


def _trusted_signer(event: Event) -> str:
    """In lower case; empty without a valid signature."""
    return _lower(event, "process_signer") if event["process_signature_status"] == "signed" else ""


def _web_service(event: Event) -> bool:
    signer, host = _trusted_signer(event), _lower(event, "remote_host")
    discord = event["program"] == "discord.exe" and signer == "discord inc." and host in _DISCORD
    excluded = _PROGRAMS.match(_lower(event, "process_path")) or _SYSTEM.match(_lower(event, "user_name"))
    return bool(host) and not (excluded or discord or signer in _SIGNERS)


def _linux_lookup(event: Event) -> bool:
    return bool(event["remote_host"]) and not _LINUX_PROGRAMS.match(_lower(event, "process_path"))


def _telegram_api(event: Event) -> bool:
    return event["program"] in ("curl", "wget") and "api.telegram.org" in _lower(event, "process_command_line")


@functools.cache
def _publishers(program: str) -> frozenset[str]:
    """Who signs a messenger's client of this name on Windows; nobody: it is none, or nobody is known."""
    return frozenset(
        publisher.lower()
        for service in read("services.yaml")["services"]
        if ("windows", program) in names(service, "clients")
        for publisher in service.get("publishers", {}).get("windows", [])
    )


def _masquerades(event: Event) -> bool:
    publishers = _publishers(event["program"])
    return bool(publishers and event["process_sha256"]) and _trusted_signer(event) not in publishers


def _client_child(event: Event) -> bool:
    publishers, signer = _publishers(_lower(event, "parent_process_name")), _trusted_signer(event)
    path = _lower(event, "process_path")
    excluded = _CHILDREN.match(path) or (signer and _BROWSERS.match(path))
    return bool(publishers) and signer not in publishers and not excluded


RULES = (
    Rule("command_and_control_common_webservices.toml", 21, "windows", _web_service),
    Rule(
        "command_and_control_unusual_network_connection_to_suspicious_web_service.toml",
        47,
        "macos",
        lambda event: event["new_term"],
    ),
    Rule("command_and_control_dns_to_commonly_abused_webservices.toml", 21, "linux", _linux_lookup),
    Rule("command_and_control_telegram_api_request.toml", 47, "linux", _telegram_api),
    Rule("defense_evasion_masquerading_communication_apps.toml", 47, "windows", _masquerades),
    Rule("defense_evasion_communication_apps_suspicious_child_process.toml", 47, "windows", _client_child),
)
"""The third is a building block: Elastic keeps its risk score, and shows no alert."""
