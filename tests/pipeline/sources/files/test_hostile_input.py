"""Input that real exports do wrong, on the in-process engine: a dead letter or one clear line, and exit status."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.running import read_rows, write_lines, write_parquet
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.sources.files import lines as line_source

EVENT = {
    "event_time": "2026-03-01T10:00:00Z",
    "host_id": "h1",
    "process_name": "curl",
    "remote_host": "api.telegram.org",
}
GOOD = json.dumps(EVENT).encode() + b"\n"


class Run:
    """One run over a folder of files."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.input = folder / "in"
        self.input.mkdir()
        self.output = folder / "out"
        self._capsys = capsys

    def status(self, *more: str, pattern: str = "*") -> int:
        files = ["--input", str(self.input / pattern)]
        return main(["backfill", *files, "--output", str(self.output), "--activation-days", "0", *more])

    @property
    def error(self) -> str:
        """The last line on standard error, without the folder."""
        text = self._capsys.readouterr().err
        assert "Traceback" not in text
        return text.splitlines()[-1].replace(str(self.input), "IN").replace(str(self.output), "OUT")

    @property
    def dead(self) -> list[tuple[str, str]]:
        """(reason, detail) of the dead letters."""
        return [(row["reason"], row["detail"].replace(str(self.input), "IN")) for row in self.letters]

    @property
    def letters(self) -> list[dict[str, Any]]:
        return read_rows(str(self.output), "dead_letter")

    @property
    def events(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.output / "summary.json").read_text())
        events: dict[str, Any] = summary["events"]
        assert events["read"] == events["valid"] + sum(events["dead_letter"].values())
        return events


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


LINES: list[tuple[str, bytes, str, str]] = [
    ("half a line", GOOD[:40], "malformed", "invalid JSON: input data was truncated"),
    ("a list", b"[1, 2]", "malformed", "line is a JSON list, expected an object"),
    ("a number", b"17", "malformed", "line is a JSON number, expected an object"),
    ("no JSON", b"hello", "malformed", "invalid JSON: invalid character at byte 0"),
    ("deep nesting", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "malformed", "invalid JSON: nested too deeply"),
    ("a NUL byte", b'{"host_id": "h\x001"}', "malformed", "invalid JSON: invalid character at byte 14"),
    ("invalid UTF-8", b'{"host_id": "h\xff"}', "malformed", "invalid JSON: not UTF-8 text"),
    ("NaN", b'{"event_time": NaN}', "malformed", "invalid JSON: invalid character at byte 15"),
    (
        "an empty object",
        b"{}",
        "missing_field:event_time",
        "no format recognises the record (keys: none), and as a native event it has no event_time: "
        "uncommon-im inspect says what was tried",
    ),
]


