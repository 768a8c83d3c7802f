"""Folders of results, which a rerun replaces as a whole: nothing is destroyed that is not provably a run's own.

A run claims its folder, writes beside the earlier result, and publishes at its end: a journal says what goes where
(from then on the new result counts), the seal of the earlier one is deleted, files are moved into their places, those
of the earlier result that are left are deleted, and the new seal comes last. A reader who waits for the seal sees one
result or the other. What is killed before the journal has changed nothing; what is killed after it is finished by the
next command that opens the folder. A run that fails leaves the earlier result as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from posixpath import join
from typing import TypeVar

import msgspec

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.results import claims
from uncommon_im.pipeline.results.claims import BOOKS, Claim
from uncommon_im.pipeline.results.ownership import ResultKind, own_files
from uncommon_im.pipeline.storage.changing import delete, delete_folder, move, remove_empty, write_whole, writing_to
from uncommon_im.pipeline.storage.listing import exists, list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError

log = logging.getLogger(__name__)


class _Journal(msgspec.Struct, frozen=True):
    """What a run is about to change.

    Args:
        run_id: of the run.
        files: name in its staging -> name in the folder.
        old: names of the files that it replaces.
    """

    run_id: str
    files: dict[str, str]
    old: list[str]


class _Manifest(msgspec.Struct, frozen=True):
    """The mark of a result: which files are its own."""

    run_id: str
    files: list[str]


_Book = TypeVar("_Book", bound=msgspec.Struct)


@dataclass(frozen=True)
class ResultFolder:
    """A folder for results of one kind.

    Args:
        path: local, or on any file system that Beam knows; no glob.
        kind: of the results.
        option: of the command line that names it, for messages.
    """

    path: str
    kind: ResultKind
    option: str = "--output"

    def check(self) -> list[str]:
        """The names of the files that a run would replace.

        Raises:
            ConfigurationError: something else lies in its places; names the first.
        """
        manifest, journal = self._read("", _Manifest), self._read("-publishing", _Journal)
        listed = [*(manifest.files if manifest else ()), *((*journal.old, *journal.files.values()) if journal else ())]
        return own_files(self.path, self.kind, self.option, listed)

    def places(self) -> list[str]:
        """The paths of all that a run may replace."""
        return [join(self.path, name) for name in (*self.kind.folders, *self.kind.files, BOOKS)]

    def staging(self, run_id: str) -> str:
        """The folder where a run writes before it publishes."""
        return join(self.path, BOOKS, run_id)

    def staged_names(self, run_id: str) -> list[str]:
        """The names of what lies there."""
        return list_folder(self.staging(run_id))

    @contextmanager
    def staged(self, run_id: str, *, force: bool = False, stays: bool = True) -> Iterator[str]:
        """A folder beside the earlier result, for a run's files; what of it is not published goes if the block fails.

        Args:
            run_id: of the run.
            force: take over what cannot be proven dead.
            stays: the run ends with this process; else `publish` has to release the claim.

        Raises:
            ConfigurationError: another run writes there, something else lies there, or it cannot be written.
        """
        self.check()
        claim = claims.claim(self.option, self.path, self.kind.name, (run_id, join(BOOKS, run_id)), stays=stays)
        try:
            with writing_to(self.option, self.path):
                self._settle_others(run_id, force)
            self.check()
            yield claim.staging
        except BaseException as error:
            if stays or isinstance(error, Exception):  # a job elsewhere goes on when its launcher is stopped
                self._give_up(claim)
            raise
        if stays:
            claim.release()

    def publish(self, run_id: str, files: Mapping[str, str] | None = None) -> None:
        """Makes what is staged the result, in place of the earlier one; a second time changes nothing.

        Args:
            run_id: of the run.
            files: name in the staging -> name in the folder; `None`: all, under their own names.

        Raises:
            RunFailed: another run has taken the folder over.
            ConfigurationError: something else lies in its places by now.
        """
        manifest, journal = self._read("", _Manifest), self._read("-publishing", _Journal)
        if journal is None and manifest and manifest.run_id == run_id:
            return
        if journal is None or journal.run_id != run_id:
            if not claims.is_claimed(self.path, self.kind.name, run_id):
                raise RunFailed(
                    f"{self.path}: another run has taken the folder over: nothing of this one was published"
                )
            names = {name: name for name in self.staged_names(run_id)} if files is None else files
            journal = _Journal(run_id, dict(names), self.check())
            self._write("-publishing", journal)
        self._finish(journal)

    def settle(self) -> None:
        """Finishes what a killed run began to publish, before somebody reads the folder.

        Raises:
            ConfigurationError: it cannot be finished, or it is being published right now.
        """
        if exists(join(self.path, self.kind.seal)):
            return
        journal = self._read("-publishing", _Journal)
        if journal is None:
            return
        for owner in claims.others(self.path, self.kind.name):
            if owner.run_id == journal.run_id and claims.is_dead(owner, self.path, self.kind.name) is not True:
                raise ConfigurationError(f"{self.path}: run {owner.run_id} is being published: try again in a moment")
        with writing_to("", self.path):
            self._finish(journal)

    def _settle_others(self, run_id: str, force: bool) -> None:
        """Finishes what dead runs were about to publish, and removes what else they have left."""
        dead = claims.refuse_living(self.option, self.path, self.kind.name, run_id, force)
        if journal := self._read("-publishing", _Journal):
            self._finish(journal)
        for owner in dead:
            claims.bury(self.path, self.kind.name, owner)

    def _finish(self, journal: _Journal) -> None:
        """Every step may have been done before: by a run that was killed, or by another try of this one."""
        staging, seal = self.staging(journal.run_id), self.kind.seal
        waiting = {name: journal.files[name] for name in list_folder(staging) if name in journal.files}
        sealed = [name for name, place in waiting.items() if place == seal]
        if sealed:
            delete([join(self.path, seal)])
            new = set(journal.files.values())
            move({join(staging, name): join(self.path, waiting[name]) for name in waiting if name not in sealed})
            delete(join(self.path, name) for name in journal.old if name not in new)
            remove_empty(join(self.path, name) for name in self.kind.folders)
            self._write("", _Manifest(journal.run_id, sorted(new)))
            move({join(staging, name): join(self.path, seal) for name in sealed})
        delete([self._book("-publishing")])
        delete_folder(staging)
        claims.unclaim(self.path, self.kind.name, journal.run_id)

    def _give_up(self, claim: Claim) -> None:
        try:
            journal = self._read("-publishing", _Journal)
            if journal and journal.run_id == claim.owner.run_id:
                log.warning("%s: the result is whole but not all in place: the next command finishes it", self.path)
            else:
                delete_folder(claim.staging)
            claim.release()
        except Exception as error:  # it must not hide why the run failed
            log.warning("%s: cannot be tidied up: %s: the next run does it", self.path, error)

    def _book(self, name: str) -> str:
        return join(self.path, BOOKS, f"{self.kind.name}{name}.json")

    def _read(self, name: str, kind: type[_Book]) -> _Book | None:
        try:
            with open_binary(self._book(name)) as stream:
                return msgspec.json.decode(stream.read(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def _write(self, name: str, book: msgspec.Struct) -> None:
        write_whole(self._book(name), msgspec.json.encode(book))
