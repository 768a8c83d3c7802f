"""Why a run cannot go on."""

from __future__ import annotations

from uncommon_im.schemas.documents import ConfigurationError


class RunFailed(Exception):
    """A run cannot go on; the message is one line that says why and how to mend it."""


class NotReady(ConfigurationError):
    """What a command waits for is not there yet: later the same command does it. The message says what is missing."""
