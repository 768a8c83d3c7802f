"""All software of the organisation, by operating system, and the invented programs that few hosts have."""

from __future__ import annotations

from uncommon_im.pipeline.lab.simulation.organisation.programs import (
    EXPLORER,
    LAUNCHD,
    SYSTEMD,
    Program,
    developer_id,
    sha256_of,
)
from uncommon_im.pipeline.lab.simulation.organisation.software_unix import LINUX_PROGRAMS, MAC_PROGRAMS
from uncommon_im.pipeline.lab.simulation.organisation.software_windows import WINDOWS_PROGRAMS

PROGRAMS = {"windows": WINDOWS_PROGRAMS, "macos": MAC_PROGRAMS, "linux": LINUX_PROGRAMS}


def vendor_names(count: int) -> list[str]:
    """Invented makers of local programs."""
    first = ("acme", "borealis", "corvus", "dorado", "everest", "falcon", "gamma", "hydra", "indigo", "jade")
    second = ("soft", "ware", "tools", "print", "scan", "sign", "plan", "calc", "draw", "sync")
    return [f"{first[n % 10]}{second[n // 10 % 10]}{n // 100 or ''}" for n in range(count)]


def local_program(vendor: str, system: str) -> Program:
    """The one program of an invented maker."""
    title = vendor.capitalize()
    if system == "windows":
        return Program(f"C:\\Program Files\\{title}\\{title}.exe", f"{title} GmbH", EXPLORER)
    if system == "macos":
        team = sha256_of(vendor, "team")[:10].upper()
        return Program(f"/Applications/{title}.app/Contents/MacOS/{title}", developer_id(title, team), LAUNCHD)
    return Program(f"/opt/{vendor}/{vendor}", None, SYSTEMD, status="unknown")
