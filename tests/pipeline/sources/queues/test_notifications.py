"""Notifications of objects, and the objects: local folders stand for buckets. On the in-process engine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.metrics import MetricsFilter
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from google.pubsub_v1 import types

from tests.running import write_lines, write_parquet
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.queues import objects
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.queues.messages import Message
from uncommon_im.pipeline.sources.queues.objects import MissingObject, ReadObject
from uncommon_im.pipeline.sources.queues.pubsub import NotificationsToBlocks, message_of, noticed_of
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.stream.keyed_step import NAMESPACE

NOON = 1_772_366_400_000_000
SUBSCRIPTION = "projects/p1/subscriptions/s"


def record(number: int) -> dict[str, Any]:
    """A native record whose event id is its number."""
    event = {"event_time": "2026-03-01T12:00:00Z", "host_id": "h1", "process_name": "curl", "remote_host": "t.me"}
    return event | {"event_id": str(number)}


def serialised(attributes: dict[str, str], data: bytes = b"", number: int = 1) -> bytes:
    """A message as Dataflow hands it out."""
    message = types.PubsubMessage.pb()(data=data, attributes=attributes, message_id=str(number))
    message.publish_time.FromMicroseconds(NOON + number)
    return bytes(message.SerializeToString())


def notice(name: str, generation: int = 1, event: str = "OBJECT_FINALIZE", number: int = 1, **more: str) -> bytes:
    given = {"eventType": event, "bucketId": "bucket", "objectId": name, "objectGeneration": str(generation)}
    return serialised(given | {"payloadFormat": "NONE"} | more, number=number)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    (tmp_path / "bucket").mkdir()
    return tmp_path / "bucket"


FOUND: list[bytes] = []
"""The blocks of the last run: its engine runs in this process."""


def keep(block: bytes) -> None:
    FOUND.append(block)


def read(bucket: Path, *notices: bytes) -> tuple[Counter[str], list[DeadLetter], dict[str, int]]:
    """(event ids of what was read, dead letters, counts of notifications)."""
    FOUND.clear()
    pipeline = beam.Pipeline(FnApiRunner())
    messages = pipeline | beam.Create(list(notices), reshuffle=False)
    _ = messages | NotificationsToBlocks(SUBSCRIPTION, f"{bucket.parent}/") | beam.Map(keep)
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    return *contents(FOUND), {counter.key.metric.name: counter.committed for counter in counters}


def contents(blocks: list[bytes] | Iterator[bytes]) -> tuple[Counter[str], list[DeadLetter]]:
    found: Counter[str] = Counter()
    lost: list[DeadLetter] = []
    for block in blocks:
        for batch, arrivals in OpenArrivals(JsonOptions())(block):
            events = Events(batch)
            lost += [*batch.lost(), *batch.dead_letters(events.rejections())]
            ids = batch.column("event_id")
            found.update(ids.to_pylist() if ids is not None else [])
            assert all(NOON < at < NOON + 100 for at in arrivals.tolist())
    return found, sorted(lost, key=lambda letter: (letter.source, letter.record))


def test_objects_of_every_kind_are_read_as_the_backfill_reads_them(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "BLOCK_RECORDS", 7)
    records = [record(number) for number in range(50)]
    write_lines(bucket / "a.jsonl", records[:10])
    write_lines(bucket / "b.JSON.gz", records[10:20])
    write_parquet(bucket / "c.parquet", records[20:40], row_group_size=11)
    (bucket / "no-suffix").write_bytes(b"\n".join(json.dumps(each).encode() for each in records[40:]))
    (bucket / "empty.gz").write_bytes(b"")
    names = [path.name for path in bucket.iterdir()]
    found, lost, counts = read(bucket, *(notice(name) for name in names))
    assert found == Counter(map(str, range(50)))
    assert lost == []
    assert counts == {"notifications.read": 5}


def test_only_what_has_been_written_is_read(bucket: Path) -> None:
    write_lines(bucket / "a.jsonl", [record(1)])
    others = ("OBJECT_DELETE", "OBJECT_METADATA_UPDATE", "OBJECT_ARCHIVE")
    found, lost, counts = read(bucket, *(notice("a.jsonl", event=event) for event in others))
    assert (found, lost, counts) == (Counter(), [], {"notifications.other_event": 3})


def test_a_missing_object_is_a_dead_letter_with_its_generation(bucket: Path) -> None:
    write_lines(bucket / "there.jsonl", [record(1)])
    found, (letter,), counts = read(bucket, notice("gone.jsonl", 42), notice("there.jsonl"))
    assert found == Counter(["1"])
    assert letter.source == f"{bucket}/gone.jsonl#42"
    assert (letter.reason, letter.record) == ("malformed", 1)
    assert "#42 is not there" in letter.detail
    assert counts == {"notifications.read": 1, "notifications.missing": 1}


def test_a_repeated_notification_is_read_again_and_an_overwritten_object_as_it_is_now(bucket: Path) -> None:
    write_lines(bucket / "a.jsonl", [record(1)])
    write_lines(bucket / "b.jsonl", [record(3)])  # generation 2; generation 1 held another
    twice = [notice("a.jsonl"), notice("a.jsonl")]
    overwritten = [notice("b.jsonl", 1), notice("b.jsonl", 2, overwroteGeneration="1")]
    found, lost, counts = read(bucket, *twice, *overwritten)
    assert (found, lost) == (Counter({"1": 2, "3": 2}), [])
    assert counts == {"notifications.read": 4, "notifications.overwritten": 1}


def test_an_object_that_cannot_be_decoded_costs_dead_letters_and_no_other_object(bucket: Path) -> None:
    write_lines(bucket / "a.jsonl", [record(1)])
    write_lines(bucket / "cut.jsonl.gz", [record(number) for number in range(100, 3000)])
    (bucket / "cut.jsonl.gz").write_bytes((bucket / "cut.jsonl.gz").read_bytes()[:-20])
    (bucket / "none.parquet").write_bytes(b"no parquet")
    (bucket / "none.zst").write_bytes(b"no zst")
    (bucket / "poison.json").write_bytes(b'{"a": \n\xff\n')
    names = ("a.jsonl", "cut.jsonl.gz", "none.parquet", "none.zst", "poison.json")
    found, lost, _ = read(bucket, *(notice(name, 5) for name in names))
    assert found["1"] == 1
    assert [letter.source.removeprefix(f"{bucket}/") for letter in lost] == [f"{name}#5" for name in names[1:]]
    assert "cannot be read from record" in lost[0].detail


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", b'{"name": "a", "bucket": ""}', b'{"name": "a\\nb", "bucket": "b"}']
)
def test_what_names_no_object_is_a_dead_letter_with_the_messages_id(bucket: Path, data: bytes) -> None:
    found, (letter,), counts = read(bucket, serialised({"eventType": "OBJECT_FINALIZE"}, data, 9))
    assert (letter.source, letter.reason) == (f"{SUBSCRIPTION}#9", "malformed")
    assert (found, counts) == (Counter(), {"notifications.malformed": 1})


def test_the_json_of_an_object_serves_where_attributes_are_missing() -> None:
    data = json.dumps({"kind": "storage#object", "name": "a/b c.gz", "bucket": "x", "generation": "7"}).encode()
    event, noticed = noticed_of({}, data, NOON, "gs://")
    assert noticed is not None
    assert (event, noticed.source, noticed.arrival) == ("OBJECT_FINALIZE", "gs://x/a/b c.gz#7", NOON)


def test_trouble_while_an_object_is_fetched_is_raised_to_be_tried_again(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(bucket / "a.jsonl.gz", [record(1)])
    reader = ReadObject(f"{bucket}/a.jsonl.gz", "a", NOON + 1)
    monkeypatch.setattr(objects.shutil, "copyfileobj", _connection_reset)
    with pytest.raises(ConnectionResetError):
        list(reader.blocks())
    monkeypatch.undo()
    assert contents(reader.blocks()) == (Counter(["1"]), [])


def test_whether_a_missing_object_is_missing_is_asked_not_guessed(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ReadObject(f"{bucket}/a.jsonl", "a", NOON)
    with pytest.raises(MissingObject):
        list(reader.blocks())
    monkeypatch.setattr(FileSystems, "exists", _connection_reset)
    with pytest.raises(ConnectionResetError):
        list(reader.blocks())


def _connection_reset(*_: Any) -> None:
    raise ConnectionResetError("connection reset by peer")


def test_a_message_is_the_same_serialised_and_as_beams_local_engine_hands_it_out() -> None:
    raw = serialised({"a": "b"}, b"data", 123)
    expected = Message(b"data", NOON + 123, f"{SUBSCRIPTION}#123")
    assert message_of(raw, SUBSCRIPTION) == message_of(PubsubMessage._from_proto_str(raw), SUBSCRIPTION) == expected
