"""What an event lacks is taken from the start of its process (section 2a), in whatever order starts come."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import CATALOGUE, DAY, DAY_US, Record, events_of, quick
from uncommon_im.schemas.event import OF_PROCESS
from uncommon_im.transforms.rules.activities.recognised import recognise
from uncommon_im.transforms.rules.events.event_id import canonical_json, event_id
from uncommon_im.transforms.rules.instances.completing import complete
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA, EventRows, event_rows, lack_process
from uncommon_im.transforms.rules.instances.keeping import Keeper, kept_starts, recent_starts
from uncommon_im.transforms.rules.instances.starts import Starts
from uncommon_im.transforms.rules.recognition.command_line import Engines
from uncommon_im.transforms.rules.recognition.communications import Recogniser
from uncommon_im.transforms.rules.recognition.destination import Destinations
from uncommon_im.transforms.rules.recognition.identity import Identities

LOOKBACK = 4
"""In µs here, so that borders are hit."""
MOMENT = DAY * DAY_US


def rows_of(*records: Record) -> pa.Table:
    """Records as a table of `EVENT_ROW_SCHEMA`."""
    events = events_of(*records)
    return event_rows(events, np.arange(events.num_rows)).cast(EVENT_ROW_SCHEMA)


def at(moment: int) -> str:
    """RFC 3339, some µs after the first moment of `DAY`."""
    return f"2024-10-04T00:00:00.{500_000 + moment:06}Z"


def start(moment: int = 0, guid: str = "g", **columns: Any) -> Record:
    return {"event_type": "process", "event_time": at(moment), "host_id": "h", "process_guid": guid, **columns}


def connection(moment: int = 0, guid: str = "g", **columns: Any) -> Record:
    told = {"remote_host": "api.telegram.org", "event_id": "e"}
    return {"event_time": at(moment), "host_id": "h", "process_guid": guid, **told, **columns}


def in_batches(starts: pa.Table, sizes: Iterable[int]) -> Iterator[Starts]:
    first = 0
    for size in sizes:
        some = starts.slice(first, size)
        first += size
        yield Starts.of(some)


def completed(event: Record, *starts: Record, lookback: int = LOOKBACK) -> Record:
    table = rows_of({"process_name": "never", **start(guid="another")}, *starts)
    (row,) = complete(rows_of(event), in_batches(table, [1] * table.num_rows), lookback).to_pylist()
    return dict(row)


names = st.sampled_from(["a", "b"])
keys = st.fixed_dictionaries({"guid": names, "moment": st.integers(0, 7)})
some_starts = st.lists(
    st.tuples(keys, st.fixed_dictionaries({"host_id": names, "tenant_id": names, "event_id": st.sampled_from("xyz")})),
    max_size=8,
)


@quick
@given(starts=some_starts, event=keys, host=names, tenant=names, seed=st.integers(0, 99))
def test_the_start_is_the_latest_within_the_lookback_in_whatever_order_and_batches_starts_come(
    starts: list[tuple[dict[str, Any], Record]], event: dict[str, Any], host: str, tenant: str, seed: int
) -> None:
    records = [start(**key, **more, process_name=f"p{n % 3}") for n, (key, more) in enumerate(starts)]
    asked = connection(**event, host_id=host, tenant_id=tenant)
    rng = random.Random(seed)
    delivered = rng.sample(records * 2, len(records) * 2)
    sizes = [rng.randint(1, 3) for _ in delivered]
    table = rows_of({"process_name": "never", **start(guid="another")}, *delivered)
    (row,) = complete(rows_of(asked), in_batches(table, [1, *sizes]), LOOKBACK).to_pylist()
    best = None
    for one in records:
        same = all(one[name] == asked[name] for name in ("tenant_id", "host_id", "process_guid"))
        age = int(asked["event_time"][20:26]) - int(one["event_time"][20:26])
        if same and 0 <= age <= LOOKBACK:
            text = json.dumps(one | {"event_time": -age}, sort_keys=True)
            order = (age, one["event_id"], text)
            best = min(best or (order, one), (order, one), key=lambda item: item[0])
    assert row["process_name"] == (best and best[1]["process_name"])
    assert row["start_event_id"] == (best and best[1]["event_id"])


@pytest.mark.parametrize("age", [0, LOOKBACK])
def test_a_start_of_the_same_microsecond_and_one_exactly_as_old_as_the_lookback_describe(age: int) -> None:
    row = completed(connection(10), start(10 - age, process_name="curl"))
    assert (row["process_name"], row["start_time"]) == ("curl", row["event_time"] - age)


@pytest.mark.parametrize("age", [-1, LOOKBACK + 1])
def test_a_start_a_microsecond_later_than_the_event_or_too_old_describes_nothing(age: int) -> None:
    row = completed(connection(10), start(10 - age, process_name="curl"))
    assert (row["process_name"], row["start_event_id"], row["start_time"]) == (None, None, None)


def test_only_the_latest_start_is_read_no_older_one_fills_its_gaps() -> None:
    row = completed(connection(3), start(0, process_name="old", user_name="ann"), start(1, process_name="new"))
    assert (row["process_name"], row["user_name"]) == ("new", None)


def test_what_an_event_says_is_never_replaced_and_what_it_lacks_is_filled_in_column_by_column() -> None:
    texts = {name: f"start {name}" for name in OF_PROCESS if name not in ("process_pid", "os", "process_name")}
    described = start(process_name="start", process_pid=7, os="linux", **texts)
    row = completed(connection(process_name="event", os="other", user_name="ann"), described)
    assert (row["process_name"], row["os"]) == ("event", "other")
    assert row["user_name"] == "ann"
    assert row["process_pid"] == 7
    assert row["parent_process_command_line"] == "start parent_process_command_line"


@pytest.mark.parametrize(
    ("said", "of_start", "expected"),
    [
        ((None, None), ("signed", "Ann"), ("signed", "Ann")),
        (("odd", "Eve"), ("unsigned", None), ("unsigned", None)),
        ((None, "Eve"), ("signed", None), ("signed", None)),
        (("odd", "Eve"), ("odd", "Ann"), ("unknown", "Eve")),
        ((None, "Eve"), (None, "Ann"), (None, "Eve")),
        (("signed", None), ("signed", "Ann"), ("signed", None)),
    ],
)
def test_a_signature_is_taken_as_a_pair_from_a_start_that_knows_it(
    said: tuple[str | None, str | None], of_start: tuple[str | None, str | None], expected: tuple[str | None, ...]
) -> None:
    columns = ("process_signature_status", "process_signer")
    event, described = (dict(zip(columns, pair, strict=True)) for pair in (said, of_start))
    row = completed(connection(**event), start(process_name="a", **described))
    assert tuple(row[name] for name in columns) == expected


def test_the_id_of_an_event_is_that_of_the_event_as_it_came() -> None:
    event = connection(event_id=None)
    (as_it_came,) = rows_of(event).to_pylist()
    row = completed(event, start(process_name="a", event_id=None))
    assert row["event_id"] == event_id(as_it_came)
    assert len(row["start_event_id"]) == 64


@quick
@given(
    st.dictionaries(
        st.sampled_from(["process_name", "user_name", "remote_host"]),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_canonical_json_is_that_of_the_standard_library(details: dict[str, str]) -> None:
    assert canonical_json(details) == json.dumps(details, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def test_what_was_normalised_before_is_not_normalised_again() -> None:
    """`unknown` would become missing, and a host lose a second port."""
    table = complete(rows_of(connection(process_signature_status="odd", remote_host="t.me:1:2")), (), LOOKBACK)
    events = EventRows(table).events("default")
    assert events.text("process_signature_status").at(0) == "unknown"
    assert events.text("remote_host").at(0) == "t.me:1"


WHOLE: Record = {
    **{name: "x" for name in OF_PROCESS if name != "process_pid"},
    "process_pid": 1,
    "process_signature_status": "signed",
}


@pytest.mark.parametrize("name", [*OF_PROCESS, "process_signature_status"])
def test_an_event_that_lacks_one_column_lacks_its_process(name: str) -> None:
    less = WHOLE | {name: None} | ({"process_path": None} if name == "process_name" else {})  # a path would name it
    events = events_of(connection(**WHOLE), connection(**less), connection(guid="-", process_name="a"))
    assert lack_process(events, np.arange(3)).tolist() == [False, True, False]


def test_an_event_whose_signature_is_unknown_lacks_its_process() -> None:
    events = events_of(connection(**WHOLE | {"process_signature_status": "odd"}))
    assert lack_process(events, np.arange(1)).tolist() == [True]


KEEPER = Keeper(Engines(CATALOGUE), lambda text: text.replace("secret", "[redacted:x]"))
RECOGNISER = Recogniser(Destinations(CATALOGUE), Identities(CATALOGUE))


@pytest.mark.parametrize(
    "described",
    [
        {"process_name": "python3.11", "process_command_line": "python3.11 /opt/a.py secret"},
        {"process_name": "python3.11", "process_command_line": "python3.11 -c secret"},
        {"process_name": "bash", "causality_process_name": "node", "causality_process_command_line": "node -e secret"},
        {"process_name": "curl", "process_command_line": "curl secret"},
    ],
)
def test_a_start_that_a_snapshot_kept_gives_the_identity_of_the_start_itself_without_its_secrets(
    described: Record,
) -> None:
    starts = rows_of(start(os="linux", **described), start(1, "another", process_name="a"))
    kept = KEEPER.kept(recent_starts([starts], MOMENT * 2, MOMENT * 2))
    assert "secret" not in json.dumps(kept.to_pylist())
    identities = []
    for table in (starts, kept_starts(kept), kept_starts(KEEPER.kept(kept_starts(kept)))):
        events = EventRows(complete(rows_of(connection(2)), in_batches(table, [9]), LOOKBACK)).events("default")
        found = recognise(RECOGNISER, events, events.valid, unfinished=False)
        identities.append((found.communications.identities, found.executions[2]))
    assert identities[0] == identities[1] == identities[2]
    assert identities[0][0][0].name == described["process_name"]


def test_of_each_instance_the_last_start_before_the_snapshot_is_kept_if_it_is_not_too_old() -> None:
    as_of = rows_of(start(5)).column("event_time")[0].as_py()
    starts = rows_of(
        *(start(n, process_name=f"p{n}") for n in (0, 1, 3, 5)),
        *(start(n, "old", process_name=f"p{n}") for n in (0,)),
        *(start(n, "edge", process_name=f"p{n}") for n in (1,)),
    )
    kept = recent_starts([starts.slice(0, 2), starts.slice(2)], as_of, 4).select(["process_guid", "process_name"])
    assert sorted(map(tuple, (row.values() for row in kept.to_pylist()))) == [("edge", "p1"), ("g", "p3")]
