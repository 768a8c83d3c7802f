"""What records are made of: names of fields, values that fit them, and values that fit nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import VendorMapping
from uncommon_im.schemas.mapping_fields import Column, Path

FITTING: Final[dict[str, tuple[Any, ...]]] = {
    "event_id": ("e1", "e2"),
    "event_time": (
        "2026-03-01T10:00:00Z",
        "2026-03-02 11:30:00.123456+01:00",
        "2026-03-01 10:00:00,5",
        1772359200000,
        "1772359200000",
        [1772359200000],
        "2026-04-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2026-03-01T10:00:00",
    ),
    "event_type": ("network", "dns", "process", " Network "),
    "tenant_id": ("default", "other"),
    "host_id": ("h1", "h2", "H3.corp.example", "10.0.0.1"),
    "os": ("windows", "macos", "linux", "AGENT_OS_WINDOWS", "beos", 1),
    "process_name": ("curl", "powershell.exe", "python3.11", "Discord.exe", "svchost.exe", "null", "backup-notifier"),
    "process_path": (
        "C:\\Users\\al\\AppData\\Local\\Temp\\x.exe",
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        "\\device\\harddiskvolume3\\windows\\system32\\svchost.exe",
        "/tmp/.x/curl",
        "/usr/bin/python3.11",
        "<unknown process>",
    ),
    "process_command_line": (
        "powershell.exe -ep Bypass -File C:\\Users\\al\\x.ps1",
        "pwsh -nop -w hidden -enc SQBFAFgA",
        "python3 -X dev -m http.server",
        "python3 -Bc 'import os'",
        "mshta javascript:alert(1)",
        "java -cp a.jar -jar /opt/x-1.2/e.jar",
        '"C:\\Program Files\\node.exe" --require ./a.js b.js',
    ),
    "process_sha256": ("ab" * 32, "SHA1=00,SHA256=" + "CD" * 32),
    "process_signature_status": ("signed", "ENUM.SIGNED", "unsigned", "Valid", 3, "invalid"),
    "process_signer": ("Microsoft Windows", "Developer ID Application: Telegram (6N38VWS5BX)"),
    "causality_process_name": ("winword.exe", "python", "explorer.exe"),
    "remote_host": (
        "api.telegram.org",
        "https://user@Discord.com:443/api",
        "slack.com.",
        "config.edge.skype.com",
        "149.154.167.220",
        "[2001:67c:4e8::1]:443",
        "teams.microsoft.com",
        "ｄｉｓｃｏｒｄ.com",
        "example.org",
    ),
    "remote_ip": ("149.154.167.220", "::ffff:149.154.167.220", "a00:203:3000:3000:3000:3000:3000:3300", "10.0.0.1"),
    "protocol": ("tcp", 6, "17"),
    "direction": ("inbound", "outbound", True, "false", "%%14592"),
    "dns_status": (0, 3, "0"),
    "failed": (True, False, "0"),
}
NUMBERS: Final = (443, "443", [443], 0, -1, "0x1f")

ODD: Final = (
    *("null", "true", "false", "[]", "{}", "[[]]", '[""]', '["a",1]', "[null,true]", '{"a":{"b":[1]}}'),
    *("0", "-0", "-1", "1.5", "1e308", "1e400", "NaN", "1E5", "9223372036854775807", "9223372036854775808"),
    *("18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "253402300800000"),
    *('""', '"-"', '" "', '"N/A"', '"Unknown"', '" null "', '"\\u0000"', '"\\ud83d"', '"\\ude00\\ud83d"'),
    *('"\\u2028"', '"İ"', '"ß"', '"．"', '"。"', '"a。b"', '"xn--"', '"xn--a"', '"٣"', '"²"', '"\u202e"', '"\\\\"'),
    *('":0"', '"["', '"[]"', '"::"', '"@"', '"//"', '"http://"', '"fe80::1%eth0"', '"1.2.3.4:5:6"', '"/"', '"."'),
    *('"2026-02-30T00:00:00Z"', '"2026-03-01T24:00:00Z"', '"2026-03-01T10:00:60Z"', '"9999-12-31T23:59:59-23:59"'),
    *('"2026-03-01T10:00:00+99:99"', '"0000-00-00T00:00:00Z"', '"2026-03-01T10:00:00.1234567890123Z"'),
    *("[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40, '"' + "x" * 1200 + '"', '"' + "a." * 200 + '"'),
    *('"\'"', '"\\""', '"-c"', '"/c "', '"  -  "', '"--"', '"\x7f"', '"\t"', "'a'", "undefined", "-", "+1", ".5"),
)
"""JSON texts (and some that are none) that a field of any kind may be given."""


@dataclass
class Vocabulary:
    """What records of a format may hold.

    Attributes:
        fields: paths of fields -> what fits them.
        kinds: fields and values that make a record one of a kind that is read, or skipped.
        nested: names of fields that may hold records.
    """

    fields: dict[Path, list[Any]] = field(default_factory=dict)
    kinds: list[dict[Path, tuple[str, ...]]] = field(default_factory=list)
    nested: tuple[str, ...] = ()


def native_vocabulary() -> Vocabulary:
    """Of native records."""
    return Vocabulary({(name,): fitting(name) for name in EVENT_COLUMNS})


def vendor_vocabulary(mapping: VendorMapping) -> Vocabulary:
    """Of the records of a mapping, from its own names of fields, keys and tables."""
    found = Vocabulary(nested=mapping.nested)
    for shape in mapping.shapes:
        _add_columns(found, shape.columns | mapping.columns, shape.data)
        if shape.inserts:
            found.fields.setdefault(shape.inserts, ["1", "x"])
        for path in (path for group in shape.match for path in group):
            found.fields.setdefault(path, ["1", "x"])
        for event in mapping.events:
            for data in [shape.data, ()] if shape.beside else [shape.data]:
                _add_columns(found, event.columns, data)
            keys = zip(shape.key.values(), event.keys.values(), strict=True)
            found.kinds += [{path: texts for paths, texts in keys for path in paths}]
    for skip in mapping.skips:
        found.kinds.append(dict(skip.when))
    return found


def record(random: Random, vocabulary: Vocabulary) -> dict[str, Any]:
    """A record of a kind that is read more often than not."""
    made: dict[str, Any] = {}
    share = random.choice((0.1, 0.4, 0.9))
    for path, values in vocabulary.fields.items():
        if random.random() < share:
            _put(made, path, random.choice(values))
    if vocabulary.kinds:
        for path, texts in random.choice(vocabulary.kinds).items():
            _put(made, path, random.choice(texts))
    if vocabulary.nested and random.random() < 0.15:
        items = [record(random, Vocabulary(vocabulary.fields, vocabulary.kinds)) for _ in range(random.randint(0, 3))]
        made = {random.choice(vocabulary.nested): items if random.random() < 0.7 else {**made}}
    return made


def line(random: Random, vocabulary: Vocabulary) -> bytes:
    """A record as a line; now and then it is a dead letter that holds one."""
    text = json.dumps(record(random, vocabulary), ensure_ascii=random.random() < 0.5)
    if random.random() < 0.05:
        text = json.dumps({"reason": "malformed", "detail": "", "source": "f", "record": 1, "raw": text})
    return text.encode()


def words(vocabulary: Vocabulary) -> Iterator[str]:
    """Names and texts that a byte-wise fuzzer cannot guess."""
    yield from sorted({name for path in vocabulary.fields for name in path} | set(vocabulary.nested))
    yield from sorted({text for kind in vocabulary.kinds for texts in kind.values() for text in texts if text})
    yield from ("reason", "raw", "source", "malformed", "missing_field:host_id")


def _add_columns(found: Vocabulary, columns: Mapping[str, Column], data: Path) -> None:
    for name, column in columns.items():
        for one in column.all_fields:
            values = found.fields.setdefault(one.path if one.from_record else (*data, *one.path), [])
            values += [value for value in (*fitting(name), *(column.values or ())) if value not in values]
        for path in (path for pair in column.differs for path in pair):
            found.fields.setdefault((*data, *path), ["1", "2"])


def fitting(name: str) -> list[Any]:
    """Values for a native column."""
    if name in FITTING:
        return list(FITTING[name])
    if EVENT_COLUMNS.get(name) == "integer":
        return list(NUMBERS)
    same = next((known for known in FITTING if name.endswith(known.removeprefix("process"))), "process_signer")
    return list(FITTING[same])


def _put(made: dict[str, Any], path: Path, value: Any) -> None:
    for key in path[:-1]:
        below = made.setdefault(key, {})
        if not isinstance(below, dict):
            return
        made = below
    made[path[-1]] = value
