"""Claims: one run at a time writes into a folder, on any file system.

A claim is a file in the folder that names its run, its owner and the time. Whoever wants the folder writes his own
first and then looks for others: of two at once the later sees the earlier. On this machine the kernel tells whether
the owner lives. On object stores a claim is a lease, which a run that lives renews.
"""

from __future__ import annotations

import getpass
import logging
import os
import platform
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from posixpath import join
from typing import BinaryIO, Final

import msgspec

from uncommon_im.pipeline.storage.changing import delete, delete_folder, remove_empty, write_whole, writing_to
from uncommon_im.pipeline.storage.kernel_lock import hold, is_held
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.opening import is_remote, open_binary
from uncommon_im.schemas.documents import ConfigurationError

log = logging.getLogger(__name__)

BOOKS: Final = ".uncommon-im"
"""The folder, in one that runs write to, of what they know of each other."""
LEASE: Final = timedelta(minutes=5)
_SUFFIX: Final = ".lock"
_UNFINISHED: Final = re.compile(r"(?P<kind>\w+)(-[\w-]+)?\.(json|lock)\.[0-9a-f]{32}")
_RUN_ID: Final = re.compile(r"[\w-]+\Z")


class Owner(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who claims a folder.

    Args:
        run_id: of the run.
        staging: where it writes, relative to the folder: nobody else does.
        process: its user, machine and process.
        machine: its machine.
        since: when it began.
        until: when its lease ends; `None`: it has none.
        held: the kernel of its machine holds the file while its process lives.
    """

    run_id: str
    staging: str
    process: str
    machine: str
    since: datetime
    until: datetime | None = None
    held: bool = False


@dataclass
class Claim:
    """A folder that this process alone writes to, until it is released.

    Args:
        folder: that is claimed.
        kind: of what is written there: claims of other kinds do not count.
        owner: who claims it.
    """

    folder: str
    kind: str
    owner: Owner
    _held: BinaryIO | None = None
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def path(self) -> str:
        """Of its file."""
        return _path(self.folder, self.kind, self.owner.run_id)

    @property
    def staging(self) -> str:
        """Where its run writes."""
        return join(self.folder, self.owner.staging)

    def release(self) -> None:
        """Gives the folder back."""
        self._released.set()
        unclaim(self.folder, self.kind, self.owner.run_id)
        if self._held:
            self._held.close()
        with suppress(OSError):  # an empty folder is no harm
            remove_empty([join(self.folder, BOOKS)])

    def write(self) -> None:
        """Writes its file, and holds it if that can be."""
        if is_remote(self.folder):
            write_whole(self.path, msgspec.json.encode(self.owner))
            return
        Path(self.folder, BOOKS).mkdir(parents=True, exist_ok=True)
        self._held = hold(Path(self.path), msgspec.json.encode(msgspec.structs.replace(self.owner, held=True)))
        if self._held is None:
            write_whole(self.path, msgspec.json.encode(self.owner))

    def keep(self) -> None:
        """Renews its lease, from another thread, until it is released."""
        threading.Thread(target=self._renew, name="lease", daemon=True).start()

    def _renew(self) -> None:
        while not self._released.wait(LEASE.total_seconds() / 5):
            self.owner = msgspec.structs.replace(self.owner, until=_now() + LEASE)
            try:
                self.write()
            except Exception as error:  # the next one may succeed
                log.warning("%s: the lease cannot be renewed now: %s", self.path, error)
            if self._released.is_set():  # meanwhile
                unclaim(self.folder, self.kind, self.owner.run_id)


def claim(option: str, folder: str, kind: str, run: tuple[str, str], *, stays: bool) -> Claim:
    """Says that a run writes into a folder. Whoever claims looks at `others` before he changes anything.

    Args:
        option: of the command line that names the folder, for messages.
        folder: on any file system.
        kind: of what is written there.
        run: its id, and where in the folder it writes.
        stays: this process lives as long as the run, which may go on elsewhere without it.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    run_id, staging = run
    name = machine = platform.node()
    with suppress(Exception):  # an account without a name
        name = f"{getpass.getuser()}@{machine}"
    now = _now()
    until = now + LEASE if stays and is_remote(folder) else None
    owner = Owner(run_id, staging, f"{name}, process {os.getpid()}", machine, now.replace(microsecond=0), until)
    made = Claim(folder, kind, owner)
    with writing_to(option, folder):
        made.write()
    if until:
        made.keep()
    return made


def others(folder: str, kind: str, run_id: str = "") -> list[Owner]:
    """Who else claims a folder, living or dead."""
    return [owner for name in _names(folder, kind) if (owner := _read(folder, name)) and owner.run_id != run_id]


def refuse_living(option: str, folder: str, kind: str, run_id: str, force: bool) -> list[Owner]:
    """Who else claimed a folder and died; what they left behind is still there.

    Args:
        option: of the command line that names the folder, for messages.
        folder: that this run has claimed.
        kind: of what is written there.
        run_id: of this run.
        force: who cannot be told to be alive counts as dead.

    Raises:
        ConfigurationError: somebody else lives, or may live.
    """
    found = others(folder, kind, run_id)
    for owner in found:
        dead = is_dead(owner, folder, kind)
        if dead is False or not (dead or force):
            raise _in_the_way(option, folder, owner, dead)
    sweep(folder, kind)
    return found


def sweep(folder: str, kind: str) -> None:
    """Removes what somebody began to write into the books when he was killed."""
    for name in list_folder(join(folder, BOOKS)):
        path = join(folder, BOOKS, name)
        unfinished = _UNFINISHED.fullmatch(name)
        if unfinished and unfinished["kind"] == kind and (is_remote(folder) or not is_held(Path(path))):
            delete([path])


def is_dead(owner: Owner, folder: str, kind: str) -> bool | None:
    """Whether the owner of a claim is dead; `None`: that cannot be told from here."""
    if owner.held and owner.machine == platform.node() and not is_remote(folder):
        return not is_held(Path(_path(folder, kind, owner.run_id)))
    if owner.until is not None and owner.until < _now():
        return True
    return None


def _in_the_way(option: str, folder: str, owner: Owner, dead: bool | None) -> ConfigurationError:
    lease = f", and its lease lasts until {owner.until:%H:%M:%S} UTC" if owner.until else ""
    remedy = "wait until it is done" if dead is False else "wait until it is done, or take over with --force if it died"
    return ConfigurationError(
        f"{option} {folder}: run {owner.run_id} of {owner.process} has been writing there since "
        f"{owner.since:%Y-%m-%d %H:%M:%S} UTC{lease}: {remedy}"
    )


def bury(folder: str, kind: str, owner: Owner, staged: bool = True) -> None:
    """Removes what a dead run left behind: its claim, and what it has staged unless that counts by now."""
    if staged:
        log.info("%s: removing what run %s left unfinished", folder, owner.run_id)
        delete_folder(join(folder, owner.staging))
    unclaim(folder, kind, owner.run_id)


def unclaim(folder: str, kind: str, run_id: str) -> None:
    """Gives a folder back in the name of a run."""
    delete([_path(folder, kind, run_id)])


def is_claimed(folder: str, kind: str, run_id: str) -> bool:
    """Whether a run still has its claim."""
    return _read(folder, f"{kind}-{run_id}{_SUFFIX}") is not None


def _path(folder: str, kind: str, run_id: str) -> str:
    return join(folder, BOOKS, f"{kind}-{run_id}{_SUFFIX}")


def _names(folder: str, kind: str) -> list[str]:
    names = list_folder(join(folder, BOOKS))
    return [name for name in names if name.startswith(f"{kind}-") and name.endswith(_SUFFIX) and "/" not in name]


def _read(folder: str, name: str) -> Owner | None:
    """`None`: it is gone, or nothing that a run wrote."""
    try:
        with open_binary(join(folder, BOOKS, name)) as stream:
            owner = msgspec.json.decode(stream.read(), type=Owner)
    except (OSError, msgspec.DecodeError):
        return None
    return owner if owner.staging in (owner.run_id, join(BOOKS, owner.run_id)) and _RUN_ID.match(owner.run_id) else None


def _now() -> datetime:
    return datetime.now(UTC)
