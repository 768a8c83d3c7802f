"""Scenes about instances: who a process is stands in its start, and connections say more, less or nothing of it."""

from __future__ import annotations

from datetime import timedelta

from tests.oracle.builder import (
    DAY,
    DISCORD,
    ELSEWHERE,
    FIRST_DAY,
    HOUR,
    SECOND,
    SERVICES,
    SLACK,
    TELEGRAM,
    TELEGRAM_BOT,
    WHATSAPP,
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
LOOKBACKS = (1, 7, 30)


def start(b: Builder, tenant: str, host: str, at: int, guid: str, *parts: Record) -> Record:
    """The start of a process; `at` is in microseconds from the first day."""
    return b.add(tenant, host, 0, at, *parts, event_type="process", process_guid=guid)


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


def borders(b: Builder, tenant: str) -> None:
    """Starts exactly as old as each lookback and a microsecond more, at the event's own time and right after it."""
    ages = [lookback * DAY + more for lookback in LOOKBACKS for more in (-1, 0, 1)]
    for age in (*ages, 0, 1, -1, -SECOND, -HOUR):
        for host in b.hosts(2):
            program, guid, at = some(b, "edge"), b.unique("guid"), b.later() * DAY + b.moment()
            start(b, tenant, host, at - age, guid, program)
            talk(b, tenant, host, at, guid, program, b.rng.choice((DISCORD, TELEGRAM)), b.rng.choice((HALF, BARE)))


def two_starts(b: Builder, tenant: str) -> None:
    """Two starts of one instance: at different times and at the same one, with two ids, one or none."""
    numbered = [{"event_id": f"{number:08x}"} for number in b.rng.sample(range(1 << 32), 2)]
    cases: list[tuple[int, list[Record]]] = [
        (HOUR, [WHOLE, WHOLE]),
        (HOUR, [WHOLE, HALF]),
        (HOUR, [WHOLE, BARE | {"process_path": "/opt/bare/daemon"}]),
        (0, numbered),
        (0, [numbered[0], numbered[0]]),
        (0, [{"event_id": None}, {"event_id": None}]),
        (0, [{"event_id": None}, numbered[1]]),
        (3 * HOUR, [WHOLE, WHOLE]),
    ]
    for apart, parts in cases:
        for host in b.hosts(2):
            guid, began = b.unique("guid"), b.later() * DAY + b.moment()
            programs = [some(b, "twin"), some(b, "twin")]
            for number, (program, part) in enumerate(zip(programs, parts, strict=True)):
                start(b, tenant, host, began + number * apart, guid, program, part)
            for _ in range(2):
                told = b.rng.choice((HALF, BARE))
                talk(b, tenant, host, began + 2 * HOUR + b.moment() % HOUR, guid, programs[0], DISCORD, told)


def one_guid_elsewhere(b: Builder, tenant: str) -> None:
    """One guid on two hosts, and on one host's name in two tenants, of which perhaps one has no start."""
    places = [[(tenant, host) for host in b.hosts(2)] for _ in range(3)]
    places += [[(name, host) for name in b.tenants] for host in b.hosts(3) if len(b.tenants) > 1]
    for place in places:
        guid, began, lost = b.unique("guid"), b.later() * DAY + b.moment(), b.rng.choice((0, 1, None))
        for number, (where, host) in enumerate(place):
            program = some(b, "same")
            if number != lost:
                start(b, where, host, began + number * SECOND, guid, program)
            talk(b, where, host, began + HOUR, guid, program, WHATSAPP, BARE)
            talk(b, where, host, began + 2 * HOUR, guid, program, TELEGRAM, HALF)


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


def used_again(b: Builder, tenant: str) -> None:
    """A guid that another process has after weeks, and connections long after a start."""
    for host in b.hosts(3):
        guid, day = b.unique("guid"), b.later(33, 45)
        for began, days in ((day - 25, (0, 1, 9, 20)), (day, (0, 2, 12))):
            program = some(b, "again")
            start(b, tenant, host, began * DAY, guid, program)
            for later in days:
                talk(b, tenant, host, (began + later) * DAY + b.moment(), guid, program, TELEGRAM, BARE)


def across_midnight(b: Builder, tenant: str) -> None:
    """Starts right before and at each midnight, one of which begins or ends a run's range."""
    for day in range(19, 61):
        host, guid, program = b.hosts(1)[0], b.unique("guid"), some(b, "night")
        start(b, tenant, host, day * DAY - b.rng.choice((1, 0)), guid, program)
        talk(b, tenant, host, day * DAY + b.rng.choice((0, HOUR)), guid, program, DISCORD, b.rng.choice((HALF, BARE)))


def spellings_of_guids(b: Builder, tenant: str) -> None:
    """Guids with spaces around them and in another case, starts that cannot be used, names that only a path gives."""
    broken: list[Record] = [
        {"process_name": None, "process_path": None},
        {"event_time": "yesterday"},
        {"host_id": "-"},
        {"event_type": "prozess"},
    ]
    for host in b.hosts(3):
        day = b.later()
        for change in (
            str,
            str.upper,
            lambda guid: f" {guid}\t",
            *broken,
            {"process_name": " "},
            {"event_type": " Process "},
        ):
            program, guid, began = some(b, "spelt"), b.unique("guid"), day * DAY + b.moment()
            if callable(change):
                start(b, tenant, host, began, change(guid), program)
            else:
                b.add(tenant, host, 0, began, program, {"event_type": "process", "process_guid": guid}, change)
            for event_id in ({}, {"event_id": None}):
                talk(b, tenant, host, began + b.moment(), guid, program, SLACK, b.rng.choice((HALF, BARE)), event_id)


SCENES = (
    instances, processes, borders, two_starts, one_guid_elsewhere, said_otherwise, scripts_by_start, lookups_by_start,
    excepted_by_start, used_again, across_midnight, spellings_of_guids,
)  # fmt: skip
