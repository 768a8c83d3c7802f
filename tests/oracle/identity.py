"""Programs and suspicion reasons (the detector's specification, section 4)."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.oracle import catalogue, folding
from tests.oracle.command_lines import engine_of, execution_of
from tests.oracle.events import Event, base_name

DOUBLE_EXTENSION = re.compile(
    r"\.(pdf|docx?|xlsx?|pptx?|rtf|txt|csv|jpg|jpeg|png|gif|mp3|mp4|zip|rar|7z|html)"
    r"\.(exe|scr|com|pif|bat|cmd|js|vbs|ps1|msi)$"
)
COMMON_NAME = re.compile(r"(?:^|,\s*)cn\s*=\s*(?:\"([^\"]*)\"|(.*?)(?=\s*,\s*[a-z0-9.]+\s*=|$))")
TEAM_ID = re.compile(r"\s*\(([a-z0-9]+)\)$")
DEVELOPER = "developer id application:"


class Program(NamedTuple):
    """Process identity."""

    name: str
    origin: str
    script: str


def origin_of(event: Event) -> str:
    """The signer of a signed program; else how it is signed and the folder it lies in."""
    status = event.text("process_signature_status")
    signer = event.text("process_signer")
    if status == "signed" and signer is not None:
        return signer.lower()
    word = "unsigned" if status in ("unsigned", "invalid") else "unknown"
    path = event.text("process_path")
    return f"{word}:{folding.fold_folder(path, event.os) if path is not None else ''}"


def suspicious_classes(event: Event) -> list[str]:
    """Ids of the classes of role `suspicious` that list the process, scripting engines included."""
    return [
        entry.id
        for entry in catalogue.load().classes.values()
        if entry.role == "suspicious" and entry.has(event.name, event.os)
    ]


def program_of(event: Event) -> Program:
    """(image name, origin, script)."""
    execution = execution_of(event)
    has_script = engine_of(event.name) is not None or bool(suspicious_classes(event))
    return Program(event.name, origin_of(event), execution if execution and has_script else "")


def signer_names(signer: str) -> set[str]:
    """The names a signer may be known by: its CN without the developer prefix, and its team id."""
    text = signer.lower()
    found = COMMON_NAME.search(text)
    name = (found.group(1) or found.group(2)) if found else text
    name = name.strip().removeprefix(DEVELOPER).strip()
    team = TEAM_ID.search(name)
    return {name} | ({name[: team.start()], team.group(1)} if team else set())


def signed_by(event: Event, publishers: frozenset[str]) -> bool:
    """Whether the process is signed and its signer is one of these publishers."""
    signer = event.text("process_signer")
    signed = event.text("process_signature_status") == "signed"
    return signed and signer is not None and bool(signer_names(signer) & publishers)


def class_reasons(event: Event, service: str) -> list[str]:
    """The suspicious classes of a process that is no scripting engine by class."""
    reasons = [name for name in suspicious_classes(event) if not name.startswith("script-engine-")]
    client = catalogue.load().clients.get(service)
    if event.name in ("update.exe", "squirrel.exe") and client and signed_by(event, client.publishers):
        return []
    if service == "microsoft-teams":
        return [reason for reason in reasons if reason != "office"]
    return reasons


def known_publishers(event: Event) -> frozenset[str]:
    """Who signs the browser or IM client of this name, as far as the catalogue knows."""
    named = [catalogue.load().classes["browser"], *catalogue.load().clients.values()]
    return frozenset().union(*(entry.publishers for entry in named if entry.has(event.name, event.os)))


def is_masquerading(event: Event) -> bool:
    """A browser or client with another's signature, or a Windows system process outside its folder."""
    services = catalogue.load().classes["system-service"].names["windows"]
    is_system_name = event.os in (None, "windows") and event.name in services
    if is_system_name and folding.outside_windows_folder(event.text("process_path")):
        return True
    publishers = known_publishers(event)
    signer = event.text("process_signer")
    if not publishers or signer is None or event.text("process_signature_status") != "signed":
        return False
    names = signer_names(signer)
    trusted = any(name.startswith(("microsoft ", "apple ")) for name in names)
    return not names & publishers and not trusted


def is_office_child(event: Event) -> bool:
    """Whether the parent is an Office program, mail client or PDF reader."""
    parent = event.text("parent_process_name")
    if parent is None:
        return False
    name = base_name(parent).lower()
    classes = catalogue.load().classes
    return any(classes[class_id].has(name, event.os) for class_id in ("office", "mail-client", "pdf-reader"))


def suspicion_reasons(event: Event, service: str) -> tuple[str, ...]:
    """All reasons that hold for a communication with this service, sorted."""
    reasons = class_reasons(event, service)
    status = event.text("process_signature_status")
    path = event.text("process_path")
    if event.os in ("windows", "macos") and status in ("unsigned", "invalid"):
        reasons.append("unsigned")
    if path is not None and folding.in_suspicious_location(path, event.os):
        reasons.append("untrusted_path")
    if is_masquerading(event):
        reasons.append("masquerading")
    if DOUBLE_EXTENSION.search(event.name):
        reasons.append("double_extension")
    if is_office_child(event):
        reasons.append("office_child")
    return tuple(sorted(set(reasons)))


def reduced_script(script: str, os: str | None) -> str:
    """Code counts by its kind only, a file in a suspicious location by the location."""
    if not script:
        return ""
    engine, what = script.split("|", 1)
    kind, _, value = what.partition(":")
    if kind == "script":
        return f"{engine}|script:{folding.fold_location(value, os, folded=True)}"
    return script if kind == "module" else f"{engine}|{kind}"
