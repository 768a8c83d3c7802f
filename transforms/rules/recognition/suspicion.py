"""Reasons of suspicion, and who is a resolver (specification, sections 3 and 4)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.paths import Locations, with_slashes

_WINDOWS_FOLDER: Final = re.compile(r"^(?://[?.]/)?(?:[a-z]:|/?device/harddiskvolume[0-9]+)/windows/")
_DOUBLE_EXTENSION: Final = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|rtf|txt|csv|jpe?g|png|gif|mp3|mp4|zip|rar|7z|html)"
    r"\.(?:exe|scr|com|pif|bat|cmd|js|vbs|ps1|msi)$"
)
_UPDATERS: Final = frozenset(("update.exe", "squirrel.exe"))
_DOCUMENT_CLASSES: Final = frozenset(("office", "mail-client", "pdf-reader"))
_COMMON_NAME: Final = re.compile(r"(?:^|,\s*)CN=(?:\"([^\"]*)\"|(.*?)(?=,\s*[A-Za-z.0-9]+=|$))", re.IGNORECASE)
_TEAM_ID: Final = re.compile(r"\s*\(([A-Za-z0-9]+)\)$")
_DEVELOPER_ID: Final = "developer id application:"
_PLATFORM_PUBLISHERS: Final = ("microsoft ", "apple ")

KnownBy = Literal["signature", "name"]
"""What says that a program is a service's own client: its publisher's signature, or nothing but its name."""


@dataclass(frozen=True)
class Process:
    """What of an event's process decides about suspicion; texts are normalised, `None` if missing."""

    os: str | None
    name: str
    path: str | None = None
    signature_status: str | None = None
    signer: str | None = None
    parent_name: str | None = None


