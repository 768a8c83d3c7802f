"""Building blocks of random organisations: tenants, hosts, programs, destinations, moments."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

Record = dict[str, Any]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST_DAY = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 62
TELEGRAM: Record = {"remote_host": "web.telegram.org", "remote_port": 443}
TELEGRAM_BOT: Record = {"remote_host": "api.telegram.org", "remote_port": 443}
DISCORD: Record = {"remote_host": "gateway.discord.gg", "remote_port": 443}
DISCORD_CDN: Record = {"remote_host": "cdn.discordapp.com", "remote_port": 443}
SLACK: Record = {"remote_host": "hooks.slack.com", "remote_port": 443}
TEAMS: Record = {"remote_host": "teams.microsoft.com", "remote_port": 443}
WHATSAPP: Record = {"remote_host": "mmg.whatsapp.net", "remote_port": 443}
ELSEWHERE: Record = {"remote_host": "www.example.com", "remote_port": 443}
SERVICES = (TELEGRAM, TELEGRAM_BOT, DISCORD, DISCORD_CDN, SLACK, TEAMS, WHATSAPP)


def signed(name: str, signer: str, os: str = "windows") -> Record:
    """A signed program in a quiet folder."""
    folder = "C:\\Program Files\\Vendor 1.2\\" if os == "windows" else "/opt/vendor-1.2/"
    return {
        "process_name": name,
        "process_path": folder + name,
        "process_signature_status": "signed",
        "process_signer": signer,
        "os": os,
    }


def plain(name: str, folder: str, os: str | None = "linux", status: str | None = None) -> Record:
    """A program that nobody signed, or of which nobody knows who did."""
    program: Record = {"process_name": name, "process_path": folder + name}
    if os is not None:
        program["os"] = os
    if status is not None:
        program["process_signature_status"] = status
    return program


def command(path: str, line: str, os: str = "linux") -> Record:
    """A process with its command line."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    program: Record = {"process_name": name, "process_path": path, "os": os, "process_command_line": line}
    if os == "windows":
        program |= {"process_signature_status": "signed", "process_signer": "Microsoft Windows"}
    return program


def discord() -> Record:
    """Discord's own client."""
    return signed("Discord.exe", "Discord Inc.")


def chrome() -> Record:
    """A browser."""
    return signed("chrome.exe", "Google LLC")


@dataclass
class Builder:
    """Collects the records of one organisation."""

    rng: random.Random
    tenants: dict[str, list[int]]
    records: list[Record] = field(default_factory=list)
    exceptions: list[Record] = field(default_factory=list)
    names: int = 0

    def unique(self, stem: str) -> str:
        """A name that nothing else in this organisation has."""
        self.names += 1
        return f"{stem}{'abcdefghijklmnopqrstuvwxyz'[self.names % 26]}q{self.names // 26}"

    def hosts(self, count: int, stem: str = "pc") -> list[str]:
        """New hosts."""
        return [self.unique(stem) for _ in range(count)]

    def later(self, low: int = 33, high: int = 57) -> int:
        """A day that has a full window before it in a tenant that never paused."""
        return self.rng.randint(low, high)

    def moment(self) -> int:
        """A time of the day, in microseconds, often with nothing below a second."""
        moment = self.rng.randrange(DAY)
        return moment - moment % SECOND if self.rng.random() < 0.5 else moment

    def add(self, tenant: str, host: str, day: int, at: int, *parts: Record, **more: Any) -> Record:
        """One record; `at` is in microseconds from the beginning of the day, later parts win."""
        record: Record = {"event_time": self.write_time(day * DAY + at), "host_id": host}
        if tenant != "default" or self.rng.random() < 0.5:
            record["tenant_id"] = tenant
        if self.rng.random() < 0.7:
            record["event_id"] = f"{self.rng.getrandbits(64):016x}"
        for part in parts:
            record |= part
        record |= more
        self.records.append(record)
        return record

    def write_time(self, microseconds: int) -> int | str:
        """A moment after the first day, written as one of the forms that JSON takes."""
        moment = FIRST_DAY + timedelta(microseconds=microseconds)
        if moment.microsecond % 1000 == 0 and self.rng.random() < 0.3:
            return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        if self.rng.random() < 0.1:
            there = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
            return there.isoformat(timespec="microseconds")
        if moment.microsecond == 0 and self.rng.random() < 0.5:
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
