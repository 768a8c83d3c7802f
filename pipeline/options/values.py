"""Values of options: from their text, or a line that says what was expected."""

from __future__ import annotations

import argparse
import re
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
    """Raises `ConfigurationError` unless a name is that of a Pub/Sub resource: `projects/PROJECT/KIND/NAME`.

    Source: https://cloud.google.com/pubsub/docs/pubsub-basics (resource names), and what Beam takes as a project's id.
    """
    require(
        re.fullmatch(rf"projects/[a-z][-a-z0-9:.]{{4,61}}[a-z0-9]/{kind}/[A-Za-z][\w.~+%-]{{2,254}}", name, re.ASCII),
        f"{option} {name}: expected projects/PROJECT/{kind}/NAME, with a project's id of at least 6 characters and a "
        "name of at least 3, as Google Cloud has them",
    )
