"""The spool: alerts that could not be sent, in a folder of any file system, until somebody sends them again.

A file is a JSON object a line: `alert_id`, `alert_format`, `reason`, `refused`, and the alert as `text`, which is what
is sent. Files are written whole, and never changed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from itertools import islice
from posixpath import join
from typing import Final

import msgspec

from uncommon_im.pipeline.sinks.delivery.sending import Unsent
from uncommon_im.pipeline.storage.changing import write_whole
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, Document
from uncommon_im.transforms.rules.columns.json_lines import to_json

_OWN: Final = re.compile(r"unsent-[0-9a-f]{32}\.jsonl")
_LINES: Final = 1_000
"""Of a file at most."""


class _Line(msgspec.Struct):
    alert_id: str
    alert_format: str
    text: str


def write_unsent(folder: str, unsent: Iterable[Unsent]) -> tuple[int, int]:
    """Alerts -> new files of the spool; (how many there were, how many of them were refused)."""
    rest, number, refused = iter(unsent), 0, 0
    while some := list(islice(rest, _LINES)):
        write_whole(join(folder, f"unsent-{uuid.uuid4().hex}.jsonl"), "".join(map(_line, some)).encode())
        number, refused = number + len(some), refused + sum(each.refused for each in some)
    return number, refused


def _line(unsent: Unsent) -> str:
    document = unsent.document
    row = {"alert_id": document.alert_id, "alert_format": document.alert_format, "reason": unsent.reason}
    return f"{to_json(row | {'refused': unsent.refused, 'text': document.text})}\n"


def spooled_files(folder: str) -> list[str]:
    """The files of a spool; others that lie there are nobody's business.

    Raises:
        ConfigurationError: the file system cannot look them up.
    """
    return [join(folder, name) for name in list_folder(folder, "--alerts-spool") if _OWN.fullmatch(name)]


def read_unsent(path: str) -> list[Document]:
    """The alerts of a file of the spool; each once.

    Raises:
        ConfigurationError: a line is no such alert; names file and line.
    """
    decoder, documents = msgspec.json.Decoder(_Line), dict[str, Document]()
    with open_binary(path) as stream:
        for number, line in enumerate(stream, 1):
            try:
                found = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{path}, line {number}: no alert of a spool: {error}") from None
            if found.alert_format not in ALERT_FORMATS:
                raise ConfigurationError(f"{path}, line {number}: no format of alerts: {found.alert_format:.60}")
            documents[found.alert_id] = Document(found.alert_id, found.alert_format, found.text)
    return list(documents.values())
