"""Values of options: from their text, or a line that says what was expected."""

from __future__ import annotations

import argparse
from datetime import date

from uncommon_im.schemas.documents import require


def day(text: str) -> date:
    """A date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date: write it as YYYY-MM-DD") from None


def whole(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def require_resource(option: str, name: str, kind: str) -> None:
    """Raises `ConfigurationError` unless a name is that of a Pub/Sub resource: `projects/PROJECT/KIND/NAME`."""
    parts = name.split("/")
    require(
        len(parts) == 4 and all(parts) and parts[::2] == ["projects", kind],
        f"{option} {name}: expected projects/PROJECT/{kind}/NAME",
    )
