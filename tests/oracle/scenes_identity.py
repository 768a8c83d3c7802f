"""Scenes about who communicates: contexts, scripts, folders, suspicious programs, executions, resolvers."""

from __future__ import annotations

from datetime import timedelta

from tests.oracle.builder import (
    DISCORD,
    ELSEWHERE,
    FIRST_DAY,
    HOUR,
    MINUTE,
    SERVICES,
    SLACK,
    TEAMS,
    TELEGRAM,
    TELEGRAM_BOT,
    WHATSAPP,
    Builder,
    Record,
    command,
    discord,
    plain,
    signed,
)

POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
CURL = "C:\\Windows\\System32\\curl.exe"


def contexts(b: Builder, tenant: str) -> None:
    """Several contexts of one program in one hour."""
    day = b.later()
    program = signed(b.unique("viewer") + ".exe", "Viewer Corp")
    owner = {"causality_process_name": "C:\\Windows\\System32\\WScript.exe"}
    choices: list[Record] = [
        {},
        {"parent_process_name": "C:\\Office\\WINWORD.EXE"},
        owner | {"causality_process_command_line": "wscript.exe //B C:\\t\\first.vbs"},
        owner | {"causality_process_command_line": "wscript.exe //B C:\\t\\second.vbs"},
        owner,
    ]
    for host in b.hosts(5):
        for choice in b.rng.sample(choices, b.rng.randint(2, 5)):
            for _ in range(b.rng.randint(1, 2)):
                b.add(tenant, host, day, 14 * HOUR + b.rng.randrange(HOUR), program, DISCORD, choice)


def scripts(b: Builder, tenant: str) -> None:
    """One interpreter with a script that everybody runs, and with new ones."""
    day = b.later()
    python = "/usr/bin/python3.11"
    common = command(python, f"{python} /srv/notify-2.1/{b.unique('send')}.py --channel ops")
    for host in b.hosts(5, "srv"):
        for back in b.rng.sample(range(1, 28), 3):
            b.add(tenant, host, day - back, b.moment(), common, SLACK)
    for host in b.hosts(3, "srv"):
        b.add(tenant, host, day, b.moment(), common, SLACK)
        lines = [
            f"{python} -X dev -m {b.unique('mod')}",
            f"{python} -Bc 'print({b.rng.random()})'",
            f"{python} -c 'print({b.rng.random()})' more",
            f"{python} /home/al/{b.unique('bot')}.py",
            f"{python} /tmp/{b.unique('x')}.py",
            f"{python} /tmp/{b.rng.getrandbits(64):016x}/y.py",
            "python3 - < x",
            "python3",
        ]
        for line in b.rng.sample(lines, 5):
            b.add(tenant, host, day, b.moment(), command(python, line), TELEGRAM_BOT)
    for host in b.hosts(2):
        code = f"-nop -w hidden -enc {b.rng.getrandbits(48):x}A"
        temporary = f"-ep Bypass -File C:\\Users\\al\\AppData\\Local\\Temp\\{b.unique('s')}.ps1"
        for arguments in (code, temporary, "iwr https://t.me/x", "/c Get-Date", "-File C:\\Users\\al\\x.ps1"):
            shell = command(POWERSHELL, f'"{POWERSHELL}" {arguments}', "windows")
            b.add(tenant, host, day, b.moment(), shell, TELEGRAM)


def launchers(b: Builder, tenant: str) -> None:
    """Command lines of other engines and in other forms."""
    day = b.later()
    spaced = "C:\\Program Files\\Py 3\\python.exe"
    mshta = "C:\\Windows\\System32\\mshta.exe"
    cases = [
        command(spaced, f"{spaced} D:\\ops\\{b.unique('a')}.py", "windows"),
        command(spaced, f'"{spaced.upper()}" -Wignore D:\\ops\\{b.unique("a")}.py', "windows"),
        command(mshta, f"mshta.exe javascript:run({b.unique('a')}) 1", "windows"),
        command(mshta, f"mshta.exe C:\\ops\\{b.unique('a')}.hta", "windows"),
        command(POWERSHELL, f"powershell -F C:\\ops\\{b.unique('a')}.txt", "windows"),
        command(POWERSHELL, f"powershell C:\\Windows\\System32\\Tasks\\{b.unique('a')}.ps1", "windows"),
        command(POWERSHELL, f"powershell C:\\Windows\\System32\\Tasks\\{b.unique('a')}.ps1", "windows"),
        command("/usr/bin/node", f"node -pe '{b.unique('a')}' x"),
        command("/usr/bin/node", f"node --eval={b.unique('a')} x"),
        command("/usr/bin/deno", f"deno run --allow-net {b.unique('a')}.ts"),
        command("/usr/bin/java", f"java -cp a.jar -jar /opt/x-1.{b.rng.randrange(9)}/{b.unique('a')}.jar"),
        command("/usr/bin/php", f"php -d a=b -f /var/www/{b.unique('a')}.php"),
    ]
    for host in b.hosts(3):
        for program in b.rng.sample(cases, 8):
            b.add(tenant, host, day, b.moment(), program, b.rng.choice((TELEGRAM, TELEGRAM_BOT)))


