"""Values as long as a line may be: reading them takes time in proportion to their length, not to its square."""

from __future__ import annotations

import json
import time
from itertools import chain

import pytest

from tests.fuzzing.checks import read_files
from uncommon_im.transforms.rules.events import tally

EVENT = {
    "event_time": 1_772_359_200_000,
    "host_id": "h",
    "process_name": "python",
    "remote_host": "t.me",
    "os": "linux",
}
LENGTH = 1_000_000
SECONDS = 10.0


@pytest.mark.parametrize(
    ("column", "piece"),
    [
        *(("remote_host", piece) for piece in ("a.", "9.", "ü.", "ﷺ", "İ", "https://", "[", "@", ":")),
        *(("process_command_line", piece) for piece in ("-z", "a ", '" ', "/", "-z ", "8", "f")),
        *(("process_path", piece) for piece in ("/a", "\\", "..", "9.", "{", "/tmp/")),
    ],
)
def test_a_long_value_is_read_in_time(column: str, piece: str) -> None:
    value = "".join(chain(["python -"] if column == "process_command_line" else [], [piece] * (LENGTH // len(piece))))
    line = json.dumps(EVENT | {column: value}, ensure_ascii=False).encode()
    start = time.process_time()
    assert read_files([line], ".jsonl", "native").counts[tally.READ] == 1
    assert time.process_time() - start < SECONDS


def test_the_service_of_a_long_name_is_its_end() -> None:
    line = json.dumps(EVENT | {"remote_host": "a." * 100_000 + "discord.com"}).encode()
    assert read_files([line], ".jsonl", "native").counts[tally.COMMUNICATIONS] == 1
