"""Sending that loses nothing: what is not taken goes to the spool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from uncommon_im.pipeline.sinks.delivery.sending import Target
from uncommon_im.pipeline.sinks.delivery.spool import read_unsent, spooled_files, write_unsent
from uncommon_im.pipeline.storage.changing import delete
from uncommon_im.transforms.rules.alerts.formats import Document

SENT: Final = "sent"
RETRIED: Final = "retried"
SPOOLED: Final = "spooled"
"""What is counted: alerts that were taken, requests that were sent again, alerts that went to the spool."""


@dataclass(frozen=True)
class Delivered:
    """How many alerts were sent, went to the spool or stayed there, and were refused among these."""

    sent: int = 0
    spooled: int = 0
    refused: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(self.sent + other.sent, self.spooled + other.spooled, self.refused + other.refused)


class Delivery(AbstractContextManager["Delivery"]):
    """Sends alerts to a target; for one thread. It is closed as it is left."""

    def __init__(self, target: Target, spool: str, count: Callable[[str, int], None] | None = None) -> None:
        """Opens the target.

        Args:
            target: where alerts go.
            spool: the folder of what could not be sent.
            count: takes the name of a counter, and by how much it grows.

        Raises:
            ConfigurationError: a secret cannot be read, or a library is missing.
        """
        self._spool, self._count = spool, count or (lambda name, number: None)
        self._sender = target.open(lambda: self._count(RETRIED, 1))

    def send(self, documents: Iterable[Document]) -> Delivered:
        """Sends alerts; once it returns, each is taken or in the spool. Errors of the spool are raised."""
        read = _Counted(documents)
        spooled, refused = write_unsent(self._spool, self._sender.send(read))
        return self._counted(Delivered(read.number - spooled, spooled, refused))

    def send_spooled(self) -> Delivered:
        """Sends what the spool holds, and removes from it what is taken.

        A file goes once what is left of it is in a new one: who dies in between leaves an alert twice, and loses none.
        Once the other side fails, the files behind stay as they are, and are counted as spooled.

        Raises:
            ConfigurationError: a file of the spool holds something else; what was before it is sent.
        """
        total, failing = Delivered(), False
        for path in spooled_files(self._spool):
            documents = read_unsent(path)
            unsent = [] if failing else list(self._sender.send(documents))
            if failing or (len(unsent) == len(documents) and documents):
                part = Delivered(0, len(documents), sum(each.refused for each in unsent))
            else:
                part = Delivered(len(documents) - len(unsent), *write_unsent(self._spool, unsent))
                delete([path])
            failing = failing or self._sender.failing
            total += self._counted(part)
        return total

    def close(self) -> None:
        """Ends the connections."""
        self._sender.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _counted(self, part: Delivered) -> Delivered:
        for name, number in ((SENT, part.sent), (SPOOLED, part.spooled)):
            if number:
                self._count(name, number)
        return part


class _Counted:
    """Counts what is read."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents, self.number = documents, 0

    def __iter__(self) -> Iterator[Document]:
        for document in self._documents:
            self.number += 1
            yield document
