"""Scenes about instances: who a process is stands in its start, and connections say more, less or nothing of it."""

from __future__ import annotations

from datetime import timedelta

from tests.oracle.builder import (
    DAY,
    DISCORD,
    ELSEWHERE,
    FIRST_DAY,
    HOUR,
    SERVICES,
    SLACK,
    TELEGRAM,
    TELEGRAM_BOT,
    Builder,
    Record,
    command,
    plain,
    signed,
)

WHOLE: Record = {}
HALF: Record = dict.fromkeys(
    (
        *("process_command_line", "process_sha256", "process_signature_status", "process_signer"),
        *("parent_process_name", "parent_process_command_line"),
        *("causality_process_name", "causality_process_command_line"),
    )
)
"""What connections of Sysmon and Elastic Defend do not say."""
BARE: Record = HALF | dict.fromkeys(("process_name", "process_path", "process_pid", "user_name", "os"))
"""What those of CrowdStrike do not say."""


def start(b: Builder, tenant: str, host: str, at: int, guid: str, *parts: Record) -> Record:
    """The start of a process; `at` is in microseconds from the first day."""
    return b.add(tenant, host, 0, at, {"event_type": "process", "process_guid": guid}, *parts)


def talk(b: Builder, tenant: str, host: str, at: int, guid: str, *parts: Record) -> Record:
    """A connection of a process; it says what the parts say."""
    return b.add(tenant, host, 0, at, *parts, process_guid=guid)


def some(b: Builder, stem: str = "app") -> Record:
    """A program that nothing else in this organisation is, with all that a start says."""
    name = b.unique(stem)
    return signed(f"{name}.exe", f"{name} Ltd") | {
        "process_command_line": f'"C:\\{name}.exe" --quiet',
        "process_sha256": f"{b.rng.getrandbits(256):064x}",
        "process_pid": b.rng.randrange(4, 1 << 22),
        "user_name": f"corp\\{name}",
        "parent_process_name": b.rng.choice(("explorer.exe", "C:\\Windows\\Explorer.EXE", "WINWORD.EXE")),
        "parent_process_command_line": f"parent of {name}",
        "causality_process_name": "userinit.exe",
        "causality_process_command_line": "userinit.exe",
    }


def shape(b: Builder) -> Record:
    """How much a connection says: all, half, nothing, or anything in between."""
    anything = {name: None for name in BARE if b.rng.random() < 0.5}
    return b.rng.choice((WHOLE, HALF, HALF, BARE, BARE, anything))


def instances(b: Builder, tenant: str) -> None:
    """Connections that name their process's instance: with and without name and command line, failed or not."""
    day = b.later()
    script = {"process_name": "python3", "process_path": "/usr/bin/python3", "os": "linux"}
    line = f"python3 /srv/{b.unique('job')}.py"
    nowhere = {"remote_host": "files.example.com"}
    variants: list[Record] = [
        {"process_name": None},
        {"process_name": "", "process_path": None, "event_type": "dns"},
        {**script},
        {**script, "process_command_line": line},
        {**script, **nowhere},
        {**script, **nowhere, "process_command_line": line},
        {**script, **nowhere, "process_guid": None},
        {**script, **nowhere, "event_type": "process"},
        {"process_name": None, "causality_process_name": "pwsh", **nowhere},
        {**script, "process_command_line": line, "failed": True},
        {**script, "failed": "TRUE"},
        {**script, "process_command_line": line, "failed": "false"},
        {**script, "failed": "-"},
    ]
    for host in b.hosts(4):
        for variant in b.rng.sample(variants, 8):
            guid = {"process_guid": b.unique("guid")}
            b.add(tenant, host, day, b.moment(), TELEGRAM, guid, variant)


