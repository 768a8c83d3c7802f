"""Names of hosts, from lists beside the events. Engines: Beam's in-process one (`FnApiRunner`), a simulated one."""

from __future__ import annotations

import gzip
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import Options
from tests.running import configuration_of, run_records
from tests.transforms.rules.stream.driving import drive
from uncommon_im.pipeline.sources.host_names import HostNameOptions
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.activities.host_names import HostNames
from uncommon_im.transforms.rules.columns.days import DAY_US, rfc3339
from uncommon_im.transforms.rules.stream.lateness import Lateness

AID, OTHER = "5c0ffee05c0ffee05c0ffee05c0ffee0", "5c0ffee05c0ffee05c0ffee05c0ffee1"
NOON = 20_500 * DAY_US + DAY_US // 2
EVENT = {
    "event_time": rfc3339(NOON),
    "host_id": AID,
    "process_name": "courier",
    "remote_host": "api.telegram.org",
}
AT_ONCE = Options(activation_days=0)


def master(**fields: Any) -> dict[str, Any]:
    return {"aid": AID, "ComputerName": "DESK-51", "Time": "1772359206.5", "event_platform": "Win"} | fields


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def names_in(*paths: Path | str) -> dict[str, str]:
    return dict(HostNameOptions(tuple(map(str, paths))).read().names)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# Lists


def test_aidmaster_names_hosts_in_many_packed_files(tmp_path: Path) -> None:
    for number, aid in enumerate((AID, OTHER)):
        folder = tmp_path / f"batch-{number}"
        folder.mkdir()
        written(folder / "part-00000.gz", gzip.compress(lines(master(aid=aid, ComputerName=f"DESK-{number}"))))
        written(folder / "_SUCCESS", b"")
    assert names_in(tmp_path / "**") == {AID: "DESK-0", OTHER: "DESK-1"}


@pytest.mark.parametrize("text", ["host_id,host_name\n{},DESK-51\n", "\ufeffhost_name;host_id\nDESK-51;{}\n"])
def test_a_table_of_two_columns_names_hosts(tmp_path: Path, text: str) -> None:
    assert names_in(written(tmp_path / "hosts.csv", text.format(AID).encode())) == {AID: "DESK-51"}


def test_a_lookup_table_of_falcon_names_hosts(tmp_path: Path) -> None:
    text = f'"aid","ComputerName","MachineDomain","Time"\n"{AID}","DESK-51","example.org","1772359206"\n'
    assert names_in(written(tmp_path / "aid_master.csv", text.encode())) == {AID: "DESK-51"}


def test_ids_that_are_numbers_and_a_list_in_an_array_are_read(tmp_path: Path) -> None:
    content = json.dumps([{"host_id": 17, "host_name": "seventeen"}], indent=1).encode()
    assert names_in(written(tmp_path / "hosts.json", content)) == {"17": "seventeen"}


def test_the_latest_record_of_a_host_counts_and_of_equal_ones_the_last(tmp_path: Path) -> None:
    told = [master(), master(ComputerName="OLD", Time="1772359206.4"), master(ComputerName="LAST")]
    assert names_in(written(tmp_path / "a.jsonl", lines(*told))) == {AID: "LAST"}
    untold = [master(ComputerName="FIRST", Time=None), master(ComputerName="SECOND", Time="yesterday")]
    assert names_in(written(tmp_path / "b.jsonl", lines(*untold))) == {AID: "SECOND"}


def test_a_later_record_without_a_name_takes_none_away(tmp_path: Path) -> None:
    told = [master(), master(ComputerName="", Time="1772359300"), master(ComputerName="N/A", Time="1772359301")]
    assert names_in(written(tmp_path / "a.jsonl", lines(*told))) == {AID: "DESK-51"}


