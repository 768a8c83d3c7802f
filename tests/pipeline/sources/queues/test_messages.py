"""Messages as blocks: every line once, nothing that a message holds ends a stream. In-process and on TestStream."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow.ipc as ipc
import pytest
from apache_beam.coders import RowCoder, registry
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue

from tests import GOLDEN
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions, read_lines
from uncommon_im.pipeline.sources.files.lines import blocks_of
from uncommon_im.pipeline.sources.queues import messages as module
from uncommon_im.pipeline.sources.queues.arrivals import LINE, NUMBER, OpenArrivals
from uncommon_im.pipeline.sources.queues.messages import Message, MessagesToBlocks, blocks_of_messages
from uncommon_im.pipeline.storage.bad_files import FAIL
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.raw_batch import RawBatch

NOON = 1_772_366_400_000_000
SUBSCRIPTION = "projects/p1/subscriptions/s"


def record(number: int, **more: Any) -> bytes:
    """A native record whose event id is its number."""
    event = {"event_time": "2026-03-01T12:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}
    event["event_id"] = str(number)
    return json.dumps(event | more).encode()


def message(data: bytes, number: int = 0) -> Message:
    return Message(data, NOON + number, f"{SUBSCRIPTION}#{number}")


def opened(messages: list[Message]) -> tuple[Counter[tuple[str, int]], list[DeadLetter]]:
    """(event id, arrival) of all records, and the dead letters."""
    found: Counter[tuple[str, int]] = Counter()
    lost: list[DeadLetter] = []
    for block, earliest in blocks_of_messages(messages):
        for batch, arrivals in OpenArrivals(JsonOptions())(block):
            events = Events(batch)
            lost += [*batch.lost(), *batch.dead_letters(events.rejections())]
            ids = batch.column("event_id")
            found.update(zip(ids.to_pylist() if ids is not None else [], arrivals.tolist(), strict=True))
            assert all(at >= earliest for at in arrivals.tolist())
    return found, lost


@pytest.mark.parametrize("seed", range(6))
def test_every_line_of_every_kind_of_message_is_read_once_and_arrived_with_its_message(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_RECORDS", (3, 10_000)[seed % 2])
    rng = random.Random(seed)
    expected: Counter[tuple[str, int]] = Counter()
    messages = []
    for number in range(60):
        held = [rng.randrange(1000) for _ in range(rng.choice((1, 1, 2, 7)))]
        expected.update((str(which), NOON + number) for which in held)
        text = rng.choice((b"\n", b"\r\n", b"\n\n")).join(map(record, held)) + rng.choice((b"", b"\n", b"\r\n"))
        messages.append(message(gzip.compress(text) if rng.random() < 0.3 else text, number))
    assert opened(messages) == (expected, [])


POISON: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{nope", 0, "invalid JSON"),
    "no object": (b"[1]", 0, "line is a JSON list"),
    "no UTF-8": (b'{"event_id": "\xff\xfe"}', 0, "not UTF-8 text"),
    "a number of 5,000 digits that is no record": (b"9" * 5000, 0, "line is a JSON number"),
    "cut gzip": (gzip.compress(record(1) + b"\n" + record(2))[:-12], 0, "cannot be read from record"),
    "gzip that is none": (b"\x1f\x8b" + b"nonsense", 0, "cannot be read from record 1 on"),
    "the first bytes of gzip": (b"\x1f\x8b", 0, "cannot be read from record 1 on"),
    "one bad line among good ones": (record(1) + b"\n{nope\n" + record(2), 2, "invalid JSON"),
}


@pytest.mark.parametrize("kind", POISON)
def test_what_cannot_be_decoded_is_a_dead_letter_with_the_messages_id(kind: str) -> None:
    data, good, detail = POISON[kind]
    found, lost = opened([message(record(7), 1), message(data, 2), message(record(8), 3)])
    assert {("7", NOON + 1), ("8", NOON + 3)} <= found.keys()
    assert good <= found.total() - 2 <= 2
    (letter,) = lost
    assert (letter.reason, letter.source) == ("malformed", f"{SUBSCRIPTION}#2")
    assert detail in letter.detail


def test_what_a_small_message_decompresses_to_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MESSAGE_BYTES", 4 << 20)
    lines = gzip.compress((record(1) + b"\n") * 100_000)
    zeros = gzip.compress(bytes(64 << 20))
    found, lost = opened([message(lines, 1), message(zeros, 2), message(record(3), 3)])
    assert 20_000 < found["1", NOON + 1] < 60_000
    assert found["3", NOON + 3] == 1
    assert {letter.source[-2:] for letter in lost} == {"#1", "#2"}
    assert all("it is more than 4,194,304 bytes of text" in letter.detail for letter in lost)


def test_a_line_that_is_too_long_is_a_dead_letter_with_its_beginning() -> None:
    found, lost = opened([message(b" " * (17 << 20) + b"\n" + record(1)), message(b"x" * (17 << 20), 1)])
    assert list(found) == [("1", NOON)]
    assert [letter.detail.partition(" is")[0] for letter in lost] == ["line", "line"]
    assert max(len(letter.raw) for letter in lost) <= 4096


def test_an_empty_message_holds_nothing() -> None:
    assert opened([message(b""), message(b"\n"), message(gzip.compress(b""))]) == (Counter(), [])


def facts(batches: Iterable[RawBatch]) -> Counter[tuple[object, ...]]:
    """Events by some of their columns, and dead letters."""
    found: Counter[tuple[object, ...]] = Counter()
    for batch in batches:
        events = Events(batch)
        rows = np.flatnonzero(events.valid)
        columns = [events.text_at(name, rows) for name in ("host_id", "process_name", "remote_host", "event_id")]
        times = events.time.values[rows].tolist()
        found.update(zip(times, *(column.at_rows(np.arange(len(rows))) for column in columns), strict=True))
        letters = [*batch.lost(), *batch.dead_letters(events.rejections())]
        found.update((letter.reason, letter.detail, letter.raw) for letter in letters)
    return found


def test_lines_of_all_formats_mean_in_messages_what_they_mean_in_files(tmp_path: Path) -> None:
    lines = [line for path in sorted(GOLDEN.glob("*/*.jsonl")) for line in path.read_bytes().splitlines()]
    random.Random(1).shuffle(lines)
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\n".join(lines))
    blocks = [block for block, _ in blocks_of_messages([message(line, n) for n, line in enumerate(lines)])]
    in_messages = facts(batch for block in blocks for batch, _ in OpenArrivals(JsonOptions())(block))
    assert in_messages == facts(
        read_lines(blocks_of(lambda: path.open("rb"), str(path), FAIL), str(path), JsonOptions())
    )
    assert in_messages.total() >= len(lines) > 50


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"  \n"], ids=["empty", "CR", "spaces"])
def test_blank_lines_of_a_message_are_in_no_block_and_count_for_the_numbers_of_others(blank: bytes) -> None:
    data = gzip.compress(blank * 100_000 + b"{}\n" + blank * 100_000)
    [(block, _)] = blocks_of_messages([message(data, 1), message(gzip.compress(blank * 100_000), 2)])
    table = ipc.open_stream(block).read_all()
    assert table.select([NUMBER, LINE]).to_pylist() == [{NUMBER: 100_001, LINE: b"{}"}]


def test_short_lines_of_a_message_fill_blocks_that_are_bounded_by_records() -> None:
    sizes = [
        ipc.open_stream(block).read_all().num_rows for block, _ in blocks_of_messages([message(b"0\n" * 25_000, 1)])
    ]
    assert sizes == [10_000, 10_000, 5_000]


def test_blocks_are_stamped_with_their_earliest_arrival_never_with_the_end_of_the_window() -> None:
    script = test_stream.TestStream(coder=RowCoder.from_type_hint(Message, registry))
    for group in (range(3), range(3, 5)):
        script = script.add_elements([TimestampedValue(message(record(n), n * 1_000_000 + 999), 0) for n in group])
    with beam.Pipeline("BundleBasedDirectRunner", options=PipelineOptions(["--streaming"])) as pipeline:
        blocks = pipeline | script.advance_watermark_to_infinity() | MessagesToBlocks()
        stamps = blocks | beam.Map(lambda _, at=beam.DoFn.TimestampParam: at.micros - NOON)
        assert_that(stamps, equal_to([0, 3_000_000]))


def test_a_bundle_gives_more_than_one_block_when_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_RECORDS", 4)
    with beam.Pipeline(FnApiRunner()) as pipeline:
        blocks = (
            pipeline | beam.Create([message(record(n), n) for n in range(10)], reshuffle=False) | MessagesToBlocks()
        )
        sizes = blocks | beam.FlatMap(lambda block: [len(at) for _, at in OpenArrivals(JsonOptions())(block)])
        assert_that(sizes, equal_to([4, 4, 2]))


def test_messages_cross_steps_in_a_deterministic_form_that_is_no_pickle() -> None:
    coder = registry.get_coder(Message)
    assert isinstance(coder, RowCoder)
    assert coder.is_deterministic()
    assert coder.decode(coder.encode(message(b"\x00\xff", 5))) == message(b"\x00\xff", 5)
