"""What a program is: image, signer, parent and versions; and the parents and signers that many programs share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MICROSOFT = "Microsoft Corporation"
WINDOWS = "Microsoft Windows"
APPLE = "Apple Inc."
EXPLORER = ("explorer.exe", r"C:\Windows\explorer.exe")
SERVICES = ("services.exe", r"C:\Windows\System32\services.exe")
SVCHOST = ("svchost.exe", r"C:\Windows\System32\svchost.exe -k netsvcs -p -s Schedule")
INTUNE_FOLDER = r"C:\Program Files (x86)\Microsoft Intune Management Extension"
INTUNE = ("IntuneManagementExtension.exe", f'"{INTUNE_FOLDER}\\IntuneManagementExtension.exe"')
LAUNCHD = ("launchd", "/sbin/launchd")
SYSTEMD = ("systemd", "/usr/lib/systemd/systemd --user")
INIT = ("systemd", "/sbin/init")
CRON = ("cron", "/usr/sbin/cron -f")


@dataclass(frozen=True)
class Program:
    """One image; the templates `path` and `arguments` know `{user}` and `{version}`.

    The parent owns the causality group too unless `causality` says otherwise. `status` is the signature status;
    `service` marks what runs as the system; `versions` are rolled out in turn.
    """

    path: str
    signer: str | None
    parent: tuple[str, str]
    arguments: str = ""
    status: str = "signed"
    service: bool = False
    versions: tuple[str, ...] = ("1",)
    causality: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """Base name of the image."""
        return self.path.replace("\\", "/").rsplit("/", 1)[1]


def sha256_of(program: str, version: str) -> str:
    """The same program and version have the same hash everywhere."""
    return hashlib.sha256(f"{program} {version}".encode()).hexdigest()


def developer_id(name: str, team: str) -> str:
    """The common name of a macOS code signature."""
    return f"Developer ID Application: {name} ({team})"


POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"
TEAMS_PARENT = ("ms-teams.exe", r"C:\Program Files\WindowsApps\MSTeams_8wekyb3d8bbwe\ms-teams.exe")