@pytest.mark.parametrize(("line", "reason", "detail"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_a_bad_line_is_a_dead_letter_and_costs_its_neighbours_nothing(
    run: Run, line: bytes, reason: str, detail: str
) -> None:
    (run.input / "a.jsonl").write_bytes(GOOD + line + b"\n" + GOOD.replace(b"h1", b"h2"))
    assert run.status() == 0
    assert run.events == {"read": 3, "valid": 2, "out_of_range": 0, "dead_letter": {reason: 1}}
    assert run.dead == [(reason, detail)]
    assert run.letters[0]["record"] == 2


VALUES: list[tuple[str, object, str, str]] = [
    ("host_id", ["h1"], "malformed", "host_id is a list, expected text"),
    ("host_id", {"id": "h1"}, "malformed", "host_id is an object, expected text"),
    ("host_id", True, "malformed", "host_id is true or false, expected text"),
    ("process_name", [], "malformed", "process_name is a list, expected text"),
    ("remote_port", "https", "malformed", "remote_port is 'https', expected a whole number"),
    ("remote_port", 4.5, "malformed", "remote_port is 4.5, expected a whole number"),
    ("remote_port", [443], "malformed", "remote_port is a list, expected a whole number"),
    ("bytes_sent", 10**30, "malformed", "bytes_sent is too large a number for 64 bits"),
    ("event_type", "story", "malformed", "event_type is 'story': expected one of network, dns, process"),
    (
        "event_time",
        ["2026-03-01T10:00:00Z"],
        "bad_timestamp",
        "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds",
    ),
    (
        "event_time",
        "2026-03-01T10:00:00",
        "bad_timestamp",
        "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds",
    ),
    (
        "event_time",
        "1999-12-31T23:59:59.999999Z",
        "bad_timestamp",
        "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds",
    ),
    (
        "event_time",
        1e300,
        "bad_timestamp",
        "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds",
    ),
]


@pytest.mark.parametrize(("name", "value", "reason", "detail"), VALUES)
def test_a_value_of_the_wrong_type_is_a_dead_letter_that_names_the_field(
    run: Run, name: str, value: object, reason: str, detail: str
) -> None:
    write_lines(run.input / "a.jsonl", [EVENT, EVENT | {name: value}])
    assert run.status() == 0
    assert run.dead == [(reason, detail)]
    assert run.events["valid"] == 1


def test_half_of_a_surrogate_pair_is_no_text(run: Run) -> None:
    (run.input / "a.jsonl").write_bytes(GOOD + GOOD.replace(b'"h1"', b'"h\\ud800"'))
    assert run.status() == 0
    assert run.dead == [("malformed", "invalid JSON: unexpected end of escaped utf-16 surrogate pair at byte 58")]
    assert run.events["valid"] == 1


def test_a_number_beyond_all_floats_is_a_dead_letter(run: Run) -> None:
    (run.input / "a.jsonl").write_bytes(GOOD + GOOD.replace(b'"2026-03-01T10:00:00Z"', b"1e400"))
    assert run.status() == 0
    assert run.events["valid"] == 1
    detail = "event_time is no time of 2000 to 2099: expected RFC 3339 with a zone, or epoch milliseconds"
    assert run.dead == [("bad_timestamp", detail)]


def test_a_number_beyond_all_floats_is_no_text_either(run: Run) -> None:
    (run.input / "a.jsonl").write_bytes(GOOD + GOOD.replace(b'"h1"', b"1e400"))
    assert run.status() == 0
    assert run.dead == [("malformed", "host_id is inf, expected text")]


def test_of_duplicate_keys_the_last_one_counts(run: Run) -> None:
    (run.input / "a.jsonl").write_bytes(GOOD.replace(b'"h1"', b'"h1", "host_id": "h2"'))
    assert run.status("--verdicts") == 0
    assert [row["host"] for row in read_rows(str(run.output), "verdicts")] == ["h2"]


def test_a_line_of_50_mb_is_a_dead_letter_with_its_beginning(run: Run) -> None:
    long = b'{"host_id": "' + b"x" * 50_000_000 + b'"}\n'
    (run.input / "a.jsonl.gz").write_bytes(gzip.compress(GOOD + long + GOOD, 1))
    assert run.status() == 0
    assert run.dead == [("malformed", "line is longer than 16,777,216 bytes: raw holds its beginning")]
    (letter,) = run.letters
    assert letter["record"] == 2
    assert letter["raw"].startswith('{"host_id": "xxx')
    assert len(letter["raw"]) == 4096
    assert run.events["valid"] == 2


SAY_PEAK = """
import sys
from uncommon_im.pipeline.cli.main import main

status = main(sys.argv[1:])
print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM:")), end="")
sys.exit(status)
"""
"""The command, and then the most memory (kB) that this program had: `ru_maxrss` begins with that of its parent."""


@pytest.mark.parametrize("kind", ["jsonl.gz", "jsonl.zst"])
def test_a_zip_bomb_costs_bounded_memory_and_one_dead_letter(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bomb.{kind}"
    gigabytes, block = 3, bytes(1 << 20)
    if kind == "jsonl.gz":
        with gzip.open(path, "wb", compresslevel=1) as stream:
            for _ in range(gigabytes * 1024):
                stream.write(block)
    else:
        with path.open("wb") as raw, zstandard.ZstdCompressor(level=1).stream_writer(raw) as writer:
            for _ in range(gigabytes * 1024):
                writer.write(block)
    command = [sys.executable, "-c", SAY_PEAK, "backfill", "--input", str(path), "--output", str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "of 1 record read none is an event" in done.stderr
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["events"]["dead_letter"] == {"malformed": 1}
    (letter,) = read_rows(str(tmp_path / "o"), "dead_letter")
    assert letter["detail"] == "line is longer than 16,777,216 bytes: raw holds its beginning"
    assert letter["raw"] == "\0" * 4096
    peak = int(done.stdout.splitlines()[-1].split()[1])
    assert peak < 1_000_000, f"{peak} kB"


def cut_gzip(path: Path) -> None:
    data = gzip.compress(b"".join(GOOD.replace(b"h1", b"h%d" % n) for n in range(2000)), 1)
    path.write_bytes(data[: len(data) * 2 // 3])


def cut_zstd(path: Path) -> None:
    lines = [GOOD.replace(b"h1", os.urandom(6).hex().encode()) for _ in range(9000)]
    data = zstandard.compress(b"".join(lines))
    path.write_bytes(data[: len(data) // 2])


def zstd_cut_in_its_checksum(path: Path) -> None:
    """All records are there, and nobody can know that no more were."""
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(GOOD)[:-3])


def zstd_of_a_large_window(path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path.write_bytes(compressor.compress(GOOD) + compressor.flush())


def gzip_cut_in_its_checksum(path: Path) -> None:
    path.write_bytes(gzip.compress(GOOD)[:-5])


def gzip_with_more_behind_it(path: Path) -> None:
    path.write_bytes(gzip.compress(GOOD) + b"more than the end of it")


def damaged_gzip(path: Path) -> None:
    data = bytearray(gzip.compress(GOOD * 3))
    data[15] ^= 0xFF
    path.write_bytes(data)


def no_parquet(path: Path) -> None:
    path.write_bytes(b"PAR1 this is no Parquet file")


def cut_parquet(path: Path) -> None:
    write_parquet(path, [EVENT | {"host_id": f"h{n}"} for n in range(500)])
    path.write_bytes(path.read_bytes()[:-100])


def damaged_parquet(path: Path) -> None:
    """The footer is whole, the pages are not."""
    write_parquet(path, [EVENT | {"host_id": f"h{n}"} for n in range(500)])
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(1996)
    path.write_bytes(data)


NO_PARQUET = "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file."
CUT_GZIP = "Compressed file ended before the end-of-stream marker was reached"
BAD_FILES = [
    ("jsonl.gz", cut_gzip, CUT_GZIP),
    ("jsonl.gz", gzip_cut_in_its_checksum, CUT_GZIP),
    ("jsonl.gz", damaged_gzip, "Error -1 Invalid deflate block found"),
    ("jsonl.gz", gzip_with_more_behind_it, "Not a gzipped file (b'mo')"),
    ("jsonl.zst", cut_zstd, "Truncated compressed stream"),
    ("jsonl.zst", zstd_cut_in_its_checksum, "Truncated compressed stream"),
    ("jsonl.zst", zstd_of_a_large_window, "ZSTD decompress failed: Frame requires too much memory for decoding"),
    ("parquet", no_parquet, NO_PARQUET),
    ("parquet", cut_parquet, NO_PARQUET),
    (
        "parquet",
        damaged_parquet,
        "Couldn't deserialize thrift: TProtocolException: Invalid data Deserializing page header failed.",
    ),
]


@pytest.mark.parametrize(("kind", "make", "why"), BAD_FILES, ids=[case[1].__name__ for case in BAD_FILES])
def test_a_damaged_file_ends_the_run_with_one_line_that_names_it(run: Run, kind: str, make: Any, why: str) -> None:
    (run.input / "good.jsonl").write_bytes(GOOD)
    make(run.input / f"bad.{kind}")
    assert run.status() == 1
    said = re.sub(r"from record [0-9,]+ on", "from record N on", run.error)
    assert said == (
        f"uncommon-im: the run failed: IN/bad.{kind}: cannot be read from record N on: {why}; "
        "--on-bad-file skip reads the rest (--verbose shows all)"
    )
    assert not run.output.exists() or not [path for path in run.output.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("kind", "make", "why"), BAD_FILES, ids=[case[1].__name__ for case in BAD_FILES])
def test_a_damaged_file_may_be_skipped_and_the_others_are_read(run: Run, kind: str, make: Any, why: str) -> None:
    (run.input / "good.jsonl").write_bytes(GOOD)
    make(run.input / f"bad.{kind}")
    assert run.status("--on-bad-file", "skip", "--verdicts") == 0
    lost = [row for row in run.letters if row["detail"].startswith("cannot be read from record ")]
    assert len(lost) == 1
    assert re.sub("[0-9,]+ on", "N on", lost[0]["detail"], count=1) == f"cannot be read from record N on: {why}"
    assert lost[0]["reason"] == "malformed"
    assert lost[0]["source"] == str(run.input / f"bad.{kind}")
    assert "h1" in {row["host"] for row in read_rows(str(run.output), "verdicts")}
    assert run.events["valid"] >= 1


@pytest.mark.parametrize(("kind", "make"), [("gz", cut_gzip), ("zst", cut_zstd)])
def test_what_precedes_the_cut_is_read(run: Run, kind: str, make: Any) -> None:
    make(run.input / f"a.jsonl.{kind}")
    assert run.status("--on-bad-file", "skip") == 0
    assert run.events["valid"] > 500


def test_a_row_group_that_would_not_fit_into_memory_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uncommon_im.pipeline.sources.files.parquet_file.MAX_COLUMN_BYTES", 1000)
    write_parquet(run.input / "a.parquet", [EVENT | {"host_id": f"h{n}"} for n in range(500)])
    assert run.status() == 1
    assert run.error == (
        "uncommon-im: the run failed: IN/a.parquet: cannot be read from record 1 on: a column of row group 0 would "
        "take 4,518 bytes, more than 1,000: write it with smaller row groups; --on-bad-file skip reads the rest "
        "(--verbose shows all)"
    )


def test_parquet_columns_of_odd_types_give_dead_letters_not_errors(run: Run) -> None:
    table = pa.table(
        {
            "event_time": pa.array([1772359200000] * 3),
            "host_id": pa.array(["h1", "h2", "h3"]),
            "process_name": pa.array(["curl"] * 3),
            "remote_host": pa.array(["t.me"] * 3),
            "remote_port": pa.array(["443", "https", None]),
            "user_name": pa.array([[1], None, None]),
        }
    )
    pq.write_table(table, run.input / "a.parquet")
    assert run.status() == 0
    assert sorted(run.dead) == [
        ("malformed", "remote_port is 'https', expected a whole number"),
        ("malformed", "user_name is a list, expected text"),
    ]


def test_empty_files_are_read_as_nothing(run: Run) -> None:
    (run.input / "a.jsonl").write_bytes(b"")
    (run.input / "b.jsonl").write_bytes(b"\n\n \n")
    (run.input / "c.jsonl.gz").write_bytes(gzip.compress(b""))
    (run.input / "d.parquet").write_bytes(b"")
    (run.input / "_SUCCESS").write_bytes(b"")
    assert run.status() == 0
    assert run.events == {"read": 0, "valid": 0, "out_of_range": 0, "dead_letter": {}}


def test_an_output_that_cannot_be_written_is_found_before_anything_runs(run: Run) -> None:
    (run.input / "a.jsonl").write_bytes(GOOD)
    run.output.write_text("a file, not a folder")
    assert run.status() == 2
    assert run.error == "uncommon-im: --output OUT: cannot be written: Not a directory"


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root may read every file")
def test_an_unreadable_file_is_named(run: Run, tmp_path: Path) -> None:
    path = run.input / "a.jsonl"
    path.write_bytes(GOOD)
    path.chmod(0)
    command = [
        sys.executable,
        "-m",
        "uncommon_im.pipeline.cli.main",
        "backfill",
        "--input",
        str(path),
        "--output",
        str(run.output),
    ]
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        command = ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{path}: cannot be read from record 1 on: " in done.stderr
    assert "ermission denied" in done.stderr


def test_lines_longer_than_a_block_are_joined(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_source, "BLOCK_BYTES", 64)
    (run.input / "a.jsonl").write_bytes(GOOD * 3 + GOOD.rstrip())
    assert run.status() == 0
    assert run.events["valid"] == 4
