"""A server that takes alerts as Splunk's HEC, Elastic's `_bulk` and webhooks are documented to, with faults on demand.

It is a stub: no product runs here. It refuses what these would refuse: another path, method, content type or token, a
body that is no JSON, an event without `event`, a bulk request without its last end of a line.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

TOKEN: Final = "3f1c8e5a-0000-4b1d-9c2e-77aa55dd11ee"
HOOK: Final = "/services/T0AAAAAAA/B0BBBBBBB/s3cr3tWebhookPath"
HEC: Final = "/services/collector/event"
BULK: Final = "/alerts/_bulk"

Answer = tuple[int, dict[str, str], Any]
Fault = Callable[[BaseHTTPRequestHandler], Answer | None]
"""What a request is answered instead; `None`: nothing, the connection is closed."""


@dataclass
class Receiver:
    """What a server got.

    Args:
        faults: what the next requests are answered, one each, before anything is looked at.
        refuses: ids of alerts that it refuses.
        breaks: ids of alerts for which a webhook answers 500, always.
        busy: id of an alert -> how often it is too busy for it (Elastic).
    """

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    busy: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    got: list[str] = field(default_factory=list)
    """The ids of alerts, as they were taken."""
    bodies: list[Any] = field(default_factory=list)

    @property
    def indexed(self) -> set[str]:
        """What is left after deduplication by id."""
        return set(self.got)


def status(code: int, **headers: str) -> Fault:
    """Answers with a status."""
    return lambda request: (code, headers, {"text": "told to", "code": 9})


def silence(request: BaseHTTPRequestHandler) -> None:
    """Closes the connection without an answer."""


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that are killed."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A server on this machine, while the block runs."""
    state, lock = Receiver(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                state.requests += 1
                fault = state.faults.pop(0) if state.faults else None
                answer = fault(self) if fault else _answer(state, self, body)
            if answer is None:
                self.close_connection = True
                return
            code, headers, reply = answer
            data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(state: Receiver, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    paths = {HEC: _hec, BULK: _bulk, HOOK: _hook}
    if request.path not in paths:
        return 404, {}, {"text": "The requested URL was not found on this server.", "code": 404}
    return paths[request.path](state, request, body)


def _hec(state: Receiver, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    given = request.headers.get("Authorization")
    if given is None:
        return 401, {}, {"text": "Token is required", "code": 2}
    if not given.startswith("Splunk "):
        return 401, {}, {"text": "Invalid authorization", "code": 3}
    if given != f"Splunk {TOKEN}":
        return 403, {}, {"text": "Invalid token", "code": 4}
    if not body:
        return 400, {}, {"text": "No data", "code": 5}
    decoder, text, events = json.JSONDecoder(), body.decode(), list[Any]()
    while text := text.lstrip():
        try:
            event, end = decoder.raw_decode(text)
        except ValueError:
            return 400, {}, {"text": "Invalid data format", "code": 6, "invalid-event-number": len(events)}
        text = text[end:]
        if "event" not in event:
            return 400, {}, {"text": "Event field is required", "code": 12, "invalid-event-number": len(events)}
        fields = event.get("fields", {})
        if any(isinstance(value, dict) for value in fields.values()):
            return 400, {}, {"text": "Error in handling indexed fields", "code": 15}
        if fields["alert_id"] in state.refuses:
            return 400, {}, {"text": "Invalid data format", "code": 6, "invalid-event-number": len(events)}
        events.append(event)
    state.bodies += events
    state.got += [event["fields"]["alert_id"] for event in events]
    return 200, {}, {"text": "Success", "code": 0}


def _bulk(state: Receiver, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    if request.headers.get("Authorization") != f"ApiKey {TOKEN}":
        return 401, {}, {"error": {"type": "security_exception", "reason": "missing authentication credentials"}}
    if request.headers.get("Content-Type") not in ("application/x-ndjson", "application/json"):
        return 406, {}, {"error": "Content-Type header is not supported"}
    if not body.endswith(b"\n"):
        reason = "The bulk request must be terminated by a newline [\\n]"
        return 400, {}, {"error": {"type": "illegal_argument_exception", "reason": reason}}
    lines = body.decode().split("\n")[:-1]
    items, failed = [], False
    for action, source in zip(lines[::2], lines[1::2], strict=True):
        ((operation, about),) = json.loads(action).items()
        assert operation == "index", operation
        alert_id, document = about["_id"], _json(source)
        result: dict[str, Any] = {"_index": "alerts", "_id": alert_id, "status": 200 if alert_id in state.got else 201}
        if document is None or alert_id in state.refuses:
            result |= {"status": 400, "error": {"type": "document_parsing_exception", "reason": "failed to parse"}}
        elif state.busy[alert_id] > 0:
            state.busy[alert_id] -= 1
            result |= {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
        else:
            state.got.append(alert_id)
            state.bodies.append(document)
        failed = failed or result["status"] >= 300
        items.append({"index": result})
    return 200, {}, {"took": 1, "errors": failed, "items": items}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _hook(state: Receiver, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    if request.headers.get("Content-Type") != "application/json":
        return 400, {}, b"invalid_payload"
    try:
        message = json.loads(body)
    except ValueError:
        return 400, {}, b"invalid_payload"
    alert_id = message.get("alert_id", "")
    if alert_id in state.refuses:
        return 422, {}, b"unprocessable"
    if alert_id in state.breaks:
        return 500, {}, b"internal error"
    state.bodies.append(message)
    state.got.append(alert_id)
    return 200, {}, b"ok"
