"""Zip files that nobody means well: a clear line for each member that cannot be read, the others are read."""

from __future__ import annotations

import bz2
import io
import lzma
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.pipeline.sources.files.samples import LINES, read, read_and_valid, said, zip_of
from uncommon_im.pipeline.sources.files import archives

TEXT = LINES.encode()


def encrypted(data: bytes) -> bytes:
    """A zip file of one member that says that it is encrypted."""
    changed = bytearray(data)
    changed[6] |= 1
    changed[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (encrypted(zip_of({"a": TEXT})), "it is encrypted: unpack it first"),
        (
            zip_of({"a": TEXT}, zipfile.ZIP_LZMA),
            "it is compressed by lzma, which is not read in zip files: unpack it first",
        ),
        (
            zip_of({"a": TEXT}, zipfile.ZIP_BZIP2),
            "it is compressed by bzip2, which is not read in zip files: unpack it first",
        ),
        (zip_of({"a": zip_of({"b": TEXT})}), "it is a zip file in a zip file: unpack it first"),
        (zip_of({"a": b"7z\xbc\xaf\x27\x1c"}), "it is a 7-Zip archive, which is not read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_member_that_cannot_be_read_is_named_and_the_others_are_read(data: bytes, problem: str) -> None:
    outcome = read(_with_others(data))
    assert said(outcome) == [(1, f"cannot be read from record 1 on: {problem}")]
    assert outcome.letters[0].source.endswith("!a")
    assert outcome.counts[("events", "valid")] == 2


def _with_others(data: bytes) -> bytes:
    """A zip file and another behind it, as one."""
    sink = io.BytesIO(data)
    with zipfile.ZipFile(sink, "a") as archive:
        archive.writestr("z", TEXT)
    return sink.getvalue()


def test_names_of_members_lead_nowhere(tmp_path: Path) -> None:
    outcome = read(zip_of({"../../evil\n": b"hello\n", "/etc/evil": TEXT}))
    assert read_and_valid(outcome) == (3, 2)
    (letter,) = outcome.letters
    assert letter.source.endswith("!../../evil")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [4, 30, 200, 300])
def test_a_zip_file_that_is_cut_is_one_clear_line(size: int) -> None:
    (letter,) = read(zip_of({"a": TEXT})[:size]).letters
    assert letter.detail == "cannot be read from record 1 on: File is not a zip file"


def test_a_list_of_members_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 100_000)
    (letter,) = read(zip_of({f"{n:060}": b"" for n in range(2000)})).letters
    assert letter.detail.startswith("cannot be read from record 1 on: its list of members takes ")


def test_damage_of_a_member_costs_that_member_only() -> None:
    data = bytearray(zip_of({"a": TEXT, "b": TEXT}, zipfile.ZIP_STORED))
    data[data.index(b"443")] = ord("x")
    outcome = read(bytes(data))
    assert "Bad CRC-32" in said(outcome)[-1][1] or "Bad CRC-32" in said(outcome)[0][1]
    assert outcome.counts[("events", "valid")] >= 2


PEAK = """
import resource, sys
from tests.pipeline.sources.files.samples import read
outcome = read(open(sys.argv[1], "rb").read())
print(len(outcome.letters), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("kind", ["zip", "bzip2", "xz"])
def test_a_bomb_costs_bounded_memory_and_one_dead_letter(tmp_path: Path, kind: str) -> None:
    path, megabytes = tmp_path / "bomb", 300
    block = bytes(1 << 20)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as member:
            for _ in range(megabytes):
                member.write(block)
    else:
        packer = bz2.BZ2Compressor() if kind == "bzip2" else lzma.LZMACompressor(preset=0)
        with path.open("wb") as stream:
            for _ in range(megabytes):
                stream.write(packer.compress(block))
            stream.write(packer.flush())
    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
    letters, peak = map(int, done.stdout.split())
    path.write_bytes(b"")
    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
    base = int(done.stdout.split()[1])
    assert letters == 1
    assert peak < 250_000 + base, f"{peak} kB"


def test_an_xz_file_that_asks_for_much_memory_is_one_clear_line() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 28}]
    (letter,) = read(lzma.compress(TEXT, filters=filters)).letters
    assert letter.detail == "cannot be read from record 1 on: Memory usage limit exceeded"