def processes(b: Builder, tenant: str) -> None:
    """Processes that talk for days, in telemetry of mixed shapes; some starts are lost, repeated, or say half."""
    programs = [some(b) for _ in range(4)]
    programs.append(plain(b.unique("tool") + ".exe", "C:\\Users\\al\\AppData\\Local\\Temp\\", "windows", "unsigned"))
    programs.append(command("/usr/bin/curl", "curl https://discord.com/api/webhooks"))
    for host in b.hosts(7):
        for program in b.rng.sample(programs, 3):
            guid, began = b.unique("guid"), b.later(33, 50) * DAY + b.moment()
            for _ in range(b.rng.choice((0, 1, 1, 1, 1, 2))):
                start(b, tenant, host, began, guid, program, b.rng.choice((WHOLE, WHOLE, HALF | {"remote_ip": "-"})))
            for _ in range(b.rng.randint(1, 5)):
                later = began + b.rng.choice((0, 0, 1, 3, 6, 8)) * DAY + b.moment()
                talk(b, tenant, host, later, guid, program, b.rng.choice(SERVICES), shape(b))


def said_otherwise(b: Builder, tenant: str) -> None:
    """Connections that say something else than their process's start, signatures with and without their signer."""
    said: list[Record] = [
        {"process_name": "Renamed.exe"},
        {"process_path": "D:\\tools\\other\\renamed.exe"},
        {"os": "linux"},
        {"os": "BeOS"},
        {"user_name": "corp\\somebody"},
        {"parent_process_name": "excel.exe"},
        {"causality_process_name": "wscript.exe"},
        {"process_pid": 0},
        {"process_signature_status": "unsigned"},
        {"process_signature_status": "signed"},
        {"process_signature_status": "unknown", "process_signer": "Someone Else"},
        {"process_signature_status": "expired"},
        {"process_signer": "Someone Else"},
    ]
    signatures: list[Record] = [
        {},
        {"process_signer": None},
        {"process_signature_status": "unknown"},
        {"process_signature_status": "unsigned", "process_signer": None},
    ]
    for host in b.hosts(3):
        for words in b.rng.sample(said, 9):
            program, guid, began = some(b, "named"), b.unique("guid"), b.later() * DAY + b.moment()
            start(b, tenant, host, began, guid, program, b.rng.choice(signatures))
            for told in (HALF, BARE):
                talk(b, tenant, host, began + b.moment(), guid, program, SLACK, told, words)


def scripts_by_start(b: Builder, tenant: str) -> None:
    """Engines whose script only the start tells: one that many run, and new ones; owners that only the start names."""
    day, python = b.later(), "/usr/bin/python3"
    common = command(python, f"python3 /srv/{b.unique('report')}.py")
    owner = {
        "causality_process_name": "powershell.exe",
        "causality_process_command_line": f"powershell.exe -File C:\\ops\\{b.unique('push')}.ps1",
    }
    curl = command("C:\\Windows\\System32\\curl.exe", "curl.exe -d @x https://api.telegram.org/", "windows") | owner
    for host in b.hosts(6, "srv"):
        new = command(python, f"python3 /home/al/{b.unique('new')}.py")
        quiet = signed("courier.exe", "Courier BV") | owner
        began = day * DAY + b.moment()
        for back, program in ((2, common), (0, common), (0, new), (0, curl), (0, quiet)):
            guid, at = b.unique("guid"), began - back * DAY
            if b.rng.random() < 0.85:
                start(b, tenant, host, at, guid, program)
            talk(b, tenant, host, at + HOUR, guid, program, TELEGRAM_BOT, b.rng.choice((HALF, HALF, BARE)))
    for kind in ({"failed": True}, {"direction": "inbound"}, ELSEWHERE, {"event_type": "dns", "dns_status": 3}, {}):
        for host in b.hosts(2, "srv"):
            program = command(python, f"python3 /opt/{b.unique('daily')}.py")
            guid, began = b.unique("guid"), day * DAY + b.moment()
            start(b, tenant, host, began - 4 * DAY, guid, program)
            for back in (3, 2, 1):
                talk(b, tenant, host, began - back * DAY, guid, program, TELEGRAM, b.rng.choice((HALF, BARE)), kind)
            talk(b, tenant, host, began, guid, program, DISCORD, HALF)


