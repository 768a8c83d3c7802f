"""Behaviours of the simulated organisation, seen in its telemetry. The backfill runs on Beam's in-process runner."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.lab.simulation import Scenario, SimulationSummary, simulate
from uncommon_im.pipeline.lab.simulation.organisation.organisation import Organisation, build_organisation
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import event_numbers

Row = dict[str, Any]
HOSTS, DAYS, SEED = 150, 45, 5


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate(str(tmp_path_factory.mktemp("simulated")), Scenario(HOSTS, DAYS, SEED, background="thinned"))


@pytest.fixture(scope="module")
def rows(summary: SimulationSummary) -> list[Row]:
    return [row for name in summary.files for row in pq.read_table(name).to_pylist()]


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    return build_organisation(HOSTS, DAYS, SEED, p.first_day)


@pytest.fixture(scope="module")
def labels(summary: SimulationSummary) -> dict[str, Row]:
    return {label["campaign"]: label for label in summary.labels}


def days_of(rows: list[Row], host: str) -> set[date]:
    return {row["event_time"].date() for row in rows if row["host_id"] == host}


def test_offices_work_by_their_own_clocks(rows: list[Row]) -> None:
    hours = defaultdict(list)
    for row in rows:
        if row["process_name"] in ("Slack", "slack.exe", "chrome.exe"):
            hours[row["host_id"][:3]].append(row["event_time"].hour)
    mean = {office: sum(found) / len(found) for office, found in hours.items()}
    assert mean["nyc"] > mean["lon"] + 3 > mean["ham"] + 3


def test_shifts_of_the_support_department_cover_the_night(organisation: Organisation) -> None:
    shifts = {host.shift for host in organisation.hosts if host.department == "support" and not host.is_server}
    assert shifts == set(p.shifts["support"])
    assert {host.shift for host in organisation.hosts if host.department == "sales"} == {"work"}


def test_a_host_that_is_off_says_nothing_and_one_that_is_on_gives_a_sign_of_life(
    summary: SimulationSummary, rows: list[Row], organisation: Organisation
) -> None:
    planted = {event for label in summary.labels for event in label["event_ids"]}
    signs = defaultdict(set)
    for row in rows:
        if row["event_id"] not in planted:
            signs[row["host_id"], row["event_time"].date()].add(row["process_name"])
    off = on = 0
    for host in organisation.hosts:
        for day in range(DAYS):
            found = signs.get((host.host_id, organisation.day(day)), set())
            if organisation.presence[host.index, day]:
                assert found & {"agentd", "agentd.exe"}
                on += 1
            elif found:
                assert found & {"agentd", "agentd.exe"}  # somebody acted there: a machine that is attacked is on
            else:
                off += 1
    assert off > 0.2 * on


def test_new_machines_come_and_some_replace_others(rows: list[Row], organisation: Organisation) -> None:
    joined = [host for host in organisation.hosts if host.joined]
    left = [host for host in organisation.hosts if host.left is not None]
    assert joined
    assert left
    assert {host.user for host in left} <= {host.user for host in joined}
    for host in joined:
        assert min(days_of(rows, host.host_id)) == organisation.day(host.joined)
    for host in left:
        assert max(days_of(rows, host.host_id)) < organisation.day(host.left or 0)


def test_updates_bring_new_hashes_host_by_host(rows: list[Row]) -> None:
    first: dict[str, dict[str, date]] = defaultdict(dict)
    for row in rows:
        if row["process_name"] == "ms-teams.exe":
            first[row["process_sha256"]].setdefault(row["host_id"], row["event_time"].date())
    old, new = sorted(first.values(), key=lambda hosts: min(hosts.values()))
    assert len(old) > 20
    assert min(old.values()) < min(new.values())
    assert len(set(new.values())) > 2


def test_a_client_is_renamed_within_a_wave(rows: list[Row], labels: dict[str, Row]) -> None:
    days = defaultdict(set)
    for row in rows:
        if row["process_name"] in ("WhatsApp.exe", "WhatsApp.Root.exe"):
            days[row["host_id"], row["process_name"]].add(row["event_time"].date())
    renamed = [host for host, name in days if name == "WhatsApp.Root.exe"]
    assert sorted(renamed) == labels["client-renamed"]["hosts"]
    for host in renamed:
        before = days.get((host, "WhatsApp.exe"), {date.min})
        assert max(before) < min(days[host, "WhatsApp.Root.exe"])


def test_a_messenger_spreads_through_one_department(labels: dict[str, Row], organisation: Organisation) -> None:
    adoption = labels["messenger-adoption"]
    departments = {host.host_id: host.department for host in organisation.hosts}
    assert {departments[host] for host in adoption["hosts"]} == {p.adopting_department}
    assert len(adoption["hosts"]) > 5
    assert len(adoption["days"]) > 2


def test_automation_posts_to_webhooks(rows: list[Row]) -> None:
    posting = {
        (row["process_name"], row["host_id"].split("-")[0] == "srv")
        for row in rows
        if row["remote_host"] in ("hooks.slack.com", "corpexample.webhook.office.com")
    }
    assert {("python3.11", True), ("grafana-server", True), ("curl", True), ("powershell.exe", False)} <= posting


def test_developers_have_bots_of_their_own(rows: list[Row]) -> None:
    bots = {
        (row["host_id"], row["process_command_line"])
        for row in rows
        if row["process_command_line"].endswith("index.js") and row["remote_host"]
    }
    assert bots
    assert len({command for _, command in bots}) == len(bots)


def test_agents_fall_silent_for_days_even_on_servers() -> None:
    organisation = build_organisation(1000, DAYS, SEED, p.first_day)
    servers = [host.index for host in organisation.hosts if host.is_server]
    assert 0 < (organisation.presence[servers] == 0).mean() < 0.1


def test_some_events_are_late_and_some_arrive_twice(rows: list[Row]) -> None:
    delays = [row["arrival_time"] - row["event_time"] for row in rows]
    assert min(delays) >= timedelta(0)
    late = sum(delay > timedelta(minutes=10) for delay in delays) / len(rows)
    assert late == pytest.approx(p.late_share, rel=0.1)
    assert 0 < sum(delay > timedelta(days=1) for delay in delays) / len(rows) < 0.003
    contents = defaultdict(set)
    for row in rows:
        contents[row["event_id"]].add(json.dumps(row | {"arrival_time": None}, default=str))
    twice = len(rows) - len(contents)
    assert twice / len(rows) == pytest.approx(p.duplicate_share, rel=0.2)
    assert all(len(content) == 1 for content in contents.values())


def test_events_have_numbers_of_their_own() -> None:
    day = date(2026, 1, 5)
    drawn = [event_numbers(SEED, day + timedelta(days=d), part, 1000) for d in range(3) for part in range(4)]
    assert len({int(number) for numbers in drawn for number in numbers}) == 12_000


def test_a_gap_has_no_events_and_a_label(tmp_path: Path) -> None:
    made = simulate(str(tmp_path), Scenario(40, 50, SEED, background="thinned", gap_days=21))
    empty = [date.fromisoformat(Path(name).stem[3:]) for name in made.files if not pq.read_metadata(name).num_rows]
    gap = next(label for label in made.labels if label["campaign"] == "telemetry-gap")
    assert gap["days"] == [day.isoformat() for day in empty]
    assert empty[-1] - empty[0] == timedelta(days=20)
    assert (p.first_day + timedelta(days=49)) - empty[-1] == timedelta(days=p.days_after_gap)
    assert not gap["malicious"]


@pytest.mark.parametrize("days", [21, 42])
def test_a_gap_that_leaves_nothing_before_it_is_refused(tmp_path: Path, days: int) -> None:
    with pytest.raises(ValueError, match="days must be at least 43"):
        simulate(str(tmp_path), Scenario(5, days, 1, gap_days=21))


def test_an_outbreak_takes_less_than_an_hour(labels: dict[str, Row]) -> None:
    outbreak = labels["outbreak"]
    first, last = (datetime.fromisoformat(outbreak[name]) for name in ("first_event", "last_event"))
    assert len(outbreak["hosts"]) > 20
    assert last - first < timedelta(hours=1)


def test_campaigns_have_other_hosts_and_days_with_another_seed(summary: SimulationSummary, tmp_path: Path) -> None:
    other = simulate(str(tmp_path), Scenario(HOSTS, DAYS, SEED + 1, background="thinned"))
    here, there = (
        {label["campaign"]: (label["hosts"], label["days"]) for label in made.labels if label["malicious"]}
        for made in (summary, other)
    )
    assert here.keys() == there.keys()
    assert sum(here[name] != there[name] for name in here) > len(here) / 2


def test_a_thinned_background_gives_the_same_alerts_and_labels_as_the_full_one(tmp_path: Path) -> None:
    found = {}
    for background in ("full", "thinned"):
        folder = tmp_path / background
        command = ["simulate", "--output", str(folder), "--hosts", "25", "--days", "45", "--seed", "3"]
        assert main([*command, "--background", background]) == 0
        run = folder / "run"
        assert main(["backfill", "--input", f"{folder}/events/*.parquet", "--output", str(run), "--verdicts"]) == 0
        rows = [
            json.loads(line) | {"run_id": None}
            for kind in ("alerts", "verdicts")
            for path in (run / kind).glob("*.jsonl")
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        labels = (folder / "labels.jsonl").read_text(encoding="utf-8")
        events = sum(pq.read_metadata(path).num_rows for path in (folder / "events").iterdir())
        found[background] = (sorted(map(json.dumps, rows)), labels, events)
    assert found["full"][:2] == found["thinned"][:2]
    assert found["full"][0]
    assert found["full"][2] > 5 * found["thinned"][2]
