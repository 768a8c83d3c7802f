"""Folding of paths and suspicious locations (the detector's specification, section 4)."""

from __future__ import annotations

import re

from tests.oracle import catalogue

USER_FOLDER = re.compile(r"^((?:[a-z]:)?/users/|/home/)([^/]+)/")
NOT_USERS = {"public", "shared", "default", "all users"}
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HEX_RUN = re.compile(r"[0-9a-f]{8,}")
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*")
EXTENSION = re.compile(r"\.[a-z][a-z0-9]*$")
WINDOWS_FOLDER = re.compile(r"^(?:(?://\?/)?[a-z]:|/device/harddiskvolume[0-9]+)/windows/")


def slashed(path: str) -> str:
    """Lower case, forward slashes."""
    return path.lower().replace("\\", "/")


def location_end(path: str, os: str | None, folded: bool = False) -> int | None:
    """Where the outermost suspicious location of a slashed path ends, or None if it lies in none.

    With `folded`, the path has been through folding, so the listed pieces go through its third step too.
    """
    ends = []
    for system, pieces in catalogue.load().locations.items():
        if os not in (None, system):
            continue
        for piece in pieces:
            wanted = fold_numbers(piece) if folded else piece
            at = path.find(wanted)
            if at == 0 or (at > 0 and system == "windows"):
                ends.append(at + len(wanted))
    return min(ends, default=None)


def fold_location(path: str, os: str | None, folded: bool = False) -> str:
    """Step 1: a suspicious location and all that is below it become that location and `/*`."""
    end = location_end(path, os, folded)
    return path if end is None else path[:end].removesuffix("/") + "/*"


def fold_user(path: str) -> str:
    """Step 2: the user's folder."""
    found = USER_FOLDER.match(path)
    if found is None or found.group(2) in NOT_USERS:
        return path
    return found.group(1) + "*/" + path[found.end() :]


def fold_numbers(path: str) -> str:
    """Step 3: GUIDs, then runs of 8 or more hex digits, then numbers."""
    return NUMBER.sub("*", HEX_RUN.sub("*", GUID.sub("*", path)))


def fold_folder(path: str, os: str | None) -> str:
    """The folder of a path, folded, without its last slash; empty if the path has no slash."""
    plain = slashed(path)
    folder = plain[: plain.rfind("/") + 1]
    return fold_numbers(fold_user(fold_location(folder, os))).removesuffix("/")


def fold_script(path: str) -> str:
    """A script's path, folded by steps 2 and 3; its file extension keeps its digits."""
    plain = fold_user(slashed(path))
    extension = EXTENSION.search(plain)
    if extension is None:
        return fold_numbers(plain)
    return fold_numbers(plain[: extension.start()]) + extension.group()


def in_suspicious_location(path: str, os: str | None) -> bool:
    """Whether a raw path lies in a suspicious location."""
    return location_end(slashed(path), os) is not None


def outside_windows_folder(path: str | None) -> bool:
    """Whether a path is known and not below the Windows folder."""
    return path is not None and WINDOWS_FOLDER.match(slashed(path)) is None
