"""Normalised events and dead letters (the detector's specification, section 2)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle import catalogue

TEXT_COLUMNS = (
    "event_id", "event_type", "tenant_id", "host_id", "host_name", "user_name", "os", "process_path",
    "process_command_line", "process_sha256", "process_signature_status", "process_signer", "process_guid",
    "parent_process_name", "parent_process_command_line", "causality_process_name",
    "causality_process_command_line", "remote_host", "remote_ip", "protocol", "direction",
)  # fmt: skip
NUMBER_COLUMNS = ("process_pid", "remote_port", "bytes_sent", "bytes_received", "dns_status")
ENUM_COLUMNS = ("event_type", "os", "process_signature_status")
MISSING = {"", "-", "n/a", "unknown", "null"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = int((datetime(2000, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000
LATEST = int((datetime(2100, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1_000_000
RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class DeadLetterError(Exception):
    """The record cannot be used; the message is the reason."""


@dataclass(frozen=True)
class Event:
    """A valid event: its normalised columns (missing ones are absent), with the defaults filled in.

    `document` is its canonical JSON as it came. `completed_from` is the start of its process, if that said anything
    that the event did not.
    """

    columns: dict[str, Any]
    failed: bool = False
    document: str = ""
    completed_from: Event | None = None

    @property
    def time(self) -> int:
        """Microseconds since 1970."""
        return int(self.columns["event_time"])

    @property
    def hour(self) -> int:
        """Hours since 1970."""
        return self.time // 3_600_000_000

    @property
    def day(self) -> int:
        """Days since 1970."""
        return self.time // 86_400_000_000

    @property
    def event_id(self) -> str:
        """The given id, or the digest of the given columns."""
        return str(self.columns["event_id"])

    @property
    def tenant(self) -> str:
        """The tenant, or the run's default."""
        return str(self.columns["tenant_id"])

    @property
    def host(self) -> str:
        """The stable agent id."""
        return str(self.columns["host_id"])

    @property
    def name(self) -> str:
        """The process's base name, lower case."""
        return str(self.columns.get("process_name", "")).lower()

    def text(self, column: str) -> str | None:
        """A text column, or None if it is missing."""
        value = self.columns.get(column)
        return None if value is None else str(value)

    @property
    def os(self) -> str | None:
        """windows, macos, linux, other, or None if it is missing."""
        return self.text("os")


def base_name(text: str) -> str:
    """What follows the last slash or backslash."""
    return re.split(r"[/\\]", text)[-1]


def clean_text(value: Any) -> str | None:
    """Trimmed text, or None if it means "missing"."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise DeadLetterError("malformed")
    trimmed = value.strip()
    return None if trimmed.lower() in MISSING else trimmed


def clean_number(value: Any) -> int | None:
    """A whole number, or None if it is missing."""
    if value is None:
        return None
    if isinstance(value, str):
        text = clean_text(value)
        if text is None:
            return None
        if not re.fullmatch(r"-?[0-9]+", text):
            raise DeadLetterError("malformed")
        return int(text)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DeadLetterError("malformed")
    return value


def clean_flag(value: Any) -> bool | None:
    """True or false, as such or as a word, or None if it is missing."""
    if value is None or isinstance(value, bool):
        return value
    text = clean_text(value)
    if text is not None and text.lower() not in ("true", "false"):
        raise DeadLetterError("malformed")
    return None if text is None else text.lower() == "true"


def parse_time(value: Any) -> int:
    """RFC 3339 text or epoch milliseconds as microseconds."""
    microseconds = value * 1000 if isinstance(value, int) and not isinstance(value, bool) else parse_rfc3339(value)
    if not EARLIEST <= microseconds < LATEST:
        raise DeadLetterError("bad_timestamp")
    return microseconds


def parse_rfc3339(value: Any) -> int:
    """RFC 3339 text as microseconds; digits below a microsecond are cut off."""
    found = RFC3339.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise DeadLetterError("bad_timestamp")
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    except ValueError:
        raise DeadLetterError("bad_timestamp") from None
    whole = (moment - EPOCH) // timedelta(microseconds=1)
    return whole + int(((fraction or "") + "000000")[:6])


def clean_host(text: str) -> str | None:
    """Without scheme, path, port and trailing dot; lower case; IDNA to ASCII."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.lower())
    host = re.split(r"[/?#]", host, maxsplit=1)[0]
    bracketed = re.match(r"\[([^\]]*)\]", host)
    if bracketed:
        return bracketed.group(1) or None
    if catalogue.parse_ip(host) is None:
        host = re.sub(r":[0-9]*$", "", host)
    host = host.rstrip(".")
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")
    return host or None


