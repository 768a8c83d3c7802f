"""The software of the organisation, by operating system (software.yaml), and invented programs that few hosts have."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from uncommon_im.schemas.decoding import Entry, Text, decode
from uncommon_im.schemas.documents import packaged_yaml

Process = tuple[str, str]
"""Name and command line."""


class Program(Entry, frozen=True):
    """One image; the templates `path`, `arguments`, and the command lines of those who started it, know `{user}`,
    `{project}` (of the user's) and `{version}`.

    The parent owns the causality group too unless `causality` says otherwise. `status` is the signature status;
    `service` marks what runs as the system; `versions` are rolled out in turn. Each connection of a
    `brief` program is made by a process of its own; others run for days.
    """

    path: Text
    parent: Process
    signer: str | None = None
    arguments: str = ""
    status: Literal["signed", "unsigned", "unknown"] = "signed"
    service: bool = False
    brief: bool = False
    versions: tuple[str, ...] = ("1",)
    causality: Process | None = None

    @property
    def name(self) -> str:
        """Base name of the image."""
        return self.path.replace("\\", "/").rsplit("/", 1)[1]


class Software(Entry, frozen=True):
    """Programs of each operating system by their keys, what several share, and what invented makers are called."""

    parents: dict[str, Process]
    vendors: tuple[tuple[str, ...], tuple[str, ...]]
    windows: dict[str, Program]
    macos: dict[str, Program]
    linux: dict[str, Program]


_SOFTWARE: Final = decode(packaged_yaml(__package__, "software.yaml"), Software, "software.yaml")
PARENTS: Final = _SOFTWARE.parents
PROGRAMS: Final = {"windows": _SOFTWARE.windows, "macos": _SOFTWARE.macos, "linux": _SOFTWARE.linux}


def sha256_of(program: str, version: str) -> str:
    """The same program and version have the same hash everywhere."""
    return hashlib.sha256(f"{program} {version}".encode()).hexdigest()


def vendor_names(count: int) -> list[str]:
    """Invented makers of local programs."""
    first, second = _SOFTWARE.vendors
    return [f"{first[n % 10]}{second[n // 10 % 10]}{n // 100 or ''}" for n in range(count)]


def local_program(vendor: str, system: str) -> Program:
    """The one program of an invented maker."""
    title = vendor.capitalize()
    if system == "windows":
        path, signer = f"C:\\Program Files\\{title}\\{title}.exe", f"{title} GmbH"
        return Program(path, PARENTS["explorer"], signer)
    if system == "macos":
        signer = f"Developer ID Application: {title} ({sha256_of(vendor, 'team')[:10].upper()})"
        return Program(f"/Applications/{title}.app/Contents/MacOS/{title}", PARENTS["launchd"], signer)
    return Program(f"/opt/{vendor}/{vendor}", PARENTS["systemd"], status="unknown")
