"""What people are shown instead of a password or a token: errors and messages quote what was given."""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from uncommon_im.transforms.rules.columns.visible import visible

if TYPE_CHECKING:  # a run that has nothing to complain of does not wait for the catalogue
    from uncommon_im.transforms.rules.alerts.secrets import SecretText

_MASK: Final = "***"
_OF_URL: Final = re.compile(r"://[^/\s@'\"]+@")
_CONTAINER: Final = re.compile(r"\b(abfss?://[a-z0-9$-]+)@", re.IGNORECASE)
"""Of Azure, which no secret is: nobody's name and password stand there."""
_AT: Final = "\ue000"
"""Stands for its @ while others are looked for."""
_NAMED: Final = re.compile(
    r"""([\w.-]*(?:passw(?:or)?d|passphrase|secret|token|signature|credential|(?:api|account)_?key|upload_id|\bsig\b)[\w.-]*=)
        ( \\?"[^"]*" | '[^']*' | [^\s&;,'"]+ )""",
    re.IGNORECASE | re.VERBOSE,
)
_BEARER: Final = re.compile(r"\b(Bearer )\S+|\bya29\.[\w-]+", re.IGNORECASE)
_MASKED: Final = re.compile(r"\[redacted:[a-z0-9-]+\]")


def masked(text: str, thoroughly: bool = True) -> str:
    """A text without what lets others in: users of URLs, values that are called password, token ..., access tokens.

    Thoroughly, what alerts are written without is masked too, for which the catalogue is loaded. Whole users of URLs
    and whole values are more than alerts mask.

    >>> masked('sasl.jaas.config=org.x.PlainLoginModule required username="u" password="p w";')
    'sasl.jaas.config=org.x.PlainLoginModule required username="u" password=***;'
    >>> masked("https://user:p@host/x?X-Goog-Signature=ab12&day=1 is refused: Bearer ya29.abc")
    'https://***@host/x?X-Goog-Signature=***&day=1 is refused: Bearer ***'
    """
    text = _CONTAINER.sub(rf"\1{_AT}", text)
    text = _OF_URL.sub(f"://{_MASK}@", text)
    text = _NAMED.sub(rf"\1{_MASK}", text)
    text = _BEARER.sub(lambda found: f"{found[1] or ''}{_MASK}", text)
    text = _MASKED.sub(_MASK, _secrets().masked(text)) if thoroughly else text
    return text.replace(_AT, "@")


@cache
def _secrets() -> SecretText:
    from uncommon_im.schemas.catalogue import load_catalogue
    from uncommon_im.transforms.rules.alerts.secrets import SecretText

    return SecretText(load_catalogue())


class MaskingFormatter(logging.Formatter):
    """Writes messages, and tracebacks, without what lets others in and without orders to a terminal.

    Secrets are masked thoroughly from warnings on, which quote more.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines, of a message."""
        return visible(masked(super().format(record), thoroughly=record.levelno >= logging.WARNING))
