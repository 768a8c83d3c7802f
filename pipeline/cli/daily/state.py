"""The state folder of a chain of days: its ledger, its snapshots, and the claim of whoever works on it.

The ledger is one small file that is replaced as a whole, after the work of a day is done. So a day that was begun and
not entered is judged again, from the same snapshot as before: whatever was killed can simply be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from posixpath import join
from typing import Final

from msgspec import field

from uncommon_im.pipeline.baselines.snapshot_folder import SnapshotFolder
from uncommon_im.pipeline.configuration.configuration import new_run_id
from uncommon_im.pipeline.errors import NotReady
from uncommon_im.pipeline.results import claims
from uncommon_im.pipeline.results.claims import BOOKS
from uncommon_im.pipeline.storage.changing import write_whole, writing_to
from uncommon_im.pipeline.storage.listing import exists, list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.metadata import VersionedDocument
from uncommon_im.schemas.snapshot import METADATA

KIND: Final = "daily"
LEDGER: Final = join(BOOKS, f"{KIND}.json")
SNAPSHOTS: Final = "snapshots"
_OF_A_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})/.+")

Files = dict[str, tuple[int, float]]
"""Path of a file -> its size in bytes, and when it was changed, in seconds since 1970."""


class Ledger(VersionedDocument, frozen=True, tag_field="schema_version", tag=1):
    """How far a chain of days is.

    Args:
        first: the first day that is judged.
        next: the day that comes next; all from `first` to before it are judged, or had no files.
        days: those of them that can still be judged again -> the files that were read; none: there were none.
        thin: the files of `next` with which it had too few events; empty: it has not been judged yet.
        why: what was missing then.
    """

    subject = "a chain of days"
    renewal = "give another --state"

    first: date
    next: date
    days: dict[date, Files] = field(default_factory=dict)
    thin: Files = field(default_factory=dict)
    why: str = ""


class StateFolder:
    """The folder that `--state` names.

    Args:
        path: local, or on any file system that Beam knows.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    @contextmanager
    def claimed(self, *, force: bool = False) -> Iterator[None]:
        """While the block runs no other command works on the chain.

        Raises:
            NotReady: another one does.
            ConfigurationError: the folder cannot be written.
        """
        run_id = new_run_id()
        claim = claims.claim("--state", self.path, KIND, (run_id, join(BOOKS, run_id)), stays=True)
        try:
            with writing_to("--state", self.path):
                for owner in self._dead(run_id, force):
                    claims.bury(self.path, KIND, owner)
            yield
        finally:
            claim.release()

    def _dead(self, run_id: str, force: bool) -> list[claims.Owner]:
        try:
            return claims.refuse_living("--state", self.path, KIND, run_id, force)
        except ConfigurationError as error:
            raise NotReady(str(error)) from None

    def read(self) -> Ledger | None:
        """How far the chain is; `None`: it has not begun.

        Raises:
            ConfigurationError: the ledger is none, or of another version.
        """
        path = join(self.path, LEDGER)
        if not exists(path, "--state"):
            return None
        with open_binary(path) as stream:
            return Ledger.parse(stream.read().decode(errors="replace"), f"--state {path}")

    def write(self, ledger: Ledger) -> Ledger:
        """Makes this the state, in one piece; returns it."""
        with writing_to("--state", self.path):
            write_whole(join(self.path, LEDGER), ledger.to_json().encode())
        return ledger

    def snapshot(self, day: date) -> str:
        """The directory of the snapshot that is taken as a day begins."""
        return join(self.path, SNAPSHOTS, str(day))

    def snapshots(self) -> list[date]:
        """The days whose snapshots are there, in order."""
        return [day for day, whole in self._directories().items() if whole]

    def tidy(self, kept: Collection[date]) -> None:
        """Deletes all snapshots but those of some days, and what is left of such as were being deleted."""
        for day in self._directories():
            if day not in kept:
                SnapshotFolder(self.snapshot(day)).remove()

    def _directories(self) -> dict[date, bool]:
        """Day -> whether its snapshot is whole."""
        found: dict[date, bool] = {}
        for name in list_folder(join(self.path, SNAPSHOTS), "--state"):
            if match := _OF_A_DAY.fullmatch(name):
                try:
                    day = date.fromisoformat(match[1])
                except ValueError:  # somebody else's
                    continue
                found[day] = found.get(day, False) or name == f"{match[1]}/{METADATA}"
        return found
