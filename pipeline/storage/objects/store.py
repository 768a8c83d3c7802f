"""What an object store has to do, whoever's it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from uncommon_im.pipeline.storage.objects.addresses import Address


class StoreError(Exception):
    """A store refuses; the message is one line."""


class Store(Protocol):
    """The calls of an object store. Keys are taken as they are.

    Each raises `FileNotFoundError` if the object is not there, and errors of its SDK otherwise.
    """

    def list(self, prefix: Address) -> Iterator[tuple[str, int]]:
        """(key, size in bytes) of the objects whose keys begin so; marks of folders are none."""

    def size(self, object: Address) -> int:
        """In bytes."""

    def read(self, object: Address, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, both within the object."""

    def write(self, object: Address, content: BinaryIO) -> None:
        """The object is there once all of it is; an earlier one is replaced."""

    def copy(self, source: Address, target: Address) -> None:
        """Within the store; returns when the copy is there."""

    def delete(self, objects: Sequence[Address]) -> None:
        """One that is not there is no error."""
