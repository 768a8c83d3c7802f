"""Alerts to a server of HTTP: retried, at a bounded rate, over verified TLS."""

from __future__ import annotations

import logging
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader, LocationParseError, MaxRetryError
from urllib3.util import Retry, Timeout, Url, make_headers, parse_url

from uncommon_im.pipeline.sinks.delivery.forms import Refusal, Replies, form_of, is_temporary, shown
from uncommon_im.pipeline.sinks.delivery.sending import Secret, Unsent
from uncommon_im.pipeline.sinks.delivery.templates import Template
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.transforms.rules.alerts.formats import Document
from uncommon_im.transforms.rules.alerts.formats.values import PRODUCT

_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 30
_LONGEST_WAIT: Final = 120
"""Seconds that a server may ask to wait; an alert that has to wait longer goes to the spool."""
_MOST_REPLY_BYTES: Final = 1 << 24
_MOST_FAILURES: Final = 3
"""Requests that fail one after the other, all attempts of each: fewer may be due to an alert that breaks a server."""
_OF_THE_SERVER: Final = (300, 301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 407, 410)
"""Statuses that would be the same for every alert: the address or the credentials are wrong."""


@dataclass(frozen=True)
class HttpTarget:
    """A server that takes alerts.

    Args:
        kind: `splunk`, `elastic`, or another one, which takes an alert a request.
        url: all of it.
        alert_format: of what is sent.
        token: of the header `Authorization`: a token, or a scheme and credentials; `None`: there is no header.
        template: source of the template that makes the body; `None`: the alert is the body.
        authorities: a file of certificates (PEM) to trust instead of the system's.
        rate: requests a second at most.
        attempts: how often a request is tried.
        backoff: seconds; twice as many at each further try.
    """

    kind: str
    url: Secret
    alert_format: str
    token: Secret | None = None
    template: str | None = None
    authorities: Secret | None = None
    rate: int = 10
    attempts: int = 6
    backoff: float = 0.5

    def open(self, retried: Callable[[], None]) -> HttpSender:
        """What sends there.

        Raises:
            ConfigurationError: a secret cannot be read, the URL is none, or the template is wrong.
        """
        return HttpSender(self, retried)


