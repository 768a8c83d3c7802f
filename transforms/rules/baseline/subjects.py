"""Subjects: what can be common or rare (specification, section 1).

A subject is written as a JSON list that begins with its kind, so that any tool can read it and no two share a text.
"""

from __future__ import annotations

from json.encoder import encode_basestring as _quoted
from typing import Final, Literal

from uncommon_im.transforms.rules.recognition.identity import Identity

SubjectKind = Literal["communication", "execution", "parentage", "binary", "hour_of_day", "service_use"]
KINDS: Final[tuple[SubjectKind, ...]] = (
    *("communication", "execution", "parentage", "binary", "hour_of_day"),
    "service_use",  # the specification's service subject; `service` is a service's id
)
SHOWN_BY_COMMUNICATIONS: Final[tuple[SubjectKind, ...]] = ("communication", "parentage", "binary", "service_use")
"""What the host of a communication shows. Executions are shown by all events, and hours of the day have no host."""
NO_HOST: Final = ""
"""Placeholder for subjects that are not counted per host (hour of day, telemetry). No host is called so."""


def subject(kind: SubjectKind, *parts: str) -> str:
    """The text of a subject.

    >>> subject("execution", "python|stdin")
    '["execution","python|stdin"]'
    """
    return f"[{','.join(map(_quoted, (kind, *parts)))}]"


def communication(identity: Identity, service_id: str) -> str:
    """program -> service."""
    return subject("communication", identity.name, identity.origin, identity.script, service_id)


def execution(fingerprint: str) -> str:
    """A scripting engine and what it runs."""
    return subject("execution", fingerprint)


def parentage(parent: str, identity: Identity) -> str:
    """parent name -> program."""
    return subject("parentage", parent, identity.name, identity.origin, identity.script)


def hour_of_day(service_id: str, hour: int) -> str:
    """service in an hour of the day, 0 to 23, in the run's time zone; not counted per host."""
    return subject("hour_of_day", service_id, str(hour))


def service_use(service_id: str) -> str:
    """anybody -> service: any program of the host used it."""
    return f'["service",{_quoted(service_id)}]'


def binary(sha256: str) -> str:
    """The image, by its hash."""
    digest = sha256.lower()
    return f'["binary","{digest}"]' if digest.isalnum() else subject("binary", digest)
