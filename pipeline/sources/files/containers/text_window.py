"""A text that is read forward: a part of it is held, which grows until what is looked for is in it."""

from __future__ import annotations

import codecs
import io
from typing import Final

from uncommon_im.pipeline.sources.files.decompressing import DAMAGE, PIECE_BYTES
from uncommon_im.pipeline.sources.files.lines import MAX_LINE_BYTES

WINDOW_CHARACTERS: Final = 1 << 18
"""Characters that are read at a time, unless what is looked for is longer."""


class TextWindow:
    """The part of a text from where its reader stands.

    Attributes:
        text: what is held.
        at: where the reader stands in it.
        ended: whether the text ends with what is held.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        """Reads nothing yet. Bytes that are no UTF-8 become what `encoded` makes the same bytes of again."""
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._damage: Exception | None = None
        self.text, self.at, self.ended = "", 0, False

    @property
    def left(self) -> int:
        """Characters that are held from where the reader stands."""
        return len(self.text) - self.at

    @property
    def full(self) -> bool:
        """True if as much is held as a record may have: it does not grow any more."""
        return self.left > MAX_LINE_BYTES

    @property
    def may_grow(self) -> bool:
        """True if more can be read, and a record may be as long as what is held."""
        return not self.ended and not self.full

    def forget(self) -> None:
        """Lets go of what is behind the reader, if that is much."""
        if self.at > WINDOW_CHARACTERS:
            self.text, self.at = self.text[self.at :], 0

    def grow(self) -> None:
        """Reads on: as much again as is held, so that looking again each time costs no more than twice.

        Raises:
            One of `DAMAGE`: it cannot be read on, and all that precedes the damage was handed out before.
        """
        if self._damage is not None:
            raise self._damage
        pieces = [self.text[self.at :]]
        missing = max(WINDOW_CHARACTERS, self.left)
        try:
            while missing > 0 and not self.ended:
                data = self._stream.read1(PIECE_BYTES)
                self.ended = not data
                pieces.append(self._decoder.decode(data, final=self.ended))
                missing -= len(pieces[-1])
        except DAMAGE as error:
            self._damage = error
        self.text, self.at = "".join(pieces), 0


def encoded(text: str) -> bytes:
    """The bytes that a text of a window was read from."""
    return text.encode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """A text of a window for a dead letter."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
