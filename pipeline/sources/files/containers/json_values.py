"""JSON values on any lines: arrays of records, records one after the other, pretty-printed or not."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Final

from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Item
from uncommon_im.pipeline.sources.files.containers.text_window import TextWindow, encoded, shown
from uncommon_im.pipeline.sources.files.lines import MAX_LINE_BYTES, RAW_BYTES

_DECODE: Final = JSONDecoder(parse_int=bool, parse_float=bool, object_pairs_hook=bool).raw_decode
"""Where a value ends is all that is asked for; what it holds takes no more memory than lists do."""
_BETWEEN: Final = re.compile(r"[ \t\r\n\x1e,\]]*")
"""What may lie between values; ends of arrays and commas mean nothing more than that."""
_LONGEST_TOKEN: Final = 16
"""Characters of the longest token but for texts: at the end of a window it looks broken if the window cuts it."""
_MOST_INDENT: Final = 256
"""Characters of the window that are kept while the next record is looked for: the line end before it."""
_DEEP: Final = 1 << 12
"""Characters that are taken to be looked at where values are nested too deeply: nobody says how many it were."""
_PATIENCE: Final = 1 << 24
"""Characters that may be looked at again for the sake of records that lie within broken ones."""
_NEXT: Final = re.compile(r"(?:\n([ \t]*)(?:,[ \t]*)?|\}[ \t]*,[ \t]*)(?=[{\[])")
"""What precedes records: a new line, or in a line the end of another."""


def json_items(stream: io.BufferedReader) -> Iterator[Item]:
    """The values of a text one by one, whether arrays hold them or not.

    A broken one costs itself: what follows is read from the next line on that can begin a record, or in a line of many
    records from the next one on. Memory is bounded by the longest record that may be.
    """
    reader = _Values(TextWindow(stream))
    while (item := reader.next_item()) is not None:
        yield item


class _Values:
    """Reads values from a window.

    Attributes of the value that begins where the reader stands: whether an array holds it, and how far it is indented;
    -1 if no line begins with it.
    """

    def __init__(self, window: TextWindow) -> None:
        self._window = window
        self._in_array = False
        self._indent = 0
        self._begun = False
        self._looked_again = 0

    def next_item(self) -> Item | None:
        """The next value or what is broken; `None` at the end."""
        window = self._window
        while self._between():
            if window.text[window.at] != "[" or self._in_array:
                return self._value()
            window.at += 1
            self._in_array = True
        return None

    def _between(self) -> bool:
        """Goes to where the next value begins; false at the end."""
        window = self._window
        self._indent = -1 if self._begun else 0
        self._begun = True
        while True:
            found = _BETWEEN.match(window.text, window.at)
            gap = found[0] if found else ""
            window.at += len(gap)
            if "]" in gap:
                self._in_array = False
            if "\n" in gap:
                self._indent = len(gap) - gap.rindex("\n") - 1
            elif self._indent >= 0:
                self._indent += len(gap)
            if window.left:
                return True
            if window.ended:
                return False
            window.grow()

    def _value(self) -> Item:
        """The value that begins where the reader stands."""
        window = self._window
        while True:
            start = window.at
            try:
                _, end = _DECODE(window.text, start)
            except (JSONDecodeError, RecursionError) as error:
                if _may_be_cut(error, len(window.text)) and window.may_grow:
                    window.grow()
                    continue
                return self._broken(error)
            if end == len(window.text) and window.may_grow:  # a number may go on
                window.grow()
                continue
            window.at = end
            text = window.text[start:end]
            if "\n" in text or "\r" in text:  # between tokens: JSON has none in texts
                text = text.replace("\n", " ").replace("\r", " ")
            return encoded(text)

    def _broken(self, error: JSONDecodeError | RecursionError) -> Broken:
        """Gives up what begins where the reader stands, and goes to where the next record may begin."""
        window = self._window
        raw = shown(window.text[window.at : window.at + RAW_BYTES])
        if isinstance(error, RecursionError):
            detail, failed = "invalid JSON: nested too deeply", min(window.at + _DEEP, len(window.text))
        elif not window.ended and _may_be_cut(error, len(window.text)):
            failed = error.pos
            detail = f"record is longer than {MAX_LINE_BYTES:,} characters: raw holds its beginning"
        else:
            failed = error.pos
            detail = f"invalid JSON: {error.msg} at character {failed - window.at} of the record"
        self._looked_again += failed - window.at
        window.at = failed if self._looked_again > _PATIENCE else window.at + 1
        self._skip()
        return Broken(detail, raw)

    def _skip(self) -> None:
        """Goes to where the next record may begin: no deeper than the broken one, if that began a line."""
        window = self._window
        while True:
            for found in _NEXT.finditer(window.text, window.at):
                if self._indent < 0 or (found[1] is not None and len(found[1]) <= self._indent):
                    window.at = found.start() if found[1] is not None else found.end()
                    return window.forget()
            if window.ended:
                window.at = len(window.text)
                return None
            window.at = max(window.at, len(window.text) - _MOST_INDENT)
            window.grow()


def _may_be_cut(error: JSONDecodeError | RecursionError, end: int) -> bool:
    """True if a value may be broken only because the text that is held ends within it."""
    if isinstance(error, RecursionError):
        return False
    return error.msg.startswith("Unterminated") or error.pos + _LONGEST_TOKEN >= end
