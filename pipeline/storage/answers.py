"""Asking what may not answer, and saying that it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from uncommon_im.schemas.documents import ConfigurationError

T = TypeVar("T")
SECONDS: Final = 4.0
"""How long each of two questions may take: who we are, and whether there is an answer."""


class NoAnswer(Exception):
    """There was none in time."""


def within(seconds: float, question: Callable[[], T]) -> T:
    """What a function returns or raises, if it does so in time; else it is left to itself.

    Raises:
        NoAnswer: it does not.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def ask() -> None:
        try:
            answer.append(question())
        except BaseException as error:  # it is raised below, in the thread that asked
            failure.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if failure:
        raise failure[0]
    if not answer:
        raise NoAnswer
    return answer[0]


def unreachable(named: str, service: str, error: Exception, lacking: str = "") -> ConfigurationError:
    """What to say of a service that cannot be reached.

    Args:
        named: what needs it: the option and its value.
        service: its name or address.
        error: that its client raised.
        lacking: what else is missing.
    """
    how = "" if isinstance(error, NoAnswer) else f" ({type(error).__name__})"
    also = f"; beside that, {lacking}" if lacking else ""
    return ConfigurationError(
        f"{named}: {service} does not answer{how}: check the network, the proxy (HTTPS_PROXY) and the firewall{also}"
    )


def one_line(error: Exception) -> str:
    """What an error says, in one line that is not too long."""
    return " ".join(str(error).split())[:300]
