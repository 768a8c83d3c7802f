"""The spellings of Cortex XDR: of numbers, times, enumerations, and of nothing."""

from __future__ import annotations

import random
from datetime import UTC, timedelta, timezone
from typing import Any, Final

from tests.dialects.portable import as_time
from tests.oracle.events import DeadLetterError, clean_text, parse_time

Fields = dict[str, Any]

SIGNATURES: Final[dict[str, tuple[object, ...]]] = {
    "signed": ("ENUM.SIGNED", "SIGNED", "Signed", "SIGNATURE_SIGNED", "Verified", "Valid", 1, "1", 1.0, "SIGNED_VALID"),
    "unsigned": ("ENUM.UNSIGNED", "Unsigned", "SIGNATURE_UNSIGNED", "NOT_SIGNED", 3, "3"),
    "invalid": ("Invalid Signature", "ENUM.INVALID", "Revoked", "SIGNATURE_FAILED", "Signature Fail", 2, 7, "Expired"),
    "unknown": ("Signature Unavailable", "ENUM.FAILED_TO_OBTAIN", "WEAK_HASH", 4, 5, 6, 8, "something new"),
}
SYSTEMS: Final[dict[str, tuple[object, ...]]] = {
    "windows": ("ENUM.AGENT_OS_WINDOWS", "AGENT_OS_WINDOWS", "Windows", "WINDOWS", 1, "1"),
    "macos": ("ENUM.AGENT_OS_MAC", "AGENT_OS_MAC", "macOS", "Mac"),
    "linux": ("ENUM.AGENT_OS_LINUX", "AGENT_OS_LINUX", "Linux"),
    "other": ("AGENT_OS_ANDROID", "ENUM.AGENT_OS_SOLARIS", "agent_os_type_unknown_9"),
}
PROTOCOLS: Final[dict[str, tuple[object, ...]]] = {
    "tcp": (6, "6", "TCP"),
    "udp": (17, "17", "UDP"),
    "http": ("HTTP", "ENUM.HTTP"),
}
YES: Final[tuple[object, ...]] = (True, "true", "True", 1)
NO: Final[tuple[object, ...]] = (False, "false", 0, "0")
NOTHING: Final[tuple[object, ...]] = (None, "N/A", "UNKNOWN", "-", "", [], [None], {})

Kind = tuple[object, object]
CONNECTIONS: Final[tuple[Kind, ...]] = (
    ("NETWORK", "NETWORK_STREAM_CONNECT"),
    ("ENUM.NETWORK", "ENUM.NETWORK_STREAM_CONNECT"),
    ("NETWORK", "NETWORK_HTTP_HEADER"),
    ("network", "event_sub_type_unknown_77"),
    ("STORY", None),
    ("ENUM.STORY", "NETWORK_STREAM_DISCONNECT"),
    ("STORY", 2),
    ("Network Connections", None),
    ("Network Event", "N/A"),
)
FORWARDED_CONNECTIONS: Final[tuple[Kind, ...]] = ((2, 3), ("2", "3"), ([2], [3]), (2.0, 9), (2, None))
UNTYPED: Final[tuple[Kind, ...]] = (("event_type_unknown_4", "event_sub_type_unknown_9"), (None, None), ({}, []))
ACCEPTED: Final[tuple[Kind, ...]] = (
    ("NETWORK", "NETWORK_STREAM_ACCEPT"),
    ("STORY", "ENUM.NETWORK_STREAM_ACCEPT"),
    (2, 2),
    ("2", ["2"]),
    ("event_type_unknown_4", "NETWORK_STREAM_ACCEPT"),
)
FAILED: Final[tuple[Kind, ...]] = (
    ("NETWORK", "NETWORK_STREAM_CONNECT_FAILED"),
    ("ENUM.NETWORK", "ENUM.NETWORK_CONNECT_FAILED"),
    ("STORY", ["NETWORK_STREAM_CONNECT_FAILED"]),
    (2, 6),
)
LOOKUPS: Final[tuple[Kind, ...]] = (
    ("NETWORK", "NETWORK_DNS_QUERY"),
    ("ENUM.NETWORK", "ENUM.NETWORK_DNS_QUERY"),
    ("STORY", ["NETWORK_DNS_QUERY"]),
    ("event_type_unknown_4", "network_dns_query"),
)
STARTS: Final[tuple[Kind, ...]] = (
    ("PROCESS", "PROCESS_START"),
    ("ENUM.PROCESS", "ENUM.PROCESS_START"),
    ("Process Execution", None),
    (None, "PROCESS_START"),
)
FORWARDED_STARTS: Final[tuple[Kind, ...]] = ((1, 1), ("1", "1"), ([1], None))


class Speller:
    """Draws spellings."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def held(self, value: object) -> object:
        """A value as it is, or in a list whose first value it is."""
        if self.chance(0.8) or isinstance(value, (list, dict)) or value is None:
            return value
        return self.rng.choice(([value], [None, value], [value, "decoy"]))

    def number(self, value: int) -> object:
        """A number as such, as text, as a number with a fraction."""
        ways: tuple[object, ...] = (value, value, str(value), f" {value} ", float(value))
        return self.held(self.rng.choice(ways))

    def one_of(self, spellings: tuple[object, ...]) -> object:
        """One of several spellings."""
        return self.held(self.rng.choice(spellings))

    def nothing(self) -> Any:
        """One of the ways to say that there is no value."""
        return self.rng.choice(NOTHING)

    def time(self, written: object) -> Fields:
        """An event's time; what is no time stays what it is."""
        if written is None or (isinstance(written, str) and written.strip() in ("", "-")):
            return {"event_timestamp": written} if self.chance(0.5) else {}
        try:
            milliseconds = parse_time(written) // 1000
        except DeadLetterError:
            return {self.rng.choice(("event_timestamp", "_time")): written}
        moment = as_time(milliseconds)
        there = moment.astimezone(timezone(timedelta(hours=-3, minutes=-30)))
        utc = moment.astimezone(UTC)
        ways: tuple[object, ...] = (
            milliseconds,
            milliseconds,
            str(milliseconds),
            float(milliseconds),
            utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z",
            utc.strftime("%Y-%m-%d %H:%M:%S.") + f"{milliseconds % 1000:03} UTC",
            there.isoformat(timespec="milliseconds"),
        )
        value = self.rng.choice(ways)
        value = [value] if self.chance(0.3) else value
        match self.rng.randrange(4):
            case 0:
                return {"_time": value}
            case 1:
                return {"_time": value, "event_timestamp": self.nothing()}
            case 2:
                return {"event_timestamp": value, "_time": milliseconds + 77}
            case _:
                return {"event_timestamp": value}

    def text(self, fields: Fields, value: object, *names: str) -> None:
        """Writes a text into one of several fields that are looked at in this order; none if there is no value."""
        if value is None or (isinstance(value, str) and clean_text(value) is None):
            for name in names:
                if self.chance(0.2):
                    fields[name] = self.nothing()
            return
        place = self.rng.randrange(len(names))
        for name in names[:place]:
            if self.chance(0.5):
                fields[name] = self.nothing()
        fields[names[place]] = self.held(value)
        for name in names[place + 1 :]:
            if self.chance(0.3):
                fields[name] = "decoy"
