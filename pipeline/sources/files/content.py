"""What a file is: how it is compressed, what it holds, how its text is encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AUTO: Final = "auto"
COMPRESSIONS: Final = ("none", "gzip", "zstd", "bzip2", "xz", "zip")
FILE_TYPES: Final = ("jsonl", "json", "csv", "tsv", "xml", "evtx", "avro", "parquet")
"""`jsonl` has a JSON record a line; `json` has JSON values one after the other, or arrays of them, on any lines."""


@dataclass(frozen=True)
class ContentOptions:
    """What the user says that files are; `auto`: their first bytes tell."""

    compression: str = AUTO
    file_type: str = AUTO


RECOGNISED: Final = ContentOptions()
"""The first bytes of every file tell."""


@dataclass(frozen=True)
class Content:
    """What a file is, or a member of a zip file.

    Args:
        compression: one of `COMPRESSIONS`; of a member: how the member itself is compressed inside the zip file.
        file_type: one of `FILE_TYPES`; `tsv` is `csv` with another delimiter.
        encoding: of text, as Python calls it.
        delimiter: of the cells of CSV.
        member: its number among all members of a zip file, from 0; `None`: it is the file itself.
    """

    compression: str = "none"
    file_type: str = "jsonl"
    encoding: str = "utf-8"
    delimiter: str = ","
    member: int | None = None


class UnknownContent(ValueError):
    """A file is of a kind that is not read, or not what it is said to be; the message says which and how to mend it."""


JSON_LINES: Final = Content()
"""Plain JSON lines in UTF-8."""