def test_it_says_how_many_hosts_have_names(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        names_in(written(tmp_path / "a.jsonl", lines(master(), master(aid=OTHER), master())))
        names_in()
    assert [record.message for record in caplog.records] == ["--host-names: 2 hosts have names"]


# What is wrong


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lines(master()) + b"{half\n", "hosts, record 2: it is no record of a host: "),
        (lines(master()) + b"\n[1]\n", "hosts, record 3: it is no record of a host: "),
        (lines(master(ComputerName=["x"])), "hosts, record 1: it is no record of a host: "),
        (lines(master(), master(aid=" ")), "hosts, record 2: it has neither host_id nor aid"),
        (b"name,id\nx,y\n", "hosts, record 1: it has neither host_id nor aid"),
        (lines(master(ComputerName=None)), "hosts: no record has a name of a host"),
        (b"", "hosts: no record has a name of a host"),
        (gzip.compress(lines(master()), mtime=0)[:-20], "hosts, record 1: cannot be read from record 1 on: Compressed"),
        (b"%PDF-1.7\n", "hosts, record 1: cannot be read from record 1 on: it is a PDF document"),
    ],
)
def test_what_names_no_hosts_is_an_error_that_says_where(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        names_in(written(tmp_path / "hosts", content))
    assert f"--host-names {tmp_path}/{problem}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_member_of_a_zip_file_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hosts.zip", "w") as packed:
        packed.writestr("good.jsonl", lines(master()))
        packed.writestr("bad.jsonl", b"nothing\n")
    with pytest.raises(ConfigurationError, match=r"hosts\.zip!bad\.jsonl, record 1: "):
        names_in(tmp_path / "hosts.zip")


def test_a_list_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--host-names .*/none\*: matches no file"):
        names_in(tmp_path / "none*")


# What they change


def test_an_alert_of_a_backfill_has_the_name_of_the_list_and_nothing_else_changes() -> None:
    bare = run_records([EVENT], configuration_of(AT_ONCE, evidence=5))
    named = run_records([EVENT], configuration_of(AT_ONCE, evidence=5, host_names=HostNames({AID: "DESK-51"})))
    (before,), (after,) = bare.alerts, named.alerts
    assert (before["host"]["name"], after["host"]["name"]) == (None, "DESK-51")
    assert after["host"]["id"] == AID
    assert after["description"] == before["description"].replace(AID, "DESK-51")
    same = before.keys() - {"host", "description", "steps", "activity", "run_id"}
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert bare.verdict_rows == named.verdict_rows


def test_an_alert_keeps_the_name_that_its_event_says() -> None:
    names = HostNames({AID: "DESK-51"})
    (alert,) = run_records([EVENT | {"host_name": "own"}], configuration_of(AT_ONCE, host_names=names)).alerts
    assert alert["host"]["name"] == "own"


def test_ids_are_compared_without_case_and_hosts_that_are_not_listed_have_no_name(tmp_path: Path) -> None:
    names = HostNameOptions((str(written(tmp_path / "a.jsonl", lines(master(aid=AID.upper())))),)).read()
    events = [EVENT | {"host_id": AID.upper()}, EVENT | {"host_id": OTHER}]
    alerts = run_records(events, configuration_of(AT_ONCE, host_names=names)).alerts
    assert {alert["host"]["id"]: alert["host"]["name"] for alert in alerts} == {AID.upper(): "DESK-51", OTHER: None}


def test_the_rules_of_the_stream_give_the_same_alert() -> None:
    configuration = configuration_of(AT_ONCE, host_names=HostNames({AID: "DESK-51"}))
    (of_backfill,) = run_records([EVENT], configuration).alerts
    (of_stream,) = drive([(EVENT, NOON)], configuration, Lateness(0, DAY_US, 30), 1).engine.alerts
    assert of_stream | {"activity": None} == of_backfill | {"activity": None}


def test_names_are_no_part_of_the_config_digest() -> None:
    bare, named = (configuration_of(AT_ONCE, **more) for more in ({}, {"host_names": HostNames({AID: "DESK-51"})}))
    assert (bare.digest, bare.identity_digest) == (named.digest, named.identity_digest)
