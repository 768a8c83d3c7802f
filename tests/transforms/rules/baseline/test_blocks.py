"""Tables as bytes, cut into shards."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import activities, activity, quick, rows_of, sightings
from uncommon_im.transforms.rules.baseline import blocks
from uncommon_im.transforms.rules.baseline.tables import ACTIVITY_SCHEMA, SIGHTING_SCHEMA, coded, plain

ROWS = st.lists(
    st.tuples(st.just("t"), st.sampled_from("xyzü"), st.sampled_from(["h1", "h2", "h3", "h4"]), st.integers(0, 9))
)


def test_activities_come_back_as_they_were_missing_values_included() -> None:
    table = activities(activity(total_sent=5), activity(fingerprint="python|stdin", excepted=True, remote_port=443))
    found = blocks.decode([blocks.encode(table)], ACTIVITY_SCHEMA)
    assert found.schema == ACTIVITY_SCHEMA
    assert found.to_pylist() == table.to_pylist()


@pytest.mark.parametrize("schema", [ACTIVITY_SCHEMA, SIGHTING_SCHEMA])
def test_no_blocks_and_empty_blocks_are_an_empty_table(schema: pa.Schema) -> None:
    empty = schema.empty_table()
    for given_blocks in ([], [blocks.encode(empty)], [blocks.encode(empty)] * 2):
        found = blocks.decode(given_blocks, schema)
        assert (found.schema, found.num_rows) == (schema, 0)


@quick
@given(st.lists(ROWS, max_size=3))
def test_decoding_joins_all_blocks_in_one_chunk(parts: list[list[tuple[str, str, str, int]]]) -> None:
    found = blocks.decode([blocks.encode(sightings(part)) for part in parts], SIGHTING_SCHEMA)
    assert [tuple(row.values()) for row in found.to_pylist()] == [row for part in parts for row in part]
    assert all(column.num_chunks <= 1 for column in found.columns)


@quick
@given(ROWS, st.integers(1, 5), st.booleans())
def test_every_row_goes_to_one_block_of_its_shard(
    rows: list[tuple[str, str, str, int]], shards: int, by_host: bool
) -> None:
    table = sightings(rows)
    numbers = blocks.host_shards(table, shards) if by_host else blocks.subject_shards(table, shards)
    cut = [(shard, blocks.decode([block], SIGHTING_SCHEMA)) for shard, block in blocks.cut(table, numbers)]
    assert rows_of(pa.concat_tables([SIGHTING_SCHEMA.empty_table(), *(part for _, part in cut)])) == sorted(rows)
    assert len({shard for shard, _ in cut}) == len(cut)
    assert all(0 <= shard < shards and part.num_rows for shard, part in cut)
    shard_of = {shard: set(part.column("host" if by_host else "subject").to_pylist()) for shard, part in cut}
    assert sum(map(len, shard_of.values())) == len({row[2 if by_host else 1] for row in rows})


def test_a_hosts_shard_is_the_same_alone_and_in_a_table() -> None:
    hosts = [f"h{number}" for number in range(50)]
    table = sightings([("t", "s", host, 1) for host in hosts])
    alone = [blocks.host_shard(host, 7) for host in hosts]
    assert blocks.host_shards(table, 7).tolist() == alone
    assert len(np.unique(alone)) > 1


SCHEMA = pa.schema([("a", pa.string()), ("b", pa.int64()), ("c", pa.string()), ("d", pa.bool_())])
VALUES = st.fixed_dictionaries(
    {
        "a": st.none() | st.text(max_size=3),
        "b": st.none() | st.integers(-9, 9),
        "c": st.none(),
        "d": st.none() | st.booleans(),
    }
)


@quick
@given(st.lists(st.lists(VALUES, max_size=3), max_size=4), st.sets(st.sampled_from(SCHEMA.names), min_size=1))
def test_columns_without_values_take_no_room_and_come_back(
    parts: list[list[dict[str, object]]], names: set[str]
) -> None:
    tables = [pa.Table.from_pylist(part, SCHEMA) for part in parts]
    encoded = [blocks.encode(table) for table in tables]
    wanted = [name for name in SCHEMA.names if name in names]
    expected = pa.concat_tables([SCHEMA.empty_table(), *tables]).select(wanted)
    assert blocks.decode(encoded, SCHEMA, names).equals(expected.combine_chunks())


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_blocks_of_either_compression_are_decoded(compression: blocks.Compression) -> None:
    table = pa.table([["x"] * 5000, list(range(5000)), [None] * 5000, [True, None] * 2500], schema=SCHEMA)
    block = blocks.encode(table, compression)
    assert "c" not in pa.ipc.open_stream(block).schema.names
    assert len(block) < table.nbytes
    assert blocks.decode([block], SCHEMA).equals(table)
    assert blocks.decode([block], SCHEMA, ["c"]).column("c").null_count == 5000


@quick
@given(
    st.lists(st.lists(VALUES, max_size=3), min_size=1, max_size=4), st.sets(st.sampled_from(SCHEMA.names), min_size=1)
)
def test_tables_kept_as_they_are_held_come_back_part_by_part_each_with_codes_of_its_own(
    parts: list[list[dict[str, object]]], names: set[str]
) -> None:
    tables = [pa.Table.from_pylist(part, SCHEMA) for part in parts]
    block = blocks.encode_as_held([coded_table(table) for table in tables])
    wanted = [name for name in SCHEMA.names if name in names]
    found = [plain(part) for part in blocks.parts(block, SCHEMA, names)]
    assert [part.column_names for part in found] == [wanted] * len(found)
    rows = [row for table in tables for row in table.to_pylist()]
    assert [row for part in found for row in part.to_pylist()] == [{name: row[name] for name in wanted} for row in rows]
    assert blocks.decode([block], SCHEMA).to_pylist() == rows


def coded_table(table: pa.Table) -> pa.Table:
    return table.cast(coded(table.schema))
