"""Values of options: from their text, or a line that says what was expected."""

from __future__ import annotations

import re
import unicodedata
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import date
from typing import Final

from uncommon_im.schemas.documents import require

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 1, 1)
"""Events have times between these two (specification, section 2): no other day has anything to read or to judge."""
MOST: Final = 1_000_000
"""More hosts, alerts or rows than anybody has use for; what is larger is a slip of the hand."""
MOST_DAYS: Final = 3_660
"""Ten years."""
MOST_SECONDS: Final = 62 * 86_400
"""As long as a baseline may be: what arrives later teaches nothing any more."""
_LONGEST: Final = 4096
"""Characters of a value: no path and no name is longer."""
_LONGEST_NAME: Final = 255


def day(text: str) -> date:
    """A date on which there can be events."""
    try:
        given = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r:.60} is no date: write it as YYYY-MM-DD") from None
    if not FIRST_DAY <= given <= LAST_DAY:
        raise ArgumentTypeError(f"it must be {FIRST_DAY} to {LAST_DAY}: events have no other days")
    return given


@dataclass(frozen=True)
class Whole:
    """Reads a whole number of a range, both ends included."""

    least: int = 0
    most: int = MOST

    def __call__(self, text: str) -> int:
        """The number that a text is."""
        if not text.isascii() or not text.isdigit():
            raise ArgumentTypeError(f"{text!r:.60} is no whole number: give one from {self.least} to {self.most}")
        if len(text) > len(str(self.most)) or not self.least <= int(text) <= self.most:
            raise ArgumentTypeError(f"it must be {self.least} to {self.most}, not {text:.30}")
        return int(text)


whole: Final = Whole()
positive: Final = Whole(1)
seed: Final = Whole(0, 2**63 - 1)


@dataclass(frozen=True)
class Text:
    """Reads a text that is not blank and has no control characters.

    Args:
        form: regex of the whole text; `None`: any.
        expected: the form in words.
        longest: characters.
        lines: it may have several lines.
    """

    form: str | None = None
    expected: str = ""
    longest: int = _LONGEST
    lines: bool = False

    def __call__(self, text: str) -> str:
        """The text as it is. Errors do not show it: it may be a password."""
        if not text.strip():
            raise ArgumentTypeError("it is empty: give a value, or leave the option out")
        if len(text) > self.longest:
            raise ArgumentTypeError(f"it has {len(text)} characters, of at most {self.longest}")
        allowed = "\n\r\t" if self.lines else ""
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in allowed for letter in text):
            raise ArgumentTypeError("it holds control characters, or bytes that are no text")
        if self.form and not re.fullmatch(self.form, text, re.ASCII):
            raise ArgumentTypeError(f"expected {self.expected}")
        return text


_PORT: Final = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_HOST: Final = r"(\[[0-9A-Fa-f:.]+\]|[^\s:,/?#@\[\]]+)"
_ADDRESS: Final = f"{_HOST}:{_PORT}"
text: Final = Text()
query: Final = Text(longest=MOST, lines=True)
address: Final = Text(_ADDRESS, "HOST:PORT, with a port of 1 to 65535")
addresses: Final = Text(rf"{_ADDRESS}(,{_ADDRESS})*", "HOST:PORT,HOST:PORT,..., with ports of 1 to 65535")
url: Final = Text(rf"https?://{_HOST}(:{_PORT})?/?", "https://HOST, or http://HOST:PORT of an emulator")
file_name: Final = Text(r"(?!\.\.?$)[^/*?\[\]]+", "the name of a file, without a folder and without *, ? and [")
topic: Final = Text(r"[A-Za-z0-9._-]{1,249}", "the name of a topic: up to 249 letters, digits, dots, dashes and _")
dataset: Final = Text(r"[\w:.-]+\.\w+", "PROJECT.DATASET")


def path(value: str) -> str:
    """The path of a file or a folder."""
    if any(len(name.encode()) > _LONGEST_NAME for name in text(value).split("/")):
        raise ArgumentTypeError(f"it holds a name of more than {_LONGEST_NAME} bytes, which no file has")
    return value


def require_resource(option: str, name: str, kind: str) -> None:
    """Raises `ConfigurationError` unless a name is that of a Pub/Sub resource: `projects/PROJECT/KIND/NAME`.

    Source: https://cloud.google.com/pubsub/docs/pubsub-basics (resource names), and what Beam takes as a project's id.
    """
    require(
        re.fullmatch(rf"projects/[a-z][-a-z0-9:.]{{4,61}}[a-z0-9]/{kind}/[A-Za-z][\w.~+%-]{{2,254}}", name, re.ASCII),
        f"{option} {name}: expected projects/PROJECT/{kind}/NAME, with a project's id of at least 6 characters and a "
        "name of at least 3, as Google Cloud has them",
    )
