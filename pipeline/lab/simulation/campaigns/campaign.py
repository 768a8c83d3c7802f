"""What a campaign is, and all of them: campaigns.yaml, which explains each field."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from uncommon_im.pipeline.lab.simulation.organisation.software import Program
from uncommon_im.schemas.decoding import Entry, Text, decode
from uncommon_im.schemas.documents import packaged_yaml

Count = Annotated[int, Meta(ge=0)]


class Hosts(Entry, frozen=True):
    """The kind of host on which a campaign happens."""

    os: Literal["windows", "macos", "linux"]
    department: str | None = None
    role: str = "workstation"
    strict: bool = False


class Transfer(Entry, frozen=True):
    """What one connection carries to a host name or to `telegram-datacentre`; `sent` and `received` in bytes, about."""

    to: Text
    sent: Count = 1_800
    received: Count = 4_200
    by_name: bool = True


class Label(Entry, frozen=True, kw_only=True):
    """What happens, and what a detector should make of it."""

    name: Text
    title: Text
    expected: Literal["base", "suspicious_process", "uncommon_scripting_engine", "none"]
    why: Text
    technique: str = ""
    source: str = ""
    malicious: bool = True


class Campaign(Label, frozen=True, kw_only=True):
    """A label, and how what it says is acted out; `first` and `every` in seconds."""

    hosts: Hosts
    program: str | Program
    at: float = 0
    daily: bool = False
    starts: bool = True
    transfers: tuple[Transfer, ...]
    first: Count = 0
    every: Count = 0
    times: Count = 1


class CampaignsFile(Entry, frozen=True):
    """All that has a label: the gap of the telemetry, changes in ordinary traffic, and campaigns."""

    gap: Label
    changes: tuple[Label, ...]
    campaigns: tuple[Campaign, ...]


_FILE: Final = decode(packaged_yaml(__package__, "campaigns.yaml"), CampaignsFile, "campaigns.yaml")
GAP: Final = _FILE.gap
CHANGES: Final = _FILE.changes
CAMPAIGNS: Final = _FILE.campaigns