@dataclass(frozen=True)
class Suspicions:
    """The catalogue's process classes, publishers and locations, ready for lookups."""

    catalogue: Catalogue

    def reasons(self, process: Process, service_id: str | None) -> tuple[str, ...]:
        """All reasons of suspicion that hold, sorted.

        Args:
            process: the actor.
            service_id: the service it talks to; `None` outside a communication.
        """
        return tuple(sorted(set(self._reasons(process, service_id))))

    def is_resolver(self, process: Process) -> bool:
        """True if the process looks names up on behalf of others."""
        return self.in_class("resolver", process.name, process.os)

    def is_suspicious_class(self, name: str, os: str | None) -> bool:
        """True if the name is in a class of role `suspicious`, scripting engines included."""
        return not self._suspicious_classes.isdisjoint(self._classes_of(name, os))

    def in_class(self, class_id: str, name: str | None, os: str | None) -> bool:
        """True if the class lists the name for that system (for any, if the system is missing)."""
        return class_id in self._classes_of(name, os)

    def clients(self, process: Process) -> dict[str, KnownBy]:
        """The services whose own client this is, in the catalogue's order, and what says so.

        A client is known by its name; a signature of somebody else, or none where programs have one, speaks against it.
        """
        if _is_unsigned(process):
            return {}
        signer = process.signer
        found: dict[str, KnownBy] = {}
        for service_id, platform, publishers in self._clients.get(process.name.lower(), ()):
            by_publisher = signer is not None and bool(signer_names(signer) & publishers)
            by_another = signer is not None and bool(publishers) and not by_publisher
            if process.os in (None, platform) and not by_another:
                signed = by_publisher and process.signature_status == "signed"
                found[service_id] = "signature" if signed else "name"
        return found

    def is_of_publisher(self, process: Process, service_id: str | None) -> bool:
        """Whether a valid signature says that a service's own publisher made the program."""
        service = self.catalogue.services_by_id.get(service_id or "")
        if service is None or process.signature_status != "signed" or not process.signer:
            return False
        return bool(signer_names(process.signer) & service.publishers)

    def _reasons(self, process: Process, service_id: str | None) -> Iterator[str]:
        name = process.name.lower()
        if _is_unsigned(process):
            yield "unsigned"
        for class_id in self._reason_classes & self._classes_of(name, process.os):
            if not self._expected(class_id, process, service_id):
                yield class_id
        if process.path and self._locations.end(with_slashes(process.path), process.os):
            yield "untrusted_path"
        if self._masquerades(process, name):
            yield "masquerading"
        if _DOUBLE_EXTENSION.search(name):
            yield "double_extension"
        if not _DOCUMENT_CLASSES.isdisjoint(self._classes_of(process.parent_name, process.os)):
            yield "office_child"

    def _expected(self, class_id: str, process: Process, service_id: str | None) -> bool:
        """Office talks to Teams, and a client's own updater to its service."""
        if class_id == "office":
            return service_id == "microsoft-teams"
        return process.name.lower() in _UPDATERS and self.is_of_publisher(process, service_id)

    def _masquerades(self, process: Process, name: str) -> bool:
        publishers = self._publishers.get((name, process.os), frozenset())
        if publishers and process.signature_status == "signed" and process.signer:
            names = signer_names(process.signer)
            if not names & publishers and not any(n.startswith(_PLATFORM_PUBLISHERS) for n in names):
                return True
        if process.os not in (None, "windows") or not process.path:
            return False
        return self.in_class("system-service", name, "windows") and not _WINDOWS_FOLDER.match(
            with_slashes(process.path)
        )

    @cached_property
    def _locations(self) -> Locations:
        return Locations(self.catalogue)

    def _classes_of(self, name: str | None, os: str | None) -> frozenset[str]:
        """The classes that list a name for that system (for any, if the system is missing)."""
        return frozenset() if name is None else self._classes.get((base_name(name).lower(), os), frozenset())

    @cached_property
    def _suspicious_classes(self) -> frozenset[str]:
        return frozenset(c.id for c in self.catalogue.classes if c.role == "suspicious")

    @cached_property
    def _reason_classes(self) -> frozenset[str]:
        return self._suspicious_classes - frozenset(self.catalogue.engine_classes)

    @cached_property
    def _classes(self) -> dict[tuple[str, str | None], frozenset[str]]:
        """(name, system) -> the classes that list it there."""
        found: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
        for process_class in self.catalogue.classes:
            for platform, names in process_class.names.items():
                for name in names:
                    found[name, platform].add(process_class.id)
                    found[name, None].add(process_class.id)
        return {key: frozenset(classes) for key, classes in found.items()}

    @cached_property
    def _clients(self) -> dict[str, list[tuple[str, str, frozenset[str]]]]:
        """Client name -> (service, system, its publishers), in the order of the catalogue."""
        found: defaultdict[str, list[tuple[str, str, frozenset[str]]]] = defaultdict(list)
        for service in self.catalogue.services:
            for platform, names in service.clients.items():
                for name in names:
                    found[name].append((service.id, platform, service.publishers))
        return dict(found)

    @cached_property
    def _publishers(self) -> dict[tuple[str, str | None], frozenset[str]]:
        """(name, system) -> publishers of the browser or clients of that name."""
        browser = self.catalogue.process_class("browser")
        sources = [(browser.names, browser.publishers)]
        sources += [(service.clients, service.publishers) for service in self.catalogue.services]
        found: dict[tuple[str, str | None], frozenset[str]] = {}
        for names_by_platform, publishers in sources:
            for platform, names in names_by_platform.items():
                for name in names:
                    for key in ((name, platform), (name, None)):
                        found[key] = found.get(key, frozenset()) | publishers
        return found


def _is_unsigned(process: Process) -> bool:
    """True where programs are signed and this one is not."""
    return process.os in ("windows", "macos") and process.signature_status in ("unsigned", "invalid")


def signer_names(signer: str) -> frozenset[str]:
    """The names by which a signer may be listed, lower case: CN without "Developer ID Application:", and team id.

    >>> sorted(signer_names("Developer ID Application: Discord, Inc. (53Q6R32WPB)"))
    ['53q6r32wpb', 'discord, inc.', 'discord, inc. (53q6r32wpb)']
    """
    found = _COMMON_NAME.search(signer)
    name = (found[1] or found[2] or "").strip() if found else signer.strip()
    if name.lower().startswith(_DEVELOPER_ID):
        name = name[len(_DEVELOPER_ID) :].strip()
    names = {name.lower()}
    team = _TEAM_ID.search(name)
    if team:
        names |= {team[1].lower(), name[: team.start()].lower()}
    return frozenset(names)
