"""Scripting engines: a few hundred command lines that the organisation runs, some of one host only, some never seen
again, and the tools that scripts start."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.organisation import Organisation
from tests.benchmarks.vocabulary import Actor, ActorTable, Codes, digest, pairs

TEMPLATES = 240
CHILDREN = 60
OWN = 2
POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
# name, path, signer, how the command line calls it
ENGINES: tuple[dict[str, tuple[str, str, str, str]], ...] = (
    {
        "python": ("python.exe", r"C:\Program Files\Python311\python.exe", "Python Software Foundation",
                   r'"C:\Program Files\Python311\python.exe"'),
        "powershell": ("powershell.exe", POWERSHELL, "Microsoft Windows", "powershell.exe"),
        "node": ("node.exe", r"C:\Program Files\nodejs\node.exe", "OpenJS Foundation",
                 r"C:\Program Files\nodejs\node.exe"),
    },
    {
        "python": ("python3", "/usr/bin/python3", "Apple Inc.", "python3"),
        "node": ("node", "/usr/local/bin/node", "Developer ID Application: Node.js Foundation (HX7739G8FX)", "node"),
    },
    {
        "python": ("python3.11", "/usr/bin/python3.11", "", "/usr/bin/python3.11"),
        "node": ("node", "/usr/bin/node", "", "node"),
    },
)  # fmt: skip


@dataclass(frozen=True)
class Scripts:
    """Where the actors of each template begin: actor = start + rank * stride."""

    start: Codes
    """By system and template."""
    stride: Codes
    own: Codes
    """The first of the `OWN` scripts that only this host runs."""
    children: Codes
    """The first of the tools that scripts start, by system."""
    names: Iterator[str]


def engine_actor(system: int, engine: str, arguments: str | None, parent: tuple[str, str] | None = None) -> Actor:
    """An engine that runs with these arguments; its causality owner is itself."""
    name, path, signer, call = ENGINES[system][engine]
    started = (
        parent
        or (
            ("svchost.exe", r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule"),
            ("launchd", "/sbin/launchd"),
            ("cron", "/usr/sbin/cron -f"),
        )[system]
    )
    line = None if arguments is None else f"{call} {arguments}".rstrip()
    return Actor(
        name,
        path,
        line,
        digest(name, path),
        "signed" if signer else "unknown",
        signer or None,
        *started,
        name,
        line,
    )


def file_script(system: int, engine: str, folder: str, pair: str, number: int) -> str:
    """Arguments that run a script file, in the spellings that one meets."""
    end = {"python": "py", "powershell": "ps1", "node": "js"}[engine]
    slash = "\\" if system == 0 else "/"
    path = f"{folder}{slash}{pair}.{end}"
    spellings = {
        "python": [f"{path} --once", f"-u {path}", f"-X utf8 -W ignore {path} -v", f'"{path}" --since 2024-01-01'],
        "powershell": [f"-NoProfile -ExecutionPolicy Bypass -File {path} -Quiet", f'-ep bypass -File "{path}"',
                       f"-NonInteractive -WindowStyle Hidden -File {path}", path],
        "node": [path, f"--max-old-space-size=4096 {path} --port 8080", f"--require ./env.js {path}",
                 f'"{path}" start'],
    }[engine]  # fmt: skip
    return spellings[number % len(spellings)]


def inline_code(engine: str, pair: str, number: int) -> str:
    """Arguments that carry the code themselves."""
    code = pair.replace("-", "_")
    if engine == "python":
        return f'-c "import {code}; {code}.main(retries={number})"'
    if engine == "node":
        return f"-e \"require('./{pair}').run({number})\""
    encoded = base64.b64encode(f"Invoke-{code} {number}".encode("utf-16-le")).decode()
    return [
        f"-NoP -NonI -W Hidden -enc {encoded}",
        f'-NoLogo -Command "& {{Get-Service {code}; exit {number}}}"',
        f"-c Restart-Service {code} -Force",
        f"Get-ChildItem {pair} -Recurse",
    ][number % 4]


def template(system: int, number: int, pair: str) -> tuple[str, str | None]:
    """Engine and arguments of one of the organisation's scripts; `{u}` stands for the user's folder."""
    engine = list(ENGINES[system])[number % len(ENGINES[system])]
    kind = number // 3 % 10
    if kind == 7:
        return engine, inline_code(engine, pair, number)
    if kind == 8 and engine == "python":
        return engine, ["-m pip install -r requirements.txt", f"-m {pair.replace('-', '_')} serve", "", "-"][number % 4]
    if kind == 8:
        return engine, ["", None][number % 2]
    folder = (("C:\\ops\\jobs", "C:\\Scripts\\v{n}.2"), ("/opt/ops/jobs", "/opt/scripts"))[system > 0][number % 2]
    if kind == 9:
        folder = ("{u}\\projects", "{u}/projects")[system > 0]
    return engine, file_script(system, engine, folder.replace("{n}", str(number)), pair, number)


def scripts(table: ActorTable, hosts: Organisation) -> Scripts:
    """Adds the actors of all recurring scripts to the table."""
    start, stride = np.zeros((3, TEMPLATES), np.int32), np.zeros((3, TEMPLATES), np.int32)
    children = np.zeros(3, np.int32)
    names = pairs(start=20_000)
    for system in range(3):
        recurring = []
        for number in range(TEMPLATES):
            engine, arguments = template(system, number, next(names))
            start[system, number] = len(table)
            personal = arguments is not None and "{u}" in arguments
            stride[system, number] = int(personal)
            for host in hosts.of(system) if personal else [-1]:
                text = arguments.replace("{u}", hosts.home(int(host))) if personal and arguments else arguments
                actor = engine_actor(system, engine, text)
                table.add(actor)
            recurring.append(actor)
        children[system] = len(table)
        for number in range(CHILDREN):
            owner = recurring[number]
            table.add(child_of(owner, system, ("git", "conhost", "curl")[number % 3]))
    own = np.zeros(len(hosts), np.int32)
    for host in range(len(hosts)):
        own[host] = len(table)
        system = int(hosts.system[host])
        for number in range(OWN):
            engine = list(ENGINES[system])[number]
            folder = ("D:\\local", "/srv/local")[system > 0]
            table.add(engine_actor(system, engine, file_script(system, engine, folder, next(names), host)))
    return Scripts(start, stride, own, children, names)


def child_of(owner: Actor, system: int, tool: str) -> Actor:
    """A tool that a script starts: the script owns the causality."""
    signer = "Microsoft Windows" if system == 0 and tool != "git" else ""
    name = f"{tool}.exe" if system == 0 else tool
    path = f"C:\\Windows\\System32\\{name}" if system == 0 else f"/usr/bin/{name}"
    return Actor(
        name, path, f"{name} --silent", digest(name), "signed" if signer else "unknown", signer or None,
        owner.process_name, owner.process_command_line, owner.process_name, owner.process_command_line,
    )  # fmt: skip


def unique(table: ActorTable, hosts: Organisation, script: Scripts, host: Codes) -> Codes:
    """A command line that is never seen again, for each row."""
    actors = np.zeros(len(host), np.int32)
    for row, number in enumerate(host):
        system = int(hosts.system[number])
        engine = list(ENGINES[system])[row % len(ENGINES[system])]
        pair = next(script.names)
        if row % 3:
            folder = hosts.home(int(number)) + ("\\AppData\\Local\\Temp", "/work", "/work")[system]
            arguments = file_script(system, engine, folder, pair, row)
        else:
            arguments = inline_code(engine, pair, len(table))
        actors[row] = table.add(engine_actor(system, engine, arguments))
    return actors
