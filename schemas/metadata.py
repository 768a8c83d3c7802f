"""What folders of Parquet files say of themselves: one reader and writer of a versioned JSON document."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

import msgspec

from uncommon_im.schemas.decoding import Entry, decode
from uncommon_im.schemas.documents import ConfigurationError, require

VERSION: str = "schema_version"


class VersionedDocument(Entry, frozen=True):
    """Base of such documents; the `tag` of a subclass is its version, which is written first.

    Attributes:
        subject: what it is the metadata of.
        renewal: what to do about another version.
    """

    subject: ClassVar[str]
    renewal: ClassVar[str] = ""

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(msgspec.to_builtins(self), indent=2) + "\n"

    @classmethod
    def parse(cls, text: str, place: str) -> Self:
        """The document in a file's text; `place` is how messages call the file.

        Raises:
            ConfigurationError: it is none, or of another version.
        """
        name = f"{place}: no metadata of {cls.subject}"
        try:
            document: Any = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"{name}: not valid JSON: {error}") from None
        expected = cls.__struct_config__.tag
        if expected is not None and isinstance(document, dict):
            require(VERSION in document, f"{name}: `{VERSION}` is missing")
            version = document[VERSION]
            require(
                version == expected,
                f"{place}: {cls.subject} of version {version}, this program reads {expected}: {cls.renewal}",
            )
        return decode(document, cls, name)
