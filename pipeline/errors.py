"""Why a run cannot go on."""

from __future__ import annotations


class RunFailed(Exception):
    """A run cannot go on; the message is one line that says why and how to mend it."""
