"""The directory of a snapshot: one run at a time writes there, and only what is provably a snapshot's is deleted.

The files of a run have a folder of their own, named by the run, and `metadata.json` is replaced in one piece: whoever
reads it sees one snapshot or the next. Then the files of the one before are deleted; a note of them is kept until that
is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from posixpath import join
from typing import Final

import msgspec

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.pipeline.results import claims
from uncommon_im.pipeline.results.claims import BOOKS
from uncommon_im.pipeline.storage.changing import delete, delete_folder, move, remove_empty, write_whole, writing_to
from uncommon_im.pipeline.storage.listing import exists, list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.snapshot import METADATA, TABLES, Metadata

KIND: Final = "snapshot"
_REPLACED: Final = join(BOOKS, f"{KIND}-replaced.json")
_OWN: Final = re.compile(rf"[\w-]+/({'|'.join(TABLES)})-\d{{5}}\.parquet")
_STAGED: Final = re.compile(rf"(({'|'.join(TABLES)})-\d{{5}}\.parquet|{re.escape(METADATA)})(\.[0-9a-f]{{32}})?")


class _Current(msgspec.Struct, frozen=True):
    """What the metadata of every version says: the day, the run, and the files by table."""

    as_of: str
    run_id: str
    files: dict[str, list[str]]


@dataclass(frozen=True)
class SnapshotFolder:
    """A directory that snapshots are left in, one after the other.

    Args:
        path: local, or on any file system that Beam knows; no glob.
        option: of the command line that names it, for messages.
    """

    path: str
    option: str = "--baseline-out"

    def check(self) -> None:
        """Makes sure that a snapshot may be left there.

        Raises:
            ConfigurationError: a file has its name that is no snapshot's.
        """
        require(
            not exists(join(self.path, METADATA), self.option) or self._current() is not None,
            f"{self.option} {self.path}: {METADATA} there is no snapshot's: give the snapshot a directory of its own",
        )

    def places(self) -> list[str]:
        """The paths of all that a run may replace."""
        current = self._current()
        files = [name for names in current.files.values() for name in names] if current else []
        return [join(self.path, name) for name in (METADATA, BOOKS, *files)]

    @contextmanager
    def claimed(self, run_id: str, *, force: bool = False, stays: bool = True) -> Iterator[None]:
        """While the block runs no other run leaves a snapshot there; what one that fails has written is deleted.

        Args:
            run_id: of the run.
            force: take over what cannot be proven dead.
            stays: the run ends with this process; else `commit` has to release the claim.

        Raises:
            ConfigurationError: another run writes there, or it cannot be written.
        """
        self.check()
        claim = claims.claim(self.option, self.path, KIND, (run_id, run_id), stays=stays)
        try:
            with writing_to(self.option, self.path):
                for owner in claims.refuse_living(self.option, self.path, KIND, run_id, force):
                    self._bury(owner)
                self._delete_replaced()
            yield
        except BaseException as error:
            if stays or isinstance(error, Exception):  # a job elsewhere goes on when its launcher is stopped
                with suppress(Exception):  # it must not hide why the run failed; the next run does it
                    if not self._is(run_id):
                        delete_folder(claim.staging)
                    claim.release()
            raise
        if stays:
            claim.release()

    def commit(self, metadata: Metadata) -> None:
        """Makes a run's files the snapshot, and deletes those of the one before; a second time changes nothing.

        Raises:
            RunFailed: another run has taken the directory over.
        """
        if not self._is(metadata.run_id):
            if not claims.is_claimed(self.path, KIND, metadata.run_id):
                raise RunFailed(f"{self.path}: another run has taken the directory over: no snapshot was left")
            before = self._current()
            old = [name for files in before.files.values() for name in files] if before else []
            write_whole(join(self.path, _REPLACED), msgspec.json.encode(old))
            staged = join(self.path, metadata.run_id, METADATA)
            write_whole(staged, metadata.to_json().encode())
            move({staged: join(self.path, METADATA)})
        self._delete_replaced()
        self._delete_unfinished(metadata.run_id)
        claims.unclaim(self.path, KIND, metadata.run_id)

    def remove(self) -> None:
        """Deletes the snapshot, and the directory if nothing else is in it; killed on the way, it can be done again."""
        if current := self._current():
            old = [name for files in current.files.values() for name in files]
            write_whole(join(self.path, _REPLACED), msgspec.json.encode(old))
            delete([join(self.path, METADATA)])
        self._delete_replaced()
        claims.sweep(self.path, KIND)
        remove_empty([join(self.path, BOOKS), self.path])

    def _bury(self, owner: claims.Owner) -> None:
        """Removes what a dead run left behind; of one whose snapshot counts, all but that."""
        counts = self._is(owner.run_id)
        if counts:
            self._delete_unfinished(owner.run_id)
        claims.bury(self.path, KIND, owner, staged=not counts)

    def _delete_unfinished(self, run_id: str) -> None:
        """Deletes what the run whose snapshot counts has in its folder beside that."""
        current = self._current()
        files = {name for names in current.files.values() for name in names} if current else set[str]()
        staged = [join(run_id, name) for name in list_folder(join(self.path, run_id)) if _STAGED.fullmatch(name)]
        delete(join(self.path, name) for name in staged if name not in files)

    def _delete_replaced(self) -> None:
        """Deletes the files of earlier snapshots that a run has noted, but those of the one that counts."""
        try:
            with open_binary(join(self.path, _REPLACED)) as stream:
                noted = msgspec.json.decode(stream.read(), type=list[str])
        except (OSError, msgspec.DecodeError):
            return
        current = self._current()
        counts = {name for files in current.files.values() for name in files} if current else set[str]()
        old = [name for name in noted if _OWN.fullmatch(name) and name not in counts]
        delete(join(self.path, name) for name in old)
        remove_empty({join(self.path, name.partition("/")[0]) for name in old})
        delete([join(self.path, _REPLACED)])

    def _is(self, run_id: str) -> bool:
        current = self._current()
        return current is not None and current.run_id == run_id

    def _current(self) -> _Current | None:
        """What the snapshot says of itself; `None`: there is none."""
        try:
            with open_binary(join(self.path, METADATA)) as stream:
                return msgspec.json.decode(stream.read(), type=_Current)
        except (OSError, msgspec.DecodeError):
            return None
