"""What a campaign is, and what happens beside campaigns: campaigns.yaml, which says what each is."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from uncommon_im.pipeline.lab.simulation.organisation.software import Program
from uncommon_im.schemas.decoding import Entry, NonEmpty, Text, decode
from uncommon_im.schemas.documents import packaged_yaml

Word = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="a word of small letters, digits and -")]
Technique = Annotated[
    str, Meta(pattern=r"^(T\d{4}(\.\d{3})?)?$", description="an id of ATT&CK such as T1102.002 ('' if harmless)")
]
Count = Annotated[int, Meta(ge=0, description="a whole number from 0 on")]
Number = Annotated[int, Meta(ge=1, description="a whole number from 1 on")]
Hour = Annotated[float, Meta(ge=0, lt=24, description="an hour from 0 to below 24")]
Share = Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")]
System = Literal["windows", "macos", "linux"]
Fact = Literal[
    "technique",
    "platforms",
    "service",
    "remote_hosts",
    "process",
    "location",
    "signer",
    "engine",
    "command_line",
    "parent",
    "rhythm",
    "volume",
    "hosts",
]
"""What a source may state; what it does not is judgement."""


class Hosts(Entry, frozen=True):
    """The hosts on which a campaign happens: `count`, or `share` of all of their kind if that is more.

    `named` is a name of their own, in which `{host}`, `{day}` and `{number}` stand for the host's usual name, the day
    of the telemetry and the host's place among those picked.
    """

    os: System
    department: str | None = None
    role: Literal["workstation", "ci", "monitoring", "backup"] = "workstation"
    strict: bool = False
    count: Number = 1
    share: Share = 0
    named: Text | None = None


class Transfer(Entry, frozen=True):
    """What one connection carries to a host name or to `telegram-datacentre`; `sent` and `received` in bytes, about."""

    to: Text
    sent: Count = 1_800
    received: Count = 4_200
    by_name: bool = True


class Rhythm(Entry, frozen=True):
    """When a campaign's program starts and connects; `first` and `every` in seconds, `at` in the host's local time.

    Campaigns begin when the baseline is full, `early` ones before there is one.
    """

    at: Hour = 0
    days: Literal["working", "weekend", "any", "early"] = "working"
    daily: bool = False
    starts: bool = True
    first: Count = 0
    every: Count = 0
    times: Number = 1


class Story(Entry, frozen=True, kw_only=True):
    """What happens, and what a detector should make of it."""

    title: Text
    kind: Word = msgspec.field(name="class")
    malicious: bool
    technique: Technique = ""
    sources: tuple[Text, ...] = ()
    expected: Literal["base", "suspicious_process", "uncommon_scripting_engine", "none"]
    why: Text


class Label(Story, frozen=True, kw_only=True):
    """A story of its own name."""

    name: Word


class Card(Story, frozen=True, kw_only=True):
    """A campaign as its file has it, with all that acts it out."""

    technique: Technique
    sources: tuple[Text, ...]
    stated: tuple[Fact, ...]
    platforms: NonEmpty[System]
    service: Text
    engine: str
    hosts: Hosts
    program: str | Program
    rhythm: Rhythm
    transfers: NonEmpty[Transfer]
    act: Literal["as-written", "roll-out", "new-hire", "working-days", "outbreak"] = "as-written"


class Campaign(Card, frozen=True, kw_only=True):
    """A card and its name."""

    name: Word


class CampaignsFile(Entry, frozen=True):
    """What has a label and no card, and the names of the campaigns that are planted unless others are chosen."""

    gap: Label
    changes: tuple[Label, ...]
    default: tuple[Word, ...]


_FILE: Final = decode(packaged_yaml(__package__, "campaigns.yaml"), CampaignsFile, "campaigns.yaml")
GAP: Final = _FILE.gap
CHANGES: Final = _FILE.changes
DEFAULT: Final = _FILE.default
