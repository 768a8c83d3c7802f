"""The simulated organisation: reproducible, labelled, in the detector's own columns, and mostly ordinary."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from tests import ROOT
from uncommon_im.pipeline.lab.simulation import Scenario, SimulationSummary, simulate
from uncommon_im.pipeline.lab.simulation.organisation.organisation import build_organisation
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p

Row = dict[str, Any]

CATALOGUE = ROOT / "schemas" / "catalogue"
HOSTS, DAYS, SEED = 60, 45, 11
COLUMNS = (
    "event_id event_time event_type host_id host_name user_name os process_name process_path process_command_line "
    "process_sha256 process_signature_status process_signer process_pid parent_process_name "
    "parent_process_command_line causality_process_name causality_process_command_line remote_host remote_ip "
    "remote_port protocol direction bytes_sent bytes_received dns_status arrival_time"
)
NUMBERS = {"process_pid", "remote_port", "bytes_sent", "bytes_received", "dns_status"}


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate(str(tmp_path_factory.mktemp("simulated")), Scenario(HOSTS, DAYS, SEED, background="thinned"))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate(str(tmp_path_factory.mktemp("full")), Scenario(HOSTS, DAYS, SEED))


@pytest.fixture(scope="module")
def rows(summary: SimulationSummary) -> list[Row]:
    return [row for name in summary.files for row in pq.read_table(name).to_pylist()]


def columns_of(made: SimulationSummary, *names: str) -> pa.Table:
    """Some columns of all files."""
    return pa.concat_tables(pq.read_table(name, columns=list(names)) for name in made.files)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((CATALOGUE / "services.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def is_messenger(services: dict[str, Any]) -> Callable[[str | None], bool]:
    """Whether a host name belongs to a messenger: a plain reading of the catalogue."""
    suffixes, exact = set(), set()
    for service in services["services"]:
        hosts = service.get("hosts", {})
        suffixes |= {*hosts.get("suffix", ()), *hosts.get("cdn", ())}
        exact |= {*hosts.get("exact", ()), *(api["host"] for api in hosts.get("api", ()))}
    excluded = {entry["host"].removeprefix("*.") for entry in services["exclusions"]}

    def match(host: str | None) -> bool:
        if host is None:
            return False
        labels = host.split(".")
        ends = {".".join(labels[n:]) for n in range(len(labels))}
        return bool(host in exact or ends & suffixes) and not ends & excluded

    return match


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    first = simulate(str(tmp_path / "a"), Scenario(6, 4, 3))
    second = simulate(str(tmp_path / "b"), Scenario(6, 4, 3))
    assert [Path(name).name for name in first.files] == [Path(name).name for name in second.files]
    for one, other in zip(first.files, second.files, strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()
    assert Path(first.labels_file).read_bytes() == Path(second.labels_file).read_bytes()


def test_another_seed_gives_other_events(tmp_path: Path) -> None:
    one = simulate(str(tmp_path / "a"), Scenario(6, 2, 3))
    other = simulate(str(tmp_path / "b"), Scenario(6, 2, 4))
    assert not pq.read_table(one.files[0]).drop(["event_id"]).equals(pq.read_table(other.files[0]).drop(["event_id"]))


def test_one_file_a_day_in_order_of_time(summary: SimulationSummary) -> None:
    assert [Path(name).name for name in summary.files] == [
        f"dt={p.first_day + timedelta(days=n)}.parquet" for n in range(DAYS)
    ]
    for n, name in enumerate(summary.files):
        times = pq.read_table(name, columns=["event_time"]).column(0).to_pylist()
        start = datetime.combine(p.first_day + timedelta(days=n), time(), UTC)
        assert times == sorted(times)
        assert start <= times[0] <= times[-1] < start + timedelta(days=1)


def test_columns_and_types_are_the_native_ones(summary: SimulationSummary) -> None:
    schema = pq.read_schema(summary.files[0])
    assert schema.names == COLUMNS.split()
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name in ("event_time", "arrival_time"):
            assert kind == pa.timestamp("us", tz="UTC")
        else:
            assert kind == (pa.int64() if name in NUMBERS else pa.string()), name


def test_records_are_complete(rows: list[Row]) -> None:
    always = [
        "event_id",
        "host_id",
        "host_name",
        "user_name",
        "process_name",
        "process_path",
        "process_sha256",
        "process_command_line",
        "process_pid",
        "parent_process_name",
        "causality_process_name",
    ]
    for row in rows:
        assert all(row[name] for name in always), row
        assert row["os"] in {"windows", "macos", "linux"}
        assert row["process_signature_status"] in {"signed", "unsigned", "unknown"}
        assert (row["process_signer"] is not None) == (row["process_signature_status"] == "signed")
        assert "{" not in row["process_path"]
        if row["event_type"] == "process":
            assert row["remote_host"] is row["remote_ip"] is row["direction"] is row["bytes_sent"] is None
        else:
            assert row["remote_host"] or row["remote_ip"], row
        assert (row["dns_status"] is not None) == (row["event_type"] == "dns")


def test_volume_and_kinds_are_as_documented(full: SimulationSummary) -> None:
    kinds = columns_of(full, "event_type", "dns_status")
    assert full.events == len(kinds)
    assert full.events_by_type == {
        row["values"]: row["counts"] for row in kinds["event_type"].value_counts().to_pylist()
    }
    built = build_organisation(HOSTS, DAYS, SEED, p.first_day)
    assert full.events == pytest.approx(built.presence.sum() * p.events_per_working_day, rel=0.06)
    assert full.events_by_type["process"] == pytest.approx(full.events * p.process_start_share, rel=0.1)
    failed = pc.sum(pc.greater(kinds["dns_status"], 0)).as_py()
    assert 0.05 < failed / full.events_by_type["dns"] < 0.25


def test_weekends_are_quieter(full: SimulationSummary) -> None:
    table = columns_of(full, "event_time", "host_id")
    people = table.filter(pc.invert(pc.starts_with(table["host_id"], "srv-")))
    weekday = pc.day_of_week(people["event_time"])
    weekend = pc.sum(pc.greater_equal(weekday, 5)).as_py()
    assert 0 < weekend / 2 < 0.3 * (len(people) - weekend) / 5


def test_messaging_is_a_small_share(full: SimulationSummary, is_messenger: Callable[[str | None], bool]) -> None:
    hosts = columns_of(full, "remote_host")["remote_host"].value_counts().to_pylist()
    share = sum(row["counts"] for row in hosts if is_messenger(row["values"])) / full.events
    assert 0.005 < share < 0.015  # resolvers' lookups included


def test_every_host_of_the_organisation_and_of_a_label_has_events(summary: SimulationSummary, rows: list[Row]) -> None:
    seen = {row["host_id"] for row in rows}
    assert len(seen) == HOSTS
    assert {row["os"] for row in rows} == {"windows", "macos", "linux"}
    for label in summary.labels:
        assert label["hosts"]
        assert set(label["hosts"]) <= seen


def test_labels_tell_which_events_were_planted(summary: SimulationSummary, rows: list[Row]) -> None:
    lines = Path(summary.labels_file).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == summary.labels
    by_id = {row["event_id"]: row for row in rows}
    for label in summary.labels:
        planted = [by_id[event_id] for event_id in label["event_ids"]]
        assert len(planted) == label["events"] > 0
        assert {row["host_id"] for row in planted} == set(label["hosts"])
        times = [row["event_time"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for row in planted]
        assert (min(times), max(times)) == (label["first_event"], label["last_event"])
        assert any(row["event_type"] == "network" for row in planted)


def test_campaigns_reach_messengers_and_wait_for_the_baseline(
    summary: SimulationSummary, rows: list[Row], is_messenger: Callable[[str | None], bool]
) -> None:
    by_id = {row["event_id"]: row for row in rows}
    names = {row["remote_ip"]: {row["remote_host"]} for row in rows if row["remote_host"]}
    begin = datetime.combine(p.first_day + timedelta(days=p.campaign_day), time(), UTC)
    for label in summary.labels:
        for row in (by_id[event_id] for event_id in label["event_ids"]):
            assert row["event_time"] >= begin
            telegram = ipaddress.ip_address(row["remote_ip"] or "::") in ipaddress.ip_network("149.154.160.0/20")
            reached = row["remote_host"] or next(iter(names.get(row["remote_ip"], ())), None)
            assert row["event_type"] == "process" or is_messenger(reached) or telegram


def test_all_campaigns_are_planted_and_say_what_to_expect(summary: SimulationSummary) -> None:
    found = {label["campaign"]: label for label in summary.labels}
    assert len(found) == len(summary.labels)
    assert set(found) == {
        "telegram-stealer", "discord-webhook", "cdn-staging", "false-chrome", "office-child", "low-and-slow",
        "outbreak", "npm-worm", "mac-stealer", "slack-c2", "script-among-scripts", "same-name", "real-telegram",
        "inside-slack", "roll-out", "new-hire", "developer-bot", "messenger-adoption", "client-renamed",
    }  # fmt: skip
    for label in summary.labels:
        assert label["expected_variation"] in {
            "base",
            "suspicious_process",
            "uncommon_scripting_engine",
            "none",
        }
        assert label["why"]
        assert label["title"]
        assert bool(label["technique"].startswith("T")) == label["malicious"] == bool(label["source"])
    assert len(found["outbreak"]["hosts"]) >= 3
    outbreak = [datetime.fromisoformat(found["outbreak"][name]) for name in ("first_event", "last_event")]
    assert outbreak[1] - outbreak[0] < timedelta(hours=1)
    assert len(found["roll-out"]["hosts"]) > 3


def test_ordinary_clients_are_signed_as_the_catalogue_says(
    summary: SimulationSummary, rows: list[Row], services: dict[str, Any]
) -> None:
    publishers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for service in services["services"]:
        for system, names in service.get("clients", {}).items():
            for name in names:
                publishers[system, name.lower()] |= set(service.get("publishers", {}).get(system, ()))
    checked = set()
    planted = {event_id for label in summary.labels for event_id in label["event_ids"]}
    for row in rows:
        known = publishers.get((row["os"], row["process_name"].lower()))
        if known and row["process_signer"] and row["event_id"] not in planted:
            signer = row["process_signer"]
            assert signer in known or signer.rpartition("(")[2].rstrip(")") in known, row
            checked.add(row["process_name"])
    assert len(checked) >= 5


def test_no_other_address_lies_in_a_messengers_range(
    rows: list[Row], services: dict[str, Any], is_messenger: Callable[[str | None], bool]
) -> None:
    ranges = [
        ipaddress.ip_network(entry["cidr"])
        for service in services["services"]
        for entry in service.get("ranges", ())
        if entry["scope"] == "service"
    ]
    named = {row["remote_ip"] for row in rows if row["remote_host"] and not is_messenger(row["remote_host"])}
    for text in named - {None}:
        address = ipaddress.ip_address(text)
        assert not any(address in known for known in ranges if known.version == address.version), text


def test_every_windows_host_asks_for_edge_configuration(rows: list[Row]) -> None:
    days = {(row["host_id"], row["event_time"].date()) for row in rows if row["os"] == "windows"}
    windows = {host for host, count in Counter(host for host, _ in days).items() if count >= 5}
    asked = {row["host_id"] for row in rows if row["remote_host"] == "config.edge.skype.com"}
    assert windows
    assert asked >= windows


@pytest.mark.parametrize("hosts", [1, 2, 5])
def test_small_and_short_organisations_work(tmp_path: Path, hosts: int) -> None:
    made = simulate(str(tmp_path), Scenario(hosts, 1, 0, first_day=date(2025, 12, 31)))
    assert [Path(name).name for name in made.files] == ["dt=2025-12-31.parquet"]
    assert made.events > 0


@pytest.mark.parametrize(("hosts", "days", "seed"), [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_impossible_arguments_are_refused(tmp_path: Path, hosts: int, days: int, seed: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        simulate(str(tmp_path), Scenario(hosts, days, seed))
