"""What the log says while BigQuery does not answer: its clients wait and try again without a word."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException

log = logging.getLogger(__name__)

_AWAY: Final = (429, 500, 502, 503, 504)
"""Status of an answer by which a server says that it cannot answer now."""
_STORAGE_SECONDS: Final = 600


def say_outages(session: Session) -> None:
    """Has the session of a REST client log each try that BigQuery does not answer, and that it answers again.

    What sends its requests goes on sending them; whoever makes them still decides which are tried again.

    Args:
        session: of the client.
    """
    for prefix, adapter in list(session.adapters.items()):
        session.mount(prefix, _Saying(adapter))


def storage_retry(path: str) -> Retry:
    """How a call of the Storage API is tried again: for ten minutes, and not in silence.

    The client by itself says nothing, and tries for a day to read a stream: the engine repeats the step sooner.

    Args:
        path: what is read, for the log.
    """

    def say(error: Exception) -> None:
        log.warning("%s: BigQuery does not answer, another try follows: %s", path, error)

    return Retry(if_exception_type(DeadlineExceeded, ServiceUnavailable), timeout=_STORAGE_SECONDS, on_error=say)


class _Saying(BaseAdapter):
    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter
        self._tries, self._since = 0, 0.0

    def send(self, request: PreparedRequest, **how: Any) -> Response:  # type: ignore[override]
        """Sends a request as before, and takes note of what comes back."""
        try:
            response = self._adapter.send(request, **how)
        except RequestException as error:
            self._failed(type(error).__name__)  # its text has the URL, and whoever knows that of an upload may write
            raise
        if response.status_code in _AWAY:
            self._failed(f"HTTP {response.status_code}")
        else:
            self._answered()
        return response

    def close(self) -> None:
        """Closes what sends."""
        self._adapter.close()

    def _failed(self, reason: str) -> None:
        if not self._tries:
            self._since = time.monotonic()
        self._tries += 1
        log.warning("BigQuery does not answer (try %d, %d s after the first): %s", self._tries, self._waited, reason)

    def _answered(self) -> None:
        if self._tries:
            log.info("BigQuery answers again, after %d s", self._waited)
        self._tries = 0

    @property
    def _waited(self) -> float:
        return time.monotonic() - self._since
