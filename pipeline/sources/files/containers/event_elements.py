"""Events in XML: the text is cut behind each `</Event>`, and each event is parsed for itself."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Item
from uncommon_im.pipeline.sources.files.containers.text_window import TextWindow, shown
from uncommon_im.pipeline.sources.files.lines import MAX_LINE_BYTES, RAW_BYTES
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.event_xml import event_record

_ENCODE: Final = msgspec.json.Encoder().encode
_BEGIN: Final = re.compile(r"<(?:\w+:)?Event[\s>/]")
_EMPTY: Final = re.compile(r"<(?:\w+:)?Event\s{0,64}/>")
_END: Final = re.compile(rf"(</(?:\w+:)?Event\s{{0,64}}>)|{_BEGIN.pattern}")
"""The end of an event, or the beginning of another: events do not lie in each other."""
_LONGEST_TAG: Final = 256
"""Characters of a tag that the end of the window may cut."""
_BETWEEN: Final = re.compile(
    r"\s*+(?>(?:<\?xml[^<>]*\?>|<!--.*?-->|</?(?:\w+:)?Events(?:\s[^<>]*)?>|\ufeff)\s*+)*+", re.DOTALL
)
"""What may lie between events, and says nothing."""


def event_items(stream: io.BufferedReader) -> Iterator[Item]:
    """The events of a text, whether an element holds them all or not. One that is cut costs itself only."""
    window = TextWindow(stream)
    while True:
        begin = _find(_BEGIN, window, 0)
        between = window.text[window.at : len(window.text) if begin is None else begin.start()]
        if not _BETWEEN.fullmatch(between):
            yield Broken("no XML of an event", shown(between.strip()[:RAW_BYTES]))
        window.at += len(between)
        if begin is not None:
            yield _item(window)
            window.forget()
        elif window.ended:
            return


def _item(window: TextWindow) -> Item:
    """The event that begins where the reader stands; the reader goes behind it."""
    found = _find(_END, window, 1)
    empty = _EMPTY.match(window.text, window.at)
    last = len(window.text) if found is None else found.end() if found[1] else found.start()
    text = empty[0] if empty else window.text[window.at : last]
    window.at += len(text)
    if not empty and found is None and not window.ended:
        detail = f"record is longer than {MAX_LINE_BYTES:,} characters: raw holds its beginning"
        return Broken(detail, shown(text[:RAW_BYTES]))
    if not empty and (found is None or not found[1]):
        return Broken("no XML of an event: it ends within it", shown(text[:RAW_BYTES]))
    record = event_record(shown(text))
    return Broken(record.detail, shown(text)) if isinstance(record, Rejection) else _ENCODE(record)


def _find(pattern: re.Pattern[str], window: TextWindow, past: int) -> re.Match[str] | None:
    """The next match, from `past` characters behind the reader on; `None` if it is not in what may be held."""
    while True:
        found = pattern.search(window.text, window.at + past)
        if found is not None:
            return found
        past = max(past, window.left - _LONGEST_TAG)
        if not window.may_grow:
            return None
        window.grow()
