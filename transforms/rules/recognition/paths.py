"""Folding of paths: what differs from user to user and version to version becomes `*` (specification, section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from uncommon_im.schemas.catalogue import Catalogue

_USER_FOLDER: Final = re.compile(r"^((?:[a-z]:/users|/home|/users)/)([^/]+)/")
_SHARED_USERS: Final = frozenset(("public", "shared", "default", "all users"))
_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX: Final = re.compile(r"[0-9a-f]{8,}")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_EXTENSION: Final = re.compile(r"\.[a-z][a-z0-9]*$")


def with_slashes(path: str) -> str:
    """`path` in lower case with forward slashes."""
    return path.lower().replace("\\", "/")


def folder_of(path: str) -> str:
    """The folder of a path with forward slashes, with its last slash; empty if it names none."""
    return path[: path.rfind("/") + 1]


def fold_user(path: str) -> str:
    """Step 2: the user's folder; folders that all users share keep their name."""
    found = _USER_FOLDER.match(path)
    if not found or found[2] in _SHARED_USERS:
        return path
    return f"{found[1]}*/{path[found.end() :]}"


def fold_varying(path: str) -> str:
    """Step 3: GUIDs, runs of eight or more hex digits, numbers."""
    if _HEX.search(path):  # a GUID begins with such a run
        path = _HEX.sub("*", _GUID.sub("*", path))
    return _NUMBER.sub("*", path)


def fold_script(path: str) -> str:
    """A script's path as it stands in a fingerprint: steps 2 and 3, its file extension left alone.

    >>> fold_script(r"C:\\Users\\al\\report-2024\\x.ps1")
    'c:/users/*/report-*/x.ps1'
    """
    path = fold_user(with_slashes(path))
    extension = _EXTENSION.search(path[path.rfind("/") + 1 :])
    if not extension:
        return fold_varying(path)
    return fold_varying(path[: len(path) - len(extension[0])]) + extension[0]


def _below(location: str) -> str:
    """A location and all that is below it."""
    return location.removesuffix("/") + "/*"


@dataclass(frozen=True)
class Locations:
    """The catalogue's suspicious locations, ready for lookups; `os` is an event's, `None` if it is missing."""

    catalogue: Catalogue

    def end(self, path: str, os: str | None, folded: bool = False) -> int:
        """Where the outermost suspicious location of a path ends; 0 if the path lies in none.

        Args:
            path: lower case, forward slashes.
            os: `windows`: a location's piece occurs anywhere; elsewhere the path begins with it; `None`: all lists.
            folded: numbers of the path are folded already.
        """
        ends = [0]
        for platform in ("windows", "macos", "linux") if os is None else (os,):
            for location in self._pieces.get((platform, folded), ()):
                if platform == "windows":
                    at = path.find(location)
                    if at >= 0:
                        ends.append(at + len(location))
                elif path.startswith(location):
                    ends.append(len(location))
        return min((end for end in ends if end), default=0)

    def fold_folder(self, path: str, os: str | None) -> str:
        """The folder of a process's path, folded by all three steps, without its last slash."""
        folder = folder_of(with_slashes(path))
        end = self.end(folder, os)
        if end:
            folder = _below(folder[:end])
        return fold_varying(fold_user(folder)).removesuffix("/")

    def fold_script_location(self, script: str, os: str | None) -> str:
        """A folded script path that lies in a suspicious location as that location and `/*`; else unchanged."""
        end = self.end(script, os, folded=True)
        return _below(script[:end]) if end else script

    @cached_property
    def _pieces(self) -> dict[tuple[str, bool], tuple[str, ...]]:
        pieces: dict[tuple[str, bool], tuple[str, ...]] = {}
        for platform, listed in self.catalogue.locations.items():
            plain = tuple(with_slashes(location) for location in listed)
            pieces[platform, False] = plain
            pieces[platform, True] = tuple(fold_varying(location) for location in plain)
        return pieces