class HttpSender:
    """Sends alerts to an `HttpTarget`, some in a request as its form allows."""

    def __init__(self, target: HttpTarget, retried: Callable[[], None]) -> None:
        """Reads the secrets."""
        self.failing = False
        self._retried, self._pace = retried, _Pace(target.rate)
        template = Template(target.template, "--alerts-template") if target.template else None
        self._form = form_of(target.kind, target.alert_format, template)
        url = parsed(target.url)
        self._url = str(url._replace(auth=None, fragment=None))
        headers = make_headers(basic_auth=url.auth) if url.auth else {}
        self._hidden = [self._url, *(text for text in (url.auth, url.path, url.query) if text and len(text) > 1)]
        if target.token:
            token = target.token.read()
            require(token.isascii() and "\n" not in token, f"{target.token.option}: a token is one line of ASCII")
            headers["authorization"] = token if " " in token else f"{self._form.scheme} {token}"
            self._hidden += [token, token.rpartition(" ")[2]]
        self._headers = headers | {"content-type": self._form.content_type, "user-agent": PRODUCT}
        self._pool = urllib3.PoolManager(
            timeout=Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            ssl_context=_trusting(target.authorities),
        )
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # its messages show paths, which are secrets of webhooks
        self._retry = Retry(
            total=target.attempts - 1,
            backoff_factor=target.backoff,
            backoff_jitter=target.backoff,
            backoff_max=_LONGEST_WAIT,
            allowed_methods=None,
        )

    def send(self, documents: Iterable[Document]) -> Iterator[Unsent]:
        """As `Sender` says; a request that is refused is sent again in halves, until it is known which alert it was."""
        stopped: Refusal | None = None
        self.failing, failures = False, 0
        for batch in self._form.batches(documents):
            queue = deque([batch])
            while queue:
                some = queue.popleft()
                if stopped:
                    yield from (Unsent(document, stopped.reason, False) for document in some)
                    continue
                answer = self._exchange(some)
                if answer.refused_whole and len(some) > 1:
                    queue.extendleft((some[len(some) // 2 :], some[: len(some) // 2]))
                    continue
                failures = failures + 1 if answer.failed else 0
                if answer.final or failures == _MOST_FAILURES:
                    stopped, self.failing = answer.failed, True
                for document, refusal in answer.refusals:
                    yield Unsent(document, refusal.reason, not refusal.again)

    def close(self) -> None:
        """Ends its connections."""
        self._pool.clear()

    def _exchange(self, documents: Sequence[Document]) -> _Answer:
        """Sends a request, and again what of it was not taken, until it is or the attempts are over."""
        retry, waiting, refused = self._retry, list(documents), list[tuple[Document, Refusal]]()
        while True:
            try:
                body = self._form.body(waiting)
            except (ConfigurationError, ValueError) as error:  # the template's, or of a text that is no JSON
                return _Answer([(one, Refusal(str(error), again=False)) for one in waiting], refused_whole=True)
            reply = self._post(body)
            pairs = list(zip(waiting, self._replies(reply, waiting), strict=True))
            refused += [(one, refusal) for one, refusal in pairs if refusal and not refusal.again]
            again = [(one, refusal) for one, refusal in pairs if refusal and refusal.again]
            if not again:
                return _Answer(refused, refused_whole=reply.status is not None and reply.status >= 400)
            waiting = [one for one, _ in again]
            wait = None if reply.status in _OF_THE_SERVER else _asked(reply)
            try:
                retry = retry.increment("POST", error=reply.error)
            except (MaxRetryError, HTTPError):
                wait = _LONGEST_WAIT + 1
            wait = retry.get_backoff_time() if wait is None else wait
            if wait > _LONGEST_WAIT or reply.status in _OF_THE_SERVER:
                final = reply.status is None or reply.status in _OF_THE_SERVER
                return _Answer(refused + again, failed=again[0][1], final=final)
            self._retried()
            time.sleep(wait)

    def _post(self, body: bytes) -> _Reply:
        self._pace.wait()
        try:
            with self._pool.request(
                "POST",
                self._url,
                body=body,
                headers=self._headers,
                retries=False,
                redirect=False,
                preload_content=False,
            ) as response:
                return _Reply(response.status, response.read(_MOST_REPLY_BYTES), response.headers.get("Retry-After"))
        except HTTPError as error:
            return _Reply(error=error)

    def _replies(self, reply: _Reply, documents: Sequence[Document]) -> Replies:
        """What a reply says of each alert, without secrets."""
        if reply.status is None:
            reason = f"no answer: {type(reply.error).__name__}: {reply.error}"
            replies: Replies = [Refusal(reason, again=True) for _ in documents]
        elif 200 <= reply.status < 300:
            replies = self._form.replies(documents, reply.body)
        else:
            again = is_temporary(reply.status) or reply.status in _OF_THE_SERVER
            replies = [Refusal(f"HTTP {reply.status}: {shown(reply.body)}", again) for _ in documents]
        return [refusal and replace(refusal, reason=self._without_secrets(refusal.reason)) for refusal in replies]

    def _without_secrets(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True)
class _Reply:
    """What a server answered; without a status there was no answer, but an error."""

    status: int | None = None
    body: bytes = b""
    retry_after: str | None = None
    error: HTTPError | None = None


@dataclass(frozen=True)
class _Answer:
    """What became of a request.

    Args:
        refusals: the alerts that were not taken.
        refused_whole: nothing says which of the alerts is to blame.
        failed: why the server took nothing more of it, after all attempts.
        final: it will not take other alerts either: it does not answer, or the address or the token is wrong.
    """

    refusals: list[tuple[Document, Refusal]]
    refused_whole: bool = False
    failed: Refusal | None = None
    final: bool = False


class _Pace:
    """Lets so many requests a second through."""

    def __init__(self, rate: int) -> None:
        self._between, self._next = 1 / rate, 0.0

    def wait(self) -> None:
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._between


def parsed(secret: Secret) -> Url:
    """The parts of a URL.

    Raises:
        ConfigurationError: it is none of HTTP; does not show it.
    """
    try:
        url = parse_url(secret.read())
    except LocationParseError:
        url = Url()
    require(
        url.scheme in ("http", "https") and url.host,
        f"{secret.option}: expected a URL: https://HOST/PATH, or http://HOST:PORT/PATH without TLS",
    )
    return url


def place_of(secret: Secret) -> str:
    """A server as messages may show it: without users and path.

    Raises:
        ConfigurationError: as `parsed`.
    """
    url = parsed(secret)
    return f"{url.scheme}://{url.netloc}"


def _trusting(authorities: Secret | None) -> ssl.SSLContext:
    """Certificates are verified, by the given authorities instead of the system's."""
    try:
        return ssl.create_default_context(cadata=authorities.read() if authorities else None)
    except (ssl.SSLError, ValueError) as error:
        named = f"{authorities.option} {authorities.file}" if authorities else "the certificates of this system"
        raise ConfigurationError(f"{named}: no certificates in PEM: {error}") from None


def _asked(reply: _Reply) -> float | None:
    """For how many seconds a server asks to wait."""
    try:
        return Retry().parse_retry_after(reply.retry_after) if reply.retry_after else None
    except InvalidHeader:
        return None