def started_by_scripts(b: Builder, tenant: str) -> None:
    """Powershell starts curl (the script communicates) and a quiet program (it is only how it was run)."""
    day = b.later()
    for host in b.hosts(4):
        owner = {
            "causality_process_name": "powershell.exe",
            "causality_process_command_line": f"powershell.exe -File C:\\ops\\{b.unique('job')}.ps1",
        }
        curl = command(CURL, "curl.exe -d @x https://api.telegram.org/", "windows")
        quiet = signed("courier.exe", "Courier BV")
        b.add(tenant, host, day, b.moment(), curl, TELEGRAM_BOT, owner)
        b.add(tenant, host, day, b.moment(), quiet, WHATSAPP, owner)
        node = command("/usr/bin/node", f"node --require ./a.js /srv/{b.unique('app')}/b.js")
        b.add(tenant, host + "-node", day, b.moment(), node, DISCORD)


def folders(b: Builder, tenant: str) -> None:
    """One name from several folders, of which some fold to the same program."""
    day = b.later()
    name = b.unique("client")
    places = (
        "C:\\Users\\al\\AppData\\Local\\App\\app-1.0.9012\\",
        "C:\\Users\\bo\\AppData\\Local\\App\\app-1.0.9013\\",
        "C:\\Users\\Public\\Music\\",
        "D:\\tools\\8e1f7f0e-0f5d-4f4e-9d0c-0123456789ab\\",
        "D:\\tools\\deadbeef01\\",
        "\\\\server\\share\\",
    )
    for host in b.hosts(6):
        for place in b.rng.sample(places, 3):
            status = b.rng.choice(("unsigned", "unknown", "invalid", None))
            b.add(
                tenant,
                host,
                day - b.rng.randint(0, 9),
                b.moment(),
                plain(name, place, "windows", status),
                DISCORD,
            )
        for place in ("/usr/bin/", "/opt/app-2/bin/", "/dev/shm/.x/", "/home/al/bin/"):
            if b.rng.random() < 0.4:
                b.add(tenant, host, day, b.moment(), plain(name, place, b.rng.choice(("linux", None))), DISCORD)


def suspicious(b: Builder, tenant: str) -> None:
    """Programs that are suspicious by class, signature, place or name, and some that only look so."""
    day = b.later()
    windows = "C:\\Windows\\System32\\"
    documents = "C:\\Program Files\\Microsoft Office\\"
    word = plain("WINWORD.EXE", documents, "windows", "signed") | {"process_signer": "Microsoft Corporation"}
    updater = signed("Update.exe", "Discord Inc.")
    cases: list[tuple[Record, Record]] = [
        (command(windows + "certutil.exe", "certutil -urlcache", "windows"), TELEGRAM_BOT),
        (command(windows + "cmd.exe", "cmd /c x", "windows"), DISCORD),
        (command("/usr/bin/curl", "curl https://discord.com/api/webhooks"), DISCORD),
        (word, TEAMS),
        (word, TELEGRAM),
        (updater, DISCORD),
        (updater, TELEGRAM),
        (plain("Telegram.exe", "C:\\apps\\", "windows", "unsigned"), TELEGRAM),
        (signed("Telegram.exe", "Evil Ltd"), TELEGRAM),
        (signed("Telegram.exe", "Telegram FZ-LLC"), TELEGRAM),
        (signed("Discord", "Developer ID Application: Discord, Inc. (53Q6R32WPB)", "macos"), DISCORD),
        (signed("Slack", "Developer ID Application: Evil (AAAAAAAAAA)", "macos"), SLACK),
        (signed("chrome.exe", "Microsoft Windows"), WHATSAPP),
        (signed("chrome.exe", "Nobody"), WHATSAPP),
        (signed("invoice.pdf.exe", "Nobody"), TELEGRAM),
        (plain("svchost.exe", "C:\\ProgramData\\", "windows", "signed"), TELEGRAM),
        (plain("helper", "/private/tmp/", "macos", "unsigned"), TELEGRAM),
        (plain("kworker", "/var/tmp/", "linux"), DISCORD),
        (plain("app.exe", "D:\\Temp\\", None, "unsigned"), DISCORD),
        (plain("app.exe", "D:\\Temp\\", "other", "unsigned"), DISCORD),
    ]
    for host in b.hosts(3):
        for program, destination in b.rng.sample(cases, 9):
            b.add(tenant, host, day, b.moment(), program, destination)


