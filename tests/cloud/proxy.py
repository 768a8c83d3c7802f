"""A proxy before an emulator's HTTP that can be down, be too slow, or answer itself."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, bytes]
Rule = Callable[[str, str, bytes], "Answer | float | None"]
"""(method, path, body) -> an answer; seconds after which the connection is cut; `None`: the emulator answers."""
_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "accept-encoding", "host"}
DOWN = 0.0
"""Cuts the connection at once, as a server that is not there does."""


@dataclass
class Proxy:
    """What stands before an emulator.

    Args:
        url: of the proxy.
        rule: what it does with a request; at first nothing.
        requests: (method, path) of all of them.
    """

    url: str
    rule: Rule = lambda method, path, body: None
    requests: list[tuple[str, str]] = field(default_factory=list)

    def down_for(self, seconds: float) -> None:
        """Is not there from now on for some time."""
        end = time.monotonic() + seconds
        self.rule = lambda *_: DOWN if time.monotonic() < end else None


@contextmanager
def proxying(target: str) -> Iterator[Proxy]:
    """A proxy before the server at a URL."""
    host = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.requests.append((self.command, self.path))
            does = proxy.rule(self.command, self.path, body)
            if isinstance(does, float):
                time.sleep(does)
                self.close_connection = True
                return
            status, headers, content = (does[0], [], does[1]) if does else self._ask(body)
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value.replace(target, proxy.url))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(host)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection.request(self.command, self.path, body, kept)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, answer.getheaders(), content

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

        def log_message(self, format: str, *arguments: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
