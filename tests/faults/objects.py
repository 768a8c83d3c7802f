"""The object store of the tests with its objects as files, so that a process that dies leaves what it has put there."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path

from tests import stores
from tests.faults.looking import STORE


class Objects(MutableMapping[str, bytes]):
    """Objects by their URLs, each there as a whole or not at all.

    Args:
        folder: of the files.
        seconds: that every call takes.
    """

    def __init__(self, folder: Path, seconds: float = 0.0) -> None:
        self._folder, self._seconds = folder, seconds
        self._uploads = folder.parent.parent / "uploads"
        self._uploads.mkdir(exist_ok=True)

    def _path(self, url: str) -> Path:
        time.sleep(self._seconds)
        return self._folder / url.partition("://")[2]

    def __getitem__(self, url: str) -> bytes:
        try:
            return self._path(url).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(url) from None

    def __setitem__(self, url: str, content: bytes) -> None:
        path = self._path(url)
        upload = self._uploads / uuid.uuid4().hex
        upload.write_bytes(content)
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        os.replace(upload, path)

    def __delitem__(self, url: str) -> None:
        try:
            self._path(url).unlink()
        except FileNotFoundError:
            raise KeyError(url) from None

    def __iter__(self) -> Iterator[str]:
        files = sorted(path for path in self._folder.rglob("*") if path.is_file())
        return (f"shelf://{path.relative_to(self._folder)}" for path in files)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def on_objects(act: Callable[[], int | None], seconds: float = 0.0) -> Callable[[], int | None]:
    """A command that finds its objects in the folder in which it runs."""

    def with_objects() -> int | None:
        stores.OBJECTS = Objects(Path(STORE).absolute(), seconds)
        return act()

    return with_objects
