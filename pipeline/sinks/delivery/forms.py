"""What servers want of a request, and what their replies say of each alert in it.

Sources: https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector (codes of replies),
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from uncommon_im.pipeline.sinks.delivery.templates import Template
from uncommon_im.transforms.rules.alerts.formats import CEF, HEC, Document
from uncommon_im.transforms.rules.columns.json_lines import to_json

JSON: Final = "application/json"
_MOST_TOGETHER: Final = 100
_MOST_BYTES: Final = 1 << 20
"""Of a request that holds several alerts: all servers take that much."""
_SHOWN: Final = 300
"""Characters of a reply that a reason quotes."""


@dataclass(frozen=True)
class Refusal:
    """Why an alert was not taken; `again`: later it may be."""

    reason: str
    again: bool


Replies = list[Refusal | None]
"""What became of each alert of a request: `None` if it was taken."""


@dataclass(frozen=True)
class Form:
    """How one kind of server takes alerts.

    Args:
        scheme: of the header `Authorization`, before the token.
        content_type: of the body.
        body_of: an alert as part of a body.
        most: how many alerts a request may hold.
        replies: what a successful reply says of each.
    """

    scheme: str
    content_type: str
    body_of: Callable[[Document], str]
    most: int = 1
    replies: Callable[[Sequence[Document], bytes], Replies] = lambda documents, body: [None for _ in documents]

    def body(self, documents: Sequence[Document]) -> bytes:
        """The body of a request."""
        return "".join(map(self.body_of, documents)).encode()

    def batches(self, documents: Iterable[Document]) -> Iterator[list[Document]]:
        """The alerts of a request each, in their order."""
        batch: list[Document] = []
        size = 0
        for document in documents:
            length = len(document.text.encode())
            if batch and (len(batch) == self.most or size + length > _MOST_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += length
        if batch:
            yield batch


def form_of(kind: str, alert_format: str, template: Template | None) -> Form:
    """The form of a kind of server: `splunk`, `elastic`, or any that takes an alert a request."""
    if kind == "splunk":
        return Form("Splunk", JSON, _hec_event, _MOST_TOGETHER, hec_replies)
    if kind == "elastic":
        return Form("ApiKey", "application/x-ndjson", _bulk_item, _MOST_TOGETHER, bulk_replies)
    if template:
        return Form("Bearer", JSON, lambda document: template.render(json.loads(document.text)))
    return Form("Bearer", "text/plain; charset=utf-8" if alert_format == CEF else JSON, lambda document: document.text)


def _hec_event(document: Document) -> str:
    if document.alert_format == HEC:
        return f"{document.text}\n"
    event = document.text if document.alert_format == CEF else json.loads(document.text)
    return f"{to_json({'event': event, 'fields': {'alert_id': document.alert_id}})}\n"


def _bulk_item(document: Document) -> str:
    """With `index`, an alert that comes again takes the place of itself."""
    return f"{to_json({'index': {'_id': document.alert_id}})}\n{document.text}\n"


def hec_replies(documents: Sequence[Document], body: bytes) -> Replies:
    """HEC takes all of a request, and says `code` 0."""
    reply = _object(body)
    if reply is not None and reply.get("code") == 0:
        return [None for _ in documents]
    return [Refusal(f"the reply is none of HEC: {shown(body)}", again=True) for _ in documents]


def bulk_replies(documents: Sequence[Document], body: bytes) -> Replies:
    """`_bulk` answers each alert in its order, with a status of its own."""
    reply = _object(body)
    items = reply.get("items") if reply is not None else None
    if not isinstance(items, list) or len(items) != len(documents):
        return [Refusal(f"the reply is none of _bulk: {shown(body)}", again=True) for _ in documents]
    return [_item_reply(item) for item in items]


def _item_reply(item: Any) -> Refusal | None:
    result = item.get("index") if isinstance(item, dict) else None
    result = result if isinstance(result, dict) else {}
    status = result.get("status")
    if not isinstance(status, int):
        return Refusal("the reply says nothing of this alert", again=True)
    if status < 300:
        return None
    return Refusal(f"status {status}: {shown(json.dumps(result.get('error')).encode())}", is_temporary(status))


def is_temporary(status: int) -> bool:
    """Whether a later request may do better."""
    return status in (408, 425, 429) or status >= 500


def shown(body: bytes) -> str:
    """The beginning of a reply in one line."""
    text = " ".join(body[: 4 * _SHOWN].decode(errors="replace").split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
