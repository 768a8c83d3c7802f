"""What a file is, told by its first bytes. Its name does not count."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import BinaryIO, Final

from uncommon_im.pipeline.sources.files.content import AUTO, Content, ContentOptions, UnknownContent
from uncommon_im.pipeline.sources.files.decompressing import DAMAGE, PIECE_BYTES, decompressed
from uncommon_im.pipeline.sources.files.headers import DELIMITERS, header_of, without_separator_line

HEAD_BYTES: Final = 1 << 16
"""What is looked at of a file, decompressed."""
_COMPRESSIONS: Final = (
    ("gzip", re.compile(rb"\x1f\x8b")),
    ("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    ("bzip2", re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)")),
    ("xz", re.compile(rb"\xfd7zXZ\0")),
    ("zip", re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)")),
)
"""RFC 1952; RFC 8878, 3.1; bzip2's format; the .xz file format, 2.1.1.1; .ZIP File Format Specification, 4.3."""
_BINARY: Final = (("parquet", b"PAR1"), ("evtx", b"ElfFile\0"), ("avro", b"Obj\x01"))
"""Apache Parquet and Avro say so in their specifications; Windows event logs as [MS-EVEN6] and libevtx describe."""
_OTHERS: Final = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"ORC", "an ORC file"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"LfLe", "a Windows event log of before Vista"),
)
_TAR: Final = slice(257, 262)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_XML: Final = re.compile(r"<(?:\?xml\b|!--|!DOCTYPE\b|(?:\w+:)?Events?[\s>/])")
_DECLARED: Final = re.compile(r"<\?xml[^>]*\bencoding\s*=\s*['\"]((?:iso-8859|windows-125)[-\w]*)['\"]", re.IGNORECASE)
_JSON_SPACE: Final = " \t\r\n"
_GOES_ON: Final = re.compile(r"\{[ \t\r]*\n\s*[\"}]|.*,[ \t\r]*\n\s*\"|.*[\[:][ \t\r]*\n|.*\n\s*[],}\"]")
"""The first lines of a JSON object that goes on after a line end, unlike lines of which the first was cut."""
_SCAN: Final = json.JSONDecoder(parse_int=float).raw_decode


def recognise(open_file: Callable[[], BinaryIO], options: ContentOptions, member: int | None = None) -> Content:
    """What a file is.

    Args:
        open_file: gives the file, at its beginning.
        options: what the user says that it is.
        member: its number in the zip file that it is a member of.

    Raises:
        UnknownContent: it is of a kind that is not read, or compressed twice.
        OSError, or another of `DAMAGE`: it cannot be read at all.
    """
    with open_file() as stream:
        head = stream.read(HEAD_BYTES)
    compression = options.compression if options.compression != AUTO and member is None else _compression(head)
    if compression == "zip":
        if member is not None:
            raise UnknownContent("it is a zip file in a zip file: unpack it first")
        return Content("zip")
    if compression != "none":
        with open_file() as stream:
            head = _head(stream, compression)
        if (again := _compression(head)) != "none":
            raise UnknownContent(f"it is compressed twice, by {compression} and {again}: unpack it first")
    return _content(head, compression, options.file_type, member)


def _compression(head: bytes) -> str:
    return next((name for name, magic in _COMPRESSIONS if magic.match(head)), "none")


def _head(stream: BinaryIO, compression: str) -> bytes:
    """The first bytes of what a stream holds compressed, as far as they can be read: what reads it all says why."""
    pieces: list[bytes] = []
    size = 0
    try:
        opened = decompressed(stream, compression)
        while size < HEAD_BYTES and (piece := opened.read1(PIECE_BYTES)):
            pieces.append(piece)
            size += len(piece)
    except DAMAGE:
        pass
    return b"".join(pieces)[:HEAD_BYTES]


def _content(head: bytes, compression: str, file_type: str, member: int | None) -> Content:
    if not head:  # no records, or damage that reading it will name
        return Content(compression, member=member)
    if file_type == AUTO:
        for kind, magic in _BINARY:
            if head.startswith(magic):
                return Content(compression, kind, member=member)
        for magic, name in _OTHERS:
            if head.startswith(magic):
                raise UnknownContent(f"it is {name}, which is not read")
        if head[_TAR] == b"ustar":
            raise UnknownContent("it is a tar archive: unpack it first")
    elif file_type in ("evtx", "avro", "parquet"):
        return Content(compression, file_type, member=member)
    encoding = _encoding(head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    kind = _text_type(text) if file_type == AUTO else file_type
    if kind == "xml" and encoding == "utf-8" and (declared := _DECLARED.match(text.lstrip())):
        encoding = _known_encoding(declared[1])
    if kind in ("csv", "tsv"):
        found = header_of(without_separator_line(text), ("\t",) if file_type == "tsv" else DELIMITERS)
        return Content(compression, "csv", encoding, found.delimiter, member)
    return Content(compression, kind, encoding, member=member)


def _encoding(head: bytes) -> str:
    """How a text is encoded: UTF-8 unless a mark says otherwise, or every other byte is null."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    nulls = [head[place::2].count(0) for place in (0, 1)]
    if sum(nulls) * 4 >= len(head) > 1 and min(nulls) * 50 <= max(nulls) and head.strip(b"\0 \t\r\n"):
        return "utf-16-be" if nulls[0] else "utf-16-le"
    return "utf-8"


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def _text_type(text: str) -> str:
    text = text.lstrip(_JSON_SPACE)
    if text.startswith(("[", "\x1e")):  # RFC 7464 puts the second before each value
        return "json"
    if text.startswith("{"):
        return _object_type(text)
    if _XML.match(text):
        return "xml"
    return "csv" if header_of(without_separator_line(text)).is_one else "jsonl"


def _object_type(text: str) -> str:
    """Whether objects have a line each, or go on after line ends or one after the other."""
    line = text.partition("\n")[0].rstrip(_JSON_SPACE)
    try:
        _, end = _SCAN(text)
    except RecursionError:
        return "jsonl"
    except ValueError:  # it is longer than what is looked at, or broken
        return "json" if _GOES_ON.match(text) else "jsonl"
    return "jsonl" if end == len(line) else "json"