def executions(b: Builder, tenant: str) -> None:
    """A script that many hosts run without any messenger: its execution is no longer uncommon."""
    day = b.later()
    for hosts_before, back in ((3, 30), (4, 30), (4, 31), (6, 1), (1, 2)):
        perl = command("/usr/bin/perl", f"perl -w /opt/jobs/{b.unique('nightly')}.pl")
        for host in b.hosts(hosts_before, "srv"):
            kind: Record = b.rng.choice(({"event_type": "process"}, ELSEWHERE, TELEGRAM | {"direction": "inbound"}))
            b.add(tenant, host, day - back, b.moment(), perl, kind)
        b.add(tenant, b.hosts(1, "srv")[0], day, b.moment(), perl, b.rng.choice((DISCORD, TELEGRAM)))
    script = f"C:\\ops\\{b.unique('logon')}.ps1"
    shell = command(POWERSHELL, f"{POWERSHELL} -File {script}", "windows")
    for host in b.hosts(5):
        b.add(tenant, host, day - 2, b.moment(), shell, event_type="process")
    for host in b.hosts(2):
        owner = {
            "causality_process_name": "powershell.exe",
            "causality_process_command_line": f"powershell.exe -File {script}",
        }
        b.add(tenant, host, day, b.moment(), signed(b.unique("mailer") + ".exe", "Mailer AG"), SLACK, owner)


def resolvers(b: Builder, tenant: str) -> None:
    """System resolvers speak for others, unless something about them is suspicious."""
    day = b.later()
    genuine = plain("svchost.exe", "C:\\Windows\\System32\\", "windows", "signed")
    false = plain("svchost.exe", "C:\\Users\\Public\\", "windows", "signed")
    for host in b.hosts(3):
        for program in (genuine, false, plain("systemd-resolved", "/usr/lib/systemd/", "linux"), discord()):
            for status in (0, 3, None):
                more = {} if status is None else {"dns_status": status}
                lookup: Record = {"event_type": "dns", "remote_host": "cdn.discordapp.com"} | more
                b.add(tenant, host, day, b.moment(), program, lookup)
        b.add(tenant, host, day, b.moment(), genuine, TELEGRAM)


def exceptions(b: Builder, tenant: str) -> None:
    """Exceptions that match some events of an hour and not the others, and that expire."""
    day = b.later()
    name = b.unique("kiosk") + ".exe"
    hosts = b.hosts(4)
    last = (FIRST_DAY + timedelta(days=day)).date().isoformat()
    b.exceptions += [
        {"process_name": name.upper(), "remote_host": "*.TELEGRAM.org", "reason": "a"},
        {"process_name": name[:-5] + "*", "user_name": "svc-?", "service_id": "discord", "reason": "b"},
        {"host_id": hosts[3], "signer": "kiosk *", "expires": last, "reason": "c"},
        {"origin": "unsigned:c:/apps", "process_path": "c:\\apps\\[a-m]*", "reason": "d"},
        {"parent_process_name": "watcher.exe", "host_id": hosts[0], "reason": "e"},
    ]
    for host in hosts:
        for _ in range(4):
            program = signed(name, "Kiosk Systems")
            users: Record = b.rng.choice(({}, {"user_name": "svc-1"}, {"user_name": "al"}))
            parents: Record = b.rng.choice(({}, {"parent_process_name": "Watcher.exe"}))
            destination = b.rng.choice((*SERVICES, {"remote_ip": "149.154.167.50"}))
            at = 8 * HOUR + b.rng.randrange(40) * MINUTE
            b.add(tenant, host, day + b.rng.randint(0, 1), at, program, users, parents, destination)
        unsigned = plain(b.unique("mnb"[b.rng.randrange(3)]), "C:\\apps\\", "windows", "unsigned")
        b.add(tenant, host, day, b.moment(), unsigned, TELEGRAM)


SCENES = (
    contexts, scripts, launchers, started_by_scripts, folders, suspicious, executions, resolvers, exceptions,
)  # fmt: skip
