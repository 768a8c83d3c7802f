"""Telemetry in the shape of a sensor: what it leaves out, its processes' instances and their starts. No Beam engine."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.lab.simulation import Scenario, SimulationSummary, simulate
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.sensors import SENSORS, GuidForm, SensorName, guids_of
from uncommon_im.schemas.event import EVENT_COLUMNS

Row = dict[str, Any]
Instance = tuple[str, str]

TELLING = [name for name in get_args(SensorName) if SENSORS[name].guid]
HOSTS, DAYS, SEED = 40, 12, 7
XDR_OF_SEED_3 = "0c2dd3df97657a8f79de53ebf45a43bba9e0b0c2d7fcc0230796c05d0a64c11f"
"""Digest of the events and labels of 6 hosts over 4 days."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimulationSummary]:
    """The same organisation, thinned, in the shape of each sensor."""
    return {
        name: simulate(
            str(tmp_path_factory.mktemp(name)), Scenario(HOSTS, DAYS, SEED, background="thinned", sensor=name)
        )
        for name in get_args(SensorName)
    }


@pytest.fixture(scope="module")
def tables(made: dict[str, SimulationSummary]) -> dict[str, pa.Table]:
    return {name: pq.read_table(summary.files) for name, summary in made.items()}


@pytest.fixture(scope="module")
def starts(tables: dict[str, pa.Table]) -> dict[Instance, set[datetime]]:
    """When the starts of each (host, guid) are."""
    found = defaultdict(set)
    events = tables["elastic"]
    for row in events.filter(pc.equal(events["event_type"], "process")).to_pylist():
        found[row["host_id"], row["process_guid"]].add(row["event_time"])
    return found


def of_one_delivery(events: pa.Table) -> dict[str, Row]:
    """The rows by their ids."""
    return {row["event_id"]: row for row in events.to_pylist()}


def test_the_shape_of_cortex_xdr_is_what_it_was_before_there_were_others(tmp_path: Path) -> None:
    summary = simulate(str(tmp_path), Scenario(6, 4, 3))
    digest = hashlib.sha256()
    for line in Path(summary.labels_file).read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        del label["class"]  # classes came later
        digest.update(json.dumps(label).encode() + b"\n")
    for row in pq.read_table(summary.files).to_pylist():
        digest.update(json.dumps(row, default=str).encode())
    assert digest.hexdigest() == XDR_OF_SEED_3


def test_labels_are_the_same_for_all_sensors(made: dict[str, SimulationSummary]) -> None:
    assert len({Path(summary.labels_file).read_bytes() for summary in made.values()}) == 1


def test_the_same_connections_and_lookups_are_told_by_all_sensors(tables: dict[str, pa.Table]) -> None:
    same = ["event_id", "event_time", "host_id", "remote_host", "remote_ip", "dns_status", "arrival_time"]
    told = {
        name: events.filter(pc.not_equal(events["event_type"], "process")).select(same).sort_by("event_id")
        for name, events in tables.items()
    }
    assert all(events.equals(told["xdr"]) for events in told.values())


def test_planted_events_are_told_by_all_sensors(
    made: dict[str, SimulationSummary], tables: dict[str, pa.Table]
) -> None:
    planted = {event_id for label in made["xdr"].labels for event_id in label["event_ids"]}
    assert planted
    for events in tables.values():
        assert planted <= set(events["event_id"].to_pylist())


@pytest.mark.parametrize("name", TELLING)
def test_a_sensor_leaves_out_what_its_document_says_and_nothing_else(name: str, tables: dict[str, pa.Table]) -> None:
    whole, told = tables["xdr"], of_one_delivery(tables[name])
    compared = 0
    for event_id, row in of_one_delivery(whole).items():
        if event_id in told:
            without = SENSORS[name].without[row["event_type"]]
            expected = row | dict.fromkeys(without)
            found = {column: told[event_id][column] for column in row}
            assert found | {"process_pid": 0} == expected | {"process_pid": 0}
            assert (told[event_id]["process_pid"] is None) == ("process_pid" in without)
            compared += 1
    assert compared > len(whole) / 2


def test_documents_of_sensors_leave_out_columns_of_processes_and_users() -> None:
    for sensor in SENSORS.values():
        for columns in sensor.without.values():
            assert set(columns) <= set(EVENT_COLUMNS)
            assert all("process_" in column or column == "user_name" for column in columns)


@pytest.mark.parametrize("name", TELLING)
def test_columns_of_events_with_instances_are_native(name: str, tables: dict[str, pa.Table]) -> None:
    native = [column for column in EVENT_COLUMNS if column not in ("tenant_id", "failed")]
    assert sorted(tables[name].column_names) == sorted([*native, "arrival_time"])
    assert "process_guid" not in tables["xdr"].column_names


@pytest.mark.parametrize(("name", "share"), [("sysmon", p.start_share), ("xdr", p.process_start_share)])
def test_starts_are_a_share_of_the_events_as_documented(name: SensorName, share: float, tmp_path: Path) -> None:
    full = simulate(str(tmp_path), Scenario(20, 5, SEED, sensor=name))
    assert full.events_by_type["process"] / full.events == pytest.approx(share, rel=0.1)


