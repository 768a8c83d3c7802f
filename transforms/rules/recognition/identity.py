"""Who communicates: origin, script, execution and context of an event (specification, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.command_line import Engines, reduce_fingerprint
from uncommon_im.transforms.rules.recognition.paths import Locations
from uncommon_im.transforms.rules.recognition.suspicion import Process, Suspicions


@dataclass(frozen=True)
class Actor:
    """What of an event decides who communicates; texts are normalised, `None` if missing.

    The command lines may be left out where the program is no scripting engine. `known_execution` is the fingerprint of
    an execution of which only that is known.
    """

    process: Process
    command_line: str | None = None
    causality_name: str | None = None
    causality_command_line: str | None = None
    known_execution: str | None = None


@dataclass(frozen=True)
class Identity:
    """The program of an event, and what can change its verdict."""

    name: str
    origin: str
    script: str
    reduced_script: str
    fingerprint: str | None
    reasons: tuple[str, ...]
    parent: str | None


@dataclass(frozen=True)
class Identities:
    """The catalogue's view of processes, ready for lookups."""

    catalogue: Catalogue

    def identify(self, actor: Actor, service_id: str | None) -> Identity:
        """The identity behind an event.

        Args:
            actor: the process and what started it.
            service_id: the service that the event talks to; `None` if it is no communication.
        """
        process = actor.process
        fingerprint = self.execution(actor)
        scripted = self.engines.find(process.name) is not None or self.suspicions.is_suspicious_class(
            process.name, process.os
        )
        script = fingerprint if fingerprint and scripted else ""
        return Identity(
            name=process.name.lower(),
            origin=self.origin(process),
            script=script,
            reduced_script=reduce_fingerprint(
                script, lambda path: self.locations.fold_script_location(path, process.os)
            ),
            fingerprint=fingerprint,
            reasons=self.suspicions.reasons(process, service_id),
            parent=base_name(process.parent_name or "").lower() or None,
        )

    def origin(self, process: Process) -> str:
        """The signer of a signed program, else its signature status and folded folder."""
        if process.signature_status == "signed" and process.signer:
            return process.signer.lower()
        status = "unsigned" if process.signature_status in ("unsigned", "invalid") else "unknown"
        folder = self.locations.fold_folder(process.path, process.os) if process.path else ""
        return f"{status}:{folder}"

    def execution(self, actor: Actor) -> str | None:
        """Fingerprint of the actor's execution, else of its causality owner's, else `None`."""
        process = actor.process
        return actor.known_execution or self.engines.execution(
            process.os,
            process.name,
            process.path,
            actor.command_line,
            actor.causality_name,
            actor.causality_command_line,
        )

    @cached_property
    def engines(self) -> Engines:
        """The scripting engines."""
        return Engines(self.catalogue)

    @cached_property
    def locations(self) -> Locations:
        """The suspicious locations."""
        return Locations(self.catalogue)

    @cached_property
    def suspicions(self) -> Suspicions:
        """The reasons of suspicion."""
        return Suspicions(self.catalogue)
