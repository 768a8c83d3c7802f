"""Files are what their first bytes say, whatever they are called."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma

import pytest
import zstandard

from tests.pipeline.sources.files.samples import (
    LINES,
    ROWS,
    avro_of,
    csv_of,
    parquet_of,
    read,
    read_and_valid,
    said,
    zip_of,
)
from uncommon_im.pipeline.sources.files.content import Content, ContentOptions, UnknownContent
from uncommon_im.pipeline.sources.files.recognising import recognise

TEXT = LINES.encode()
PRETTY = "\n".join(json.dumps(row, indent=2) for row in ROWS)
ARRAY = json.dumps(ROWS)
TEXTS = {
    "JSON lines": LINES,
    "JSON lines of CR LF": LINES.replace("\n", "\r\n"),
    "pretty-printed objects": PRETTY,
    "pretty-printed objects of CR LF": PRETTY.replace("\n", "\r\n"),
    "objects in one line": LINES.replace("\n", " "),
    "objects without space": LINES.replace("\n", ""),
    "an array": ARRAY,
    "an array of a record a line": "[\n" + ",\n".join(LINES.splitlines()) + "\n]\n",
    "an array with commas before": "[" + "\n,".join(LINES.splitlines()) + "]",
    "a pretty-printed array": json.dumps(ROWS, indent=4),
    "arrays one after the other": "\n".join(f"[{line}]" for line in LINES.splitlines()),
    "records with commas": ",\n".join(LINES.splitlines()),
    "a text sequence": "".join(f"\x1e{line}\n" for line in LINES.splitlines()),
    "CSV": csv_of(","),
    "CSV of semicolons": csv_of(";"),
    "CSV that says its separator": "sep=;\r\n" + csv_of(";"),
    "CSV of bars": csv_of("|"),
    "TSV": csv_of("\t"),
    "CSV of no quotes": csv_of(",").replace('"', ""),
    "two files of CSV": csv_of(",", ROWS[:1]) + csv_of(",", ROWS[1:]),
}
PACKED = {
    "gzip": gzip.compress(TEXT),
    "gzip in members": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "zstd": zstandard.compress(TEXT),
    "zstd in frames": zstandard.compress(TEXT[:100]) + zstandard.compress(TEXT[100:]),
    "bzip2": bz2.compress(TEXT),
    "bzip2 in members": bz2.compress(TEXT[:100]) + bz2.compress(TEXT[100:]),
    "xz": lzma.compress(TEXT),
    "xz in members": lzma.compress(TEXT[:100]) + b"\0" * 8 + lzma.compress(TEXT[100:]),
    "zip": zip_of({"a": TEXT}),
    "zip of many": zip_of({f"folder/{n}": line.encode() for n, line in enumerate(LINES.splitlines())}),
    "zip that holds a folder and what a file manager left": zip_of({"d/": b"", "d/a": TEXT, "__MACOSX/d/._a": b"\0\5"}),
    "zip that holds gzip": zip_of({"a": gzip.compress(TEXT)}),
    "zip that holds Parquet": zip_of({"a": parquet_of()}),
    "gzip of an array": gzip.compress(ARRAY.encode()),
    "gzip of Parquet": gzip.compress(parquet_of()),
    "gzip of Avro": gzip.compress(avro_of()),
    "Parquet": parquet_of(),
    "Avro": avro_of(),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_of_every_kind_is_read_whatever_the_file_is_called(text: str) -> None:
    assert read_and_valid(read(text)) == (2, 2)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", codecs.BOM_UTF16_BE, "utf-32"], ids=str
)
def test_text_of_every_kind_is_read_in_every_encoding(text: str, encoding: str | bytes) -> None:
    data = text.encode(encoding) if isinstance(encoding, str) else encoding + text.encode("utf-16-be")
    assert read_and_valid(read(data)) == (2, 2)


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_compressed_files_are_read_whatever_they_are_called(data: bytes) -> None:
    assert read_and_valid(read(data)) == (2, 2)


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\ufeff", "[]", "[ ]\n", "[\n\n]", " [] [] "])
def test_files_of_no_records_are_read_as_nothing(blank: str) -> None:
    assert read_and_valid(read(blank)) == (0, 0)
    assert read_and_valid(read(gzip.compress(blank.encode()))) == (0, 0)


@pytest.mark.parametrize("cut", [1, 30, 60, 140])
def test_lines_of_which_the_first_is_cut_stay_lines(cut: int) -> None:
    first = LINES.splitlines()[0]
    for broken in (first[cut:], first[:cut]):
        outcome = read(f"{broken}\n{LINES}")
        assert read_and_valid(outcome) == (3, 2)
        assert [letter.record for letter in outcome.letters] == [1]


@pytest.mark.parametrize(
    "line",
    [
        "17",
        "hello, world",
        "Mar  3 10:00:00 h kernel: [1.0] x, y",
        '<134>1 2026-03-03T10:00:00Z h sysmon - - - {"a": 1}',
        "a\tb",
        "\0\1\2",
    ],
)
def test_what_is_nothing_known_is_read_as_lines(line: str) -> None:
    assert _recognised(f"{line}\n{LINES}") == Content()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "it is a 7-Zip archive, which is not read"),
        (b"Rar!\x1a\x07\x01\0", "it is a RAR archive, which is not read"),
        (b"ORC\x08\x03", "it is an ORC file, which is not read"),
        (b"%PDF-1.7", "it is a PDF document, which is not read"),
        (b"a.jsonl" + bytes(250) + b"ustar\x0000", "it is a tar archive: unpack it first"),
        (gzip.compress(b"a.jsonl" + bytes(250) + b"ustar\x0000"), "it is a tar archive: unpack it first"),
        (gzip.compress(zstandard.compress(TEXT)), "it is compressed twice, by gzip and zstd: unpack it first"),
        (bz2.compress(zip_of({"a": TEXT})), "it is compressed twice, by bzip2 and zip: unpack it first"),
        (zip_of({"[Content_Types].xml": b"<a/>"}), "it is a document of an office program: export it as CSV"),
        (zip_of({"a.zip": zip_of({"b": TEXT})}), "it is a zip file in a zip file: unpack it first"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_a_kind_that_is_not_read_is_one_clear_line(data: bytes, problem: str) -> None:
    assert said(read(data)) == [(1, f"cannot be read from record 1 on: {problem}")]


@pytest.mark.parametrize("file_type", ["jsonl", "json", "csv", "tsv", "xml", "evtx", "avro", "parquet"])
def test_what_a_file_is_said_to_be_counts_more_than_what_it_is(file_type: str) -> None:
    outcome = read(LINES, file_type=file_type)
    valid = 2 if file_type in ("jsonl", "json") else 0
    assert outcome.counts[("events", "valid")] == valid
    assert bool(outcome.letters) == (not valid)


def test_csv_of_unknown_names_is_read_if_it_is_said_to_be_csv() -> None:
    assert _recognised("a;b\n1;2\n") == Content()
    assert _recognised("a;b\n1;2\n", file_type="csv") == Content(file_type="csv", delimiter=";")
    assert _recognised("a;b\n1;2\n", file_type="tsv") == Content(file_type="csv", delimiter="\t")


def test_compression_is_what_it_is_said_to_be() -> None:
    assert _recognised(gzip.compress(TEXT), compression="none") == Content()
    assert _recognised(TEXT, compression="gzip") == Content("gzip")


def test_no_more_than_the_beginning_of_a_file_is_read() -> None:
    class Short(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 < size <= 1 << 16
            return super().read(size)

    assert recognise(lambda: Short(TEXT * 10_000), ContentOptions()) == Content()


def _recognised(data: bytes | str, **options: str) -> Content:
    content = data.encode() if isinstance(data, str) else data
    try:
        return recognise(lambda: io.BytesIO(content), ContentOptions(**options))
    except UnknownContent as error:
        raise AssertionError(error) from error
