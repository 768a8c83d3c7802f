"""Ordinary programs: 300 for each system, plus three that only one host has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.organisation import DAY, Organisation
from tests.benchmarks.vocabulary import Actor, ActorTable, Codes, digest, pairs

PROGRAMS = 300
OWN = 3
MS, WIN = "Microsoft Corporation", "Microsoft Windows"
SERVICES = r"C:\Windows\system32\services.exe"

# name, folder ({u}: the user's folder, {v}: version), signer, arguments of its command lines, started by the system
WINDOWS: list[tuple[str, str, str, list[str], bool]] = [
    (
        "chrome.exe",
        r"C:\Program Files\Google\Chrome\Application",
        "Google LLC",
        [
            "",
            "--type=utility --utility-sub-type=network.mojom.NetworkService --lang=en-US --service-sandbox-type=none",
            "--type=renderer --extension-process --lang=en-US",
            "--no-startup-window --restore-last-session",
        ],
        False,
    ),
    (
        "svchost.exe",
        r"C:\Windows\System32",
        WIN,
        [
            "-k NetworkService -p -s Dnscache",
            "-k netsvcs -p -s BITS",
            "-k netsvcs -p -s wuauserv",
            "-k LocalServiceNetworkRestricted -p",
        ],
        True,
    ),
    (
        "msedge.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application",
        MS,
        [
            "--single-argument https://intranet.contoso-corp.com/",
            "--type=utility --lang=en-US",
            "--no-startup-window --win-session-start",
        ],
        False,
    ),
    ("OUTLOOK.EXE", r"C:\Program Files\Microsoft Office\root\Office16", MS, ["", "/recycle"], False),
    ("OneDrive.exe", r"{u}\AppData\Local\Microsoft\OneDrive", MS, ["/background"], False),
    ("MsMpEng.exe", r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.{v}-0", WIN, [""], True),
    (
        "SearchHost.exe",
        r"C:\Windows\SystemApps\MicrosoftWindows.Client.CBS_cw5n1h2txyewy",
        WIN,
        ["-ServerName:CortanaUI.AppXstmwaab17q5s3y22tp6apqz7a45vwv65.mca"],
        False,
    ),
    (
        "firefox.exe",
        r"C:\Program Files\Mozilla Firefox",
        "Mozilla Corporation",
        ["", "-contentproc -isForBrowser"],
        False,
    ),
    (
        "msedgewebview2.exe",
        r"C:\Program Files (x86)\Microsoft\EdgeWebView\Application\{v}",
        MS,
        ["--type=utility --lang=en-US", "--embedded-browser-webview=1"],
        False,
    ),
    ("EXCEL.EXE", r"C:\Program Files\Microsoft Office\root\Office16", MS, ["", "/dde"], False),
    ("WINWORD.EXE", r"C:\Program Files\Microsoft Office\root\Office16", MS, ["", "/n /dde"], False),
    ("Code.exe", r"{u}\AppData\Local\Programs\Microsoft VS Code", MS, ["", "--type=utility"], False),
    ("explorer.exe", r"C:\Windows", WIN, [""], False),
    (
        "backgroundTaskHost.exe",
        r"C:\Windows\System32",
        WIN,
        ["-ServerName:App.AppXmtcan0h2tfbfy7k9kn8hbxb6dmzz1zh0.mca"],
        False,
    ),
    ("lsass.exe", r"C:\Windows\System32", WIN, [""], True),
    (
        "GoogleUpdate.exe",
        r"C:\Program Files (x86)\Google\Update",
        "Google LLC",
        ["/c", "/ua /installsource scheduler"],
        True,
    ),
    (
        "MicrosoftEdgeUpdate.exe",
        r"C:\Program Files (x86)\Microsoft\EdgeUpdate",
        MS,
        ["/ua /installsource core"],
        True,
    ),
    (
        "git.exe",
        r"C:\Program Files\Git\cmd",
        "Johannes Schindelin",
        ["fetch --all --prune", "pull", "status -z -u"],
        False,
    ),
    ("Spotify.exe", r"{u}\AppData\Roaming\Spotify", "Spotify AB", ["", "--autostart"], False),
    ("AcroRd32.exe", r"C:\Program Files (x86)\Adobe\Acrobat Reader DC\Reader", "Adobe Inc.", [""], False),
    ("CcmExec.exe", r"C:\Windows\CCM", MS, [""], True),
    ("SenseIR.exe", r"C:\Program Files\Windows Defender Advanced Threat Protection", MS, [""], True),
    ("conhost.exe", r"C:\Windows\System32", WIN, ["0xffffffff -ForceV1"], False),
    ("wmiprvse.exe", r"C:\Windows\System32\wbem", WIN, ["-secured -Embedding"], True),
    ("cmd.exe", r"C:\Windows\System32", WIN, ["/c ver", "/d /c logon.cmd"], False),
    ("Zoom.exe", r"{u}\AppData\Roaming\Zoom\bin", "Zoom Communications, Inc.", [""], False),
]
MACOS: list[tuple[str, str, str, list[str], bool]] = [
    (
        "Google Chrome Helper",
        "/Applications/Google Chrome.app/Contents/Frameworks/Helpers",
        "Developer ID Application: Google LLC (EQHXZ8M8AV)",
        ["--type=utility --lang=en-US", "--type=renderer"],
        False,
    ),
    (
        "com.apple.WebKit.Networking",
        "/System/Library/Frameworks/WebKit.framework/XPCServices",
        "Apple Inc.",
        [""],
        False,
    ),
    ("mDNSResponder", "/usr/sbin", "Apple Inc.", [""], True),
    ("nsurlsessiond", "/usr/libexec", "Apple Inc.", ["--privileged", ""], True),
    ("trustd", "/usr/libexec", "Apple Inc.", [""], True),
    (
        "Code Helper",
        "/Applications/Visual Studio Code.app/Contents/Frameworks",
        "Developer ID Application: Microsoft Corporation (UBF8T346G9)",
        ["--type=utility"],
        False,
    ),
    (
        "OneDrive",
        "/Applications/OneDrive.app/Contents/MacOS",
        "Developer ID Application: Microsoft Corporation (UBF8T346G9)",
        [""],
        False,
    ),
    (
        "firefox",
        "/Applications/Firefox.app/Contents/MacOS",
        "Developer ID Application: Mozilla Corporation (43AQ936H96)",
        [""],
        False,
    ),
]
LINUX: list[tuple[str, str, str, list[str], bool]] = [
    ("firefox", "/usr/lib/firefox", "", ["", "-contentproc"], False),
    ("systemd-resolved", "/usr/lib/systemd", "", [""], True),
    ("dockerd", "/usr/bin", "", ["-H fd:// --containerd=/run/containerd/containerd.sock"], True),
    ("chrome", "/opt/google/chrome", "", ["--type=utility"], False),
    ("snapd", "/usr/lib/snapd", "", [""], True),
    ("sshd", "/usr/sbin", "", ["-D"], True),
    ("git", "/usr/bin", "", ["fetch origin", "pull --ff-only"], False),
    ("apt", "/usr/bin", "", ["update", "-y upgrade"], True),
]
BROWSERS = ((0, 2, 7), (0, 1), (0, 3))
"""Positions of the browsers in the lists above, by system."""
RESOLVER = (1, 2, 1)
EDGE, EXCEL, OUTLOOK = 2, 9, 3


@dataclass(frozen=True)
class Software:
    """Where the actors of each program begin: actor = start + rank * stride + version * lines + line."""

    start: Codes
    """By system and program."""
    stride: Codes
    lines: Codes
    versions: Codes
    own: Codes
    """The first of the `OWN` actors that only one host has, by host."""


def _parents(system: int, service: bool) -> tuple[str, str]:
    if system == 0:
        return ("services.exe", SERVICES) if service else ("explorer.exe", r"C:\Windows\Explorer.EXE")
    return ("launchd", "/sbin/launchd") if system == 1 else ("systemd", "/usr/lib/systemd/systemd --system")


def program_actor(
    system: int,
    name: str,
    folder: str,
    signer: str,
    arguments: str,
    *,
    service: bool = False,
    version: int = 0,
) -> Actor:
    """An ordinary installed program of one version."""
    slash = "\\" if system == 0 else "/"
    path = folder + slash + name
    line = f'"{path}"' if system == 0 and " " in path else path
    parent, parent_line = _parents(system, service)
    return Actor(
        name, path, f"{line} {arguments}".strip(), digest(name, signer, version),
        "signed" if signer else None, signer or None, parent, parent_line, parent, parent_line,
    )  # fmt: skip


def _catalogue(system: int) -> list[tuple[str, str, str, list[str], bool]]:
    known = (WINDOWS, MACOS, LINUX)[system]
    programs = list(known)
    for number, pair in enumerate(pairs()):
        if len(programs) == PROGRAMS:
            break
        title = pair.title().replace("-", "")
        arguments = [["--agent"], ["", "--tray"], ["--sync --quiet", "--check", "--report daily"]][number % 3]
        if system == 0:
            folder = "{u}\\AppData\\Local\\" + title if number % 60 == 59 else f"C:\\Program Files\\{title} {{v}}"
            programs.append((f"{title}.exe", folder, f"{title} Software Inc.", arguments, number % 4 == 0))
        elif system == 1:
            signer = f"Developer ID Application: {title} Software Inc. ({digest(title)[:10].upper()})"
            programs.append((title, f"/Applications/{title}.app/Contents/MacOS", signer, arguments, number % 4 == 0))
        else:
            programs.append((pair, f"/opt/{pair}/bin", "", arguments, number % 2 == 0))
    return programs


def software(table: ActorTable, hosts: Organisation) -> Software:
    """Adds every ordinary program's actors to the table."""
    shape = (3, PROGRAMS)
    start, stride, lines, versions = (np.zeros(shape, np.int32) for _ in range(4))
    for system in range(3):
        members = hosts.of(system)
        for number, (name, folder, signer, arguments, service) in enumerate(_catalogue(system)):
            personal = "{u}" in folder
            start[system, number] = len(table)
            lines[system, number] = len(arguments)
            versions[system, number] = 2 if personal else 3
            block = len(arguments) * versions[system, number]
            stride[system, number] = block if personal else 0
            for host in members if personal else [-1]:
                home = hosts.home(int(host)) if personal else ""
                for version in range(versions[system, number]):
                    place = folder.replace("{u}", home).replace("{v}", f"2{version}.{number}.{version + 1}")
                    for argument in arguments:
                        actor = program_actor(system, name, place, signer, argument, service=service, version=version)
                        table.add(actor, system=service)
    own = np.zeros(len(hosts), np.int32)
    names = pairs(start=2000)
    for host in range(len(hosts)):
        own[host] = len(table)
        system = int(hosts.system[host])
        for _ in range(OWN):
            pair = next(names)
            name, folder = (
                (f"{pair}.exe", f"D:\\tools\\{pair}") if system == 0 else (pair, f"{hosts.home(host)}/tools/{pair}")
            )
            table.add(program_actor(system, name, folder, "", "--config local.toml"))
    return Software(start, stride, lines, versions, own)


def ordinary(
    programs: Software,
    hosts: Organisation,
    host: Codes,
    program: Codes,
    line: Codes,
    time: np.ndarray,
    first: int,
) -> Codes:
    """The actor of each row: the program on that host, in the version that it has by then."""
    system = hosts.system[host]
    key = (system, program)
    age = ((time - first) // DAY + (host * 7 + program * 13) % 20) // 25
    version = np.minimum(age, programs.versions[key] - 1)
    lines = programs.lines[key]
    actor: Codes = (
        programs.start[key] + hosts.rank[host] * programs.stride[key] + version * lines + line % lines
    ).astype(np.int32)
    return actor
