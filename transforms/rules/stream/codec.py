"""Values as bytes: what travels between the steps of the stream, and what they keep.

To an engine everything is bytes under a text key. Each value begins with the version of its form; the rest is
MessagePack with sorted keys, so that equal values are equal bytes. `tests/transforms/stream/test_update_contract.py`
freezes the forms: changing one means a new version, and reading the old one too.
"""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

import msgspec

VERSION: Final = b"\x01"
T = TypeVar("T")


class Codec(Generic[T]):
    """Values of one type as bytes."""

    def __init__(self, kind: Any) -> None:
        """A codec of a type or a union of tagged types."""
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def encode(self, value: T) -> bytes:
        """The bytes of a value."""
        return VERSION + self._encode(value)

    def decode(self, data: bytes) -> T:
        """The value of bytes.

        Raises:
            ValueError: they are of a version that this program does not read.
        """
        if data[:1] != VERSION:
            raise ValueError(f"state or message of version {data[:1].hex()}, this program reads {VERSION.hex()}")
        return self._decode(memoryview(data)[1:])