def test_no_connection_or_lookup_is_before_the_start_of_its_process(
    tables: dict[str, pa.Table], starts: dict[Instance, set[datetime]]
) -> None:
    events = tables["elastic"]
    seen = unseen = 0
    for row in events.filter(pc.not_equal(events["event_type"], "process")).to_pylist():
        assert row["process_guid"]
        found = starts.get((row["host_id"], row["process_guid"]))
        if found is None:
            unseen += 1
        else:
            assert min(found) <= row["event_time"]
            seen += 1
    assert 0 < unseen < 0.2 * seen


def test_what_starts_is_what_connects(tables: dict[str, pa.Table]) -> None:
    paths = defaultdict(set)
    for row in tables["elastic"].select(["host_id", "process_guid", "process_path", "user_name", "os"]).to_pylist():
        paths[row["host_id"], row["process_guid"]].add((row["process_path"], row["user_name"], row["os"]))
    several = [found for found in paths.values() if len(found) > 1]
    assert len(several) <= 1  # code that was injected into another version of a client


def test_instances_are_of_one_host(tables: dict[str, pa.Table]) -> None:
    pairs = tables["elastic"].select(["host_id", "process_guid"]).group_by(["host_id", "process_guid"]).aggregate([])
    assert len(pairs) == len(set(pairs["process_guid"].to_pylist()))


def test_process_ids_are_used_again_by_other_instances_of_a_host(tables: dict[str, pa.Table]) -> None:
    users = defaultdict(set)
    ids = defaultdict(set)
    for row in tables["sysmon"].select(["host_id", "process_guid", "process_pid"]).to_pylist():
        users[row["host_id"], row["process_pid"]].add(row["process_guid"])
        ids[row["host_id"], row["process_guid"]].add(row["process_pid"])
    assert max(map(len, users.values())) > 1
    assert {len(found) for found in ids.values()} == {1}


def test_some_processes_run_for_days_and_some_for_seconds(
    tables: dict[str, pa.Table], starts: dict[Instance, set[datetime]]
) -> None:
    ages: dict[str, list[timedelta]] = defaultdict(list)
    for row in tables["elastic"].to_pylist():
        begin = min(starts.get((row["host_id"], row["process_guid"]), {row["event_time"]}))
        ages[row["process_name"]].append(row["event_time"] - begin)
    assert max(ages["slack.exe"]) > timedelta(days=1)
    assert max(ages["grafana-server"]) > timedelta(days=5)
    assert timedelta(0) < max(ages["curl"]) < timedelta(seconds=5)


def test_hosts_that_were_on_before_their_sensor_tell_no_start_of_what_ran(
    tables: dict[str, pa.Table], starts: dict[Instance, set[datetime]]
) -> None:
    first = tables["elastic"].slice(0, 2000).to_pylist()
    unseen, seen = (
        {row["host_id"] for row in first if row["event_type"] != "process" and (instance_of(row) in starts) == told}
        for told in (False, True)
    )
    assert unseen
    assert seen - unseen


def instance_of(row: Row) -> Instance:
    """The (host, guid) of an event."""
    return row["host_id"], row["process_guid"]


def test_some_starts_come_late_and_some_twice(tables: dict[str, pa.Table]) -> None:
    events = tables["elastic"]
    starts = events.filter(pc.equal(events["event_type"], "process"))
    delays = [row["arrival_time"] - row["event_time"] for row in starts.to_pylist()]
    assert sum(delay > timedelta(minutes=10) for delay in delays) / len(delays) == pytest.approx(p.late_share, rel=0.2)
    twice = 1 - len(set(starts["event_id"].to_pylist())) / len(starts)
    assert twice == pytest.approx(p.duplicate_share, rel=0.3)


def test_a_thinned_background_tells_the_same_instances_of_what_detectors_read(tmp_path: Path) -> None:
    full, part = (
        of_one_delivery(pq.read_table(simulate(str(tmp_path / background), scenario).files))
        for background in ("full", "thinned")
        for scenario in [Scenario(12, 3, SEED, background=background, sensor="crowdstrike")]
    )
    assert all(full[event_id] == row for event_id, row in part.items())
    assert len(part) < len(full) / 2


@given(
    st.sets(st.integers(1, 2**64 - 1), min_size=1, max_size=50),
    st.sampled_from(get_args(GuidForm)),
)
def test_names_of_instances_are_different_and_already_normalised(numbers: set[int], form: GuidForm) -> None:
    names = guids_of(np.array(sorted(numbers), dtype=np.uint64), form).to_pylist()
    assert len(set(names)) == len(numbers)
    assert all(name == name.strip().lower().strip("{}") and name.strip("0-") for name in names)


def test_a_sensor_is_chosen_by_option(tmp_path: Path) -> None:
    command = ["simulate", "--output", str(tmp_path / "made"), "--hosts", "3", "--days", "2", "--sensor", "crowdstrike"]
    assert main(command) == 0
    events = pq.read_table(tmp_path / "made" / "events")
    connections = events.filter(pc.equal(events["event_type"], "network"))
    assert connections["process_name"].null_count == len(connections) > 0
    assert connections["process_guid"].null_count == 0


def test_an_unknown_sensor_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--output", str(tmp_path / "made"), "--sensor", "abacus"]) == 2
    assert "abacus" in capsys.readouterr().err
