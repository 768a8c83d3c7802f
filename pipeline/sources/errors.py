"""What can be wrong with a source."""

from __future__ import annotations


class UnreadableInput(Exception):
    """An input cannot be read; the message is one line that names it and says why."""
