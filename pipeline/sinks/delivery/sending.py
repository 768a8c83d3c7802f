"""What sending is, whoever takes the alerts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.transforms.rules.alerts.formats import Document

_MOST_SECRET_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Unsent:
    """An alert that was not taken.

    Args:
        document: the alert, as it was to be sent.
        reason: why, in a line without secrets.
        refused: for what it is: the same again is refused again. Else the other side failed, and later may take it.
    """

    document: Document
    reason: str
    refused: bool


class Sender(Protocol):
    """Sends alerts; one a process, for one thread.

    Args:
        failing: the other side failed for good in the last `send`: to go on makes no sense now.
    """

    failing: bool

    def send(self, documents: Iterable[Document]) -> Iterator[Unsent]:
        """Sends all, once it is read to its end; yields what was not taken, after all retries.

        Once the other side fails for good, it is asked no more: all that is left is yielded at once.
        """

    def close(self) -> None:
        """Ends its connections."""


class Target(Protocol):
    """Where alerts go. It is pickled for workers, and so holds no secret, only where secrets are."""

    def open(self, retried: Callable[[], None]) -> Sender:
        """What sends there; `retried` is called at each new try of a request.

        Raises:
            ConfigurationError: a secret cannot be read, or a library is missing.
        """


@dataclass(frozen=True)
class Secret:
    """A text that others must not see: it is in a file of any file system, or in a variable of the environment.

    Args:
        option: that names it, for messages.
        file: its path.
        variable: its name; without both it is `plain`.
        plain: the text itself, of what is no secret to whoever gives it so.
    """

    option: str
    file: str | None = None
    variable: str | None = None
    plain: str = field(default="", repr=False)

    def read(self) -> str:
        """The text, without blanks around it.

        Raises:
            ConfigurationError: there is none; does not show what was read.
        """
        text = self._text().strip()
        require(text, f"{self.option} {self.file or self.variable or ''}: it is empty")
        return text

    def _text(self) -> str:
        if self.variable is not None:
            return os.environ.get(self.variable, "")
        if self.file is None:
            return self.plain
        try:
            with open_binary(self.file) as stream:
                return stream.read(_MOST_SECRET_BYTES).decode()
        except UnicodeDecodeError:
            raise ConfigurationError(f"{self.option} {self.file}: it is no text of UTF-8") from None
        except Exception as error:  # file systems have no error in common
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())
            raise ConfigurationError(f"{self.option} {self.file}: cannot be read: {reason}") from None
