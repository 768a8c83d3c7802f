"""Processes that die at a change of a file: in this process, on a local file system and on the store in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests import stores
from uncommon_im.pipeline.results.claims import Claim
from uncommon_im.pipeline.storage import changing
from uncommon_im.pipeline.storage.listing import exists


class Killed(BaseException):
    """Nothing that is killed tidies up."""


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """The process dies before its change number `step` of files, each of them made whole or not at all."""
    left = iter(range(step))

    def change() -> None:
        if next(left, None) is None:
            raise Killed

    rename, unlink, store = os.replace, Path.unlink, stores.ShelfFileSystem

    def replace(old: str, new: str) -> None:
        change()
        rename(old, new)

    def gone(self: Path, missing_ok: bool = False) -> None:
        change()
        unlink(self, missing_ok)

    def copy(self: object, sources: list[str], destinations: list[str]) -> None:
        for source, destination in zip(sources, destinations, strict=True):
            change()
            stores.OBJECTS[destination] = stores.OBJECTS[source]

    def remove(self: stores.ShelfFileSystem, paths: list[str]) -> None:
        for pattern in paths:
            for each in self.match([pattern])[0].metadata_list:
                change()
                del stores.OBJECTS[each.path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changing.os, "replace", replace)
        patch.setattr(Path, "unlink", gone)
        patch.setattr(store, "copy", copy)
        patch.setattr(store, "delete", remove)
        yield


def let_die(claim: Claim) -> None:
    """What becomes of the claim of a process that was killed: the kernel gives it back, or its lease runs out."""
    if claim._held:
        claim._held.close()
    elif exists(claim.path):
        owner = msgspec.structs.replace(claim.owner, until=datetime(2026, 3, 1, tzinfo=UTC))
        stores.OBJECTS[claim.path] = msgspec.json.encode(owner)