def clean_process_name(record: dict[str, Any], path: str | None) -> str | None:
    """The base name of the image; the missing markers do not apply to it, only the empty text does."""
    value = record.get("process_name")
    if value is not None and not isinstance(value, str):
        raise DeadLetterError("malformed")
    return base_name((value or "").strip()).strip() or base_name(path or "").strip() or None


def clean_destination(columns: dict[str, Any]) -> None:
    """Normalises `remote_host`; one that is an address moves to `remote_ip`."""
    if "remote_host" not in columns:
        return
    host = clean_host(columns.pop("remote_host"))
    if host is None or host in MISSING:
        return
    if catalogue.parse_ip(host) is not None:
        columns.setdefault("remote_ip", host)
    else:
        columns["remote_host"] = host


def clean_enums(columns: dict[str, Any]) -> None:
    """Lower case; what is unknown makes the record malformed (type), `other` (os) or `unknown` (status)."""
    for column in ENUM_COLUMNS:
        if column in columns:
            columns[column] = columns[column].lower()
    if columns.get("event_type", "network") not in ("network", "dns", "process"):
        raise DeadLetterError("malformed")
    if "os" in columns and columns["os"] not in ("windows", "macos", "linux"):
        columns["os"] = "other"
    if columns.get("process_signature_status", "signed") not in ("signed", "unsigned", "invalid"):
        columns["process_signature_status"] = "unknown"


def clean_columns(record: dict[str, Any]) -> dict[str, Any]:
    """All columns but the time that are given and do not mean "missing"."""
    columns: dict[str, Any] = {column: clean_text(record.get(column)) for column in TEXT_COLUMNS}
    columns |= {column: clean_number(record.get(column)) for column in NUMBER_COLUMNS}
    columns["process_name"] = clean_process_name(record, columns["process_path"])
    columns = {column: value for column, value in columns.items() if value is not None}
    clean_enums(columns)
    clean_destination(columns)
    return columns


def check_required(record: dict[str, Any], columns: dict[str, Any]) -> None:
    """The first required field that is missing, in the order of the table of columns."""
    value = record.get("event_time")
    if value is None or (isinstance(value, str) and clean_text(value) is None):
        raise DeadLetterError("missing_field:event_time")
    if "host_id" not in columns:
        raise DeadLetterError("missing_field:host_id")
    starts_elsewhere = columns.get("event_type") != "process" and "process_guid" in columns
    if "process_name" not in columns and not starts_elsewhere:
        raise DeadLetterError("missing_field:process_name")
    if columns.get("event_type") != "process" and not {"remote_host", "remote_ip"} & columns.keys():
        raise DeadLetterError("missing_field:remote_host")


def canonical_json(columns: dict[str, Any]) -> str:
    """The columns that are given, normalised, without defaults."""
    return json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_id(document: str) -> str:
    """The id of an event that came without one, of its canonical JSON."""
    return hashlib.sha256(document.encode()).hexdigest()


def normalise(record: Any, default_tenant: str) -> Event:
    """The event of a record; raises DeadLetterError with the first reason that applies."""
    if not isinstance(record, dict):
        raise DeadLetterError("malformed")
    columns = clean_columns(record)
    failed = clean_flag(record.get("failed"))
    check_required(record, columns)
    columns["event_time"] = parse_time(record["event_time"])
    document = canonical_json(columns)
    columns.setdefault("event_id", digest_id(document))
    columns.setdefault("event_type", "network")
    columns.setdefault("tenant_id", default_tenant)
    return Event(columns, failed is True, document)