def lookups_by_start(b: Builder, tenant: str) -> None:
    """Lookups of which only the start tells whether a resolver made them, and which script owns it."""
    genuine = plain("svchost.exe", "C:\\Windows\\System32\\", "windows", "signed")
    false = plain("svchost.exe", "C:\\Users\\Public\\", "windows", "signed")
    owned = genuine | {"causality_process_name": "perl.exe", "causality_process_command_line": "perl.exe C:\\x.pl"}
    resolved = plain("systemd-resolved", "/usr/lib/systemd/", "linux")
    without_path = HALF | {"process_path": None}
    for host in b.hosts(4):
        for program in (genuine, false, owned, resolved, some(b)):
            guid, began = b.unique("guid"), b.later() * DAY + b.moment()
            start(b, tenant, host, began, guid, program, {"process_command_line": "svchost -k NetworkService"})
            for status in (0, None, 3):
                lookup: Record = {"event_type": "dns", "remote_host": "cdn.discordapp.com", "dns_status": status}
                told = b.rng.choice((BARE, without_path, HALF))
                talk(b, tenant, host, began + b.moment(), guid, program, lookup, told)


def excepted_by_start(b: Builder, tenant: str) -> None:
    """Exceptions that match only what the start says."""
    name = b.unique("kiosk")
    day = b.later()
    last = (FIRST_DAY + timedelta(days=day)).date().isoformat()
    b.exceptions += [
        {"user_name": f"*\\{name}-user", "reason": "f"},
        {"process_path": f"*\\{name}\\*", "expires": last, "reason": "g"},
        {"parent_process_name": f"{name}-parent.exe", "reason": "h"},
        {"process_name": f"{name}-?.exe", "service_id": "slack", "reason": "i"},
        {"signer": f"{name} gmbh", "reason": "j"},
    ]
    excepted: list[Record] = [
        {"user_name": f"corp\\{name}-user"},
        {"process_path": f"C:\\apps\\{name}\\app.exe"},
        {"parent_process_name": f"{name}-Parent.exe"},
        {"process_name": f"{name}-1.exe"},
        {"process_signer": f"{name} GmbH"},
    ]
    for host in b.hosts(2):
        for part in excepted:
            guid, began = b.unique("guid"), day * DAY + b.moment()
            program = some(b) | part
            start(b, tenant, host, began, guid, program)
            for told in (BARE, HALF | {"user_name": None, "process_path": None}):
                talk(b, tenant, host, began + b.moment(), guid, program, b.rng.choice((SLACK, TELEGRAM)), told)


def spellings_of_starts(b: Builder, tenant: str) -> None:
    """Guids with spaces around them and in another case, starts that cannot be used, names that only a path gives."""
    for host in b.hosts(3):
        day = b.later()
        for guid in b.hosts(9, "guid"):
            changes: list[Record] = [
                {"process_guid": guid.upper()},
                {"process_guid": f" {guid}\t"},
                {"process_name": " "},
                {"event_type": " Process "},
                {"process_name": None, "process_path": None},
                {"event_time": "yesterday"},
                {"host_id": "-"},
                {"event_type": "prozess"},
            ]
            program, began = some(b, "spelt"), day * DAY + b.moment()
            start(b, tenant, host, began, guid, program, b.rng.choice(changes))
            ids: tuple[Record, Record] = ({}, {"event_id": None})
            for event_id in ids:
                talk(b, tenant, host, began + b.moment(), guid, program, SLACK, b.rng.choice((HALF, BARE)), event_id)


SCENES = (
    instances, processes, said_otherwise, scripts_by_start, lookups_by_start, excepted_by_start, spellings_of_starts,
)  # fmt: skip
