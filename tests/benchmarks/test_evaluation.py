"""The benchmark of detectors: limits, shuffles, gaps, kept figures and tables. Runs are on Beam's in-process engine."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.benchmarks import evaluation
from tests.benchmarks.duckdb_alerts import read_lake
from tests.benchmarks.evaluation import cases, result_of
from tests.benchmarks.evaluation_runs import OURS, Case, differing, differing_activities, figures_of, gap_end, shuffle
from tests.benchmarks.evaluation_sweep import DEFAULTS, GROUPS, HOST_DAYS, OTHER_HOSTS, alerts_at, sweep
from tests.benchmarks.evaluation_tables import TITLES, all_tables, campaigns, comparison, groups, limits
from tests.oracle import Options
from tests.running import catalogue, configuration_of, run_backfill, write_lines
from uncommon_im.pipeline.lab.evaluation.folder import read_organisation
from uncommon_im.pipeline.lab.evaluation.scoring import Activity, Alert, Communication, Organisation, Subject, score
from uncommon_im.pipeline.lab.simulation import Scenario, SimulationSummary, simulate
from uncommon_im.transforms.rules.columns.days import HOUR_US

CASE = Case(500, 1, False, 50)
GAP = Case(500, 1, True, 50)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate(str(tmp_path_factory.mktemp("simulated")), Scenario(24, 40, 5, background="thinned"))


@pytest.mark.parametrize(("other_hosts", "host_days"), [(3, 2), (0, 1)])
def test_the_sweeps_alerts_are_the_pipelines_at_the_same_limits(
    simulated: SimulationSummary, other_hosts: int, host_days: int
) -> None:
    options = Options(
        max_other_hosts=other_hosts,
        execution_max_other_hosts=other_hosts,
        max_host_days=host_days,
        execution_max_host_days=host_days,
    )
    found = run_backfill([simulated.events_glob], configuration_of(options))
    expected = Counter(Alert(alert["event_id"], alert["severity"], alert["variation"]) for alert in found.alerts)
    assert len(expected) > 5
    assert Counter(alerts_at(read_lake(simulated.events_glob, 2), other_hosts, host_days)) == expected


def test_looser_limits_never_find_less_and_cost_more(simulated: SimulationSummary) -> None:
    swept, flood = sweep(simulated.events_glob, read_organisation(simulated.output, catalogue()))
    assert swept.keys() == {f"{others}/{days}" for others in OTHER_HOSTS for days in HOST_DAYS}
    tight, loose = swept["0/0"], swept[f"{OTHER_HOSTS[-1]}/{HOST_DAYS[-1]}"]
    assert tight["detected"] <= loose["detected"] <= loose["planted"]
    assert tight["false"] < loose["false"]
    assert flood["1"]["alerts"] < flood["25"]["alerts"] == swept[DEFAULTS]["alerts"]
    assert flood["1"]["hosts_told"] < flood["25"]["hosts_told"]


def test_shuffled_records_are_the_same_records_in_another_order(simulated: SimulationSummary, tmp_path: Path) -> None:
    shuffle(Path(simulated.output, "events"), tmp_path / "shuffled", seed=1)
    before = pq.read_table(simulated.files).column("event_id").to_pylist()
    after = pq.read_table(sorted((tmp_path / "shuffled").glob("*.parquet"))).column("event_id").to_pylist()
    assert before != after
    assert Counter(before) == Counter(after)


def test_runs_differ_by_what_an_alert_says_and_not_by_which_run_said_it(tmp_path: Path) -> None:
    alerts = [{"alert_id": "a", "title": "x", "run_id": "1"}, {"alert_id": "b", "title": "x", "run_id": "1"}]
    others = [alerts[0] | {"run_id": "2"}, alerts[1] | {"title": "y"}]
    for name, rows in (("one", alerts), ("two", others), ("less", alerts[:1])):
        (tmp_path / name / "alerts").mkdir(parents=True)
        write_lines(tmp_path / name / "alerts" / "alerts.jsonl", rows)
    assert differing(tmp_path / "one", tmp_path / "one") == 0
    assert differing(tmp_path / "one", tmp_path / "two") == 2
    assert differing(tmp_path / "one", tmp_path / "less") == 1


def test_answers_differ_by_activity_and_not_by_which_of_its_events_they_name() -> None:
    rows = {"a": ("h1", 5), "b": ("h1", 5), "c": ("h1", 6), "d": ("h2", 5)}
    told = {
        event_id: Communication(
            Activity(host, "p", "o", "", "telegram", hour), Subject(host, "p", "o", "", "telegram"), hour * HOUR_US
        )
        for event_id, (host, hour) in rows.items()
    }
    organisation = Organisation(2, 0, 1, told, [])
    assert differing_activities(["a"], ["b"], organisation) == 0
    assert differing_activities(["a"], ["c"], organisation) == 2
    assert differing_activities(["a", "d"], ["a"], organisation) == 1
    assert differing_activities(["a", "b"], ["a"], organisation) == 1


def test_the_gap_ends_with_the_first_day_after_the_longest_silence() -> None:
    assert gap_end([9, 1, 2, 4, 30, 31]) == 30


def test_figures_count_what_was_found_and_what_it_cost(simulated: SimulationSummary) -> None:
    organisation = read_organisation(simulated.output, catalogue())
    alerts = alerts_at(read_lake(simulated.events_glob, 2), 3, 2)
    found = figures_of(score(organisation, alerts), after_gap=organisation.first_day)
    assert found.alerts == len(alerts)
    assert found.host_days == 24 * (40 - 14)
    assert 0 < found.false < found.alerts
    assert 0 < found.hosts_told <= found.hosts
    assert {name: detected for name, detected in found.found.items() if detected}
    assert found.after_gap == 0
    nothing = figures_of(score(organisation, []))
    assert (sum(nothing.found.values()), nothing.hosts_told, nothing.after_gap) == (0, 0, None)


def test_what_is_kept_is_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Case] = []

    def run(case: Case, folder: Path) -> dict[str, Any]:
        made.append(case)
        return {"events": 1}

    monkeypatch.setattr(evaluation, "run_case", run)
    assert result_of(CASE, tmp_path) == result_of(CASE, tmp_path) == {"events": 1}
    assert result_of(GAP, tmp_path) == {"events": 1}
    assert made == [CASE, GAP]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "500-hosts-50-days-seed-1-gap.json",
        "500-hosts-50-days-seed-1.json",
    ]


def test_a_case_that_fails_leaves_nothing_that_looks_like_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(case: Case, folder: Path) -> dict[str, Any]:
        raise SystemExit("no room")

    monkeypatch.setattr(evaluation, "run_case", fail)
    with pytest.raises(SystemExit, match="no room"):
        result_of(CASE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_small_organisations_come_with_and_without_a_gap_and_large_ones_without() -> None:
    given = argparse.Namespace(seeds=2, hosts=500, large_seeds=1, large_hosts=5000, days=50)
    assert [case.name for case in cases(given)] == [
        "500-hosts-50-days-seed-1",
        "500-hosts-50-days-seed-2",
        "5000-hosts-50-days-seed-1",
        "500-hosts-50-days-seed-1-gap",
        "500-hosts-50-days-seed-2-gap",
    ]


def figures(**given: Any) -> dict[str, Any]:
    ordinary = {"found": {"worm": True, "stealer": False}, "hosts": 7, "hosts_told": 3, "alerts": 36, "false": 18}
    ordinary |= {"host_days": 18_000, "learning": 7, "roll_out": 25, "after_gap": None, "rerun": 0, "shuffled": 4}
    return ordinary | given


def results() -> dict[Case, dict[str, Any]]:
    swept = {"planted": 2, "detected": 1, "alerts": 36, "false": 9, "host_days": 18_000, "hosts": 7, "hosts_told": 3}
    ordinary = {name: figures() for name in TITLES}
    gap = {name: figures(after_gap=14, found={"worm": True, "stealer": True}) for name in TITLES}
    return {
        CASE: {
            "hosts": 500,
            "detectors": ordinary,
            "sweep": {f"{others}/{days}": swept for others in OTHER_HOSTS for days in HOST_DAYS},
            "groups": {str(group): swept for group in GROUPS},
        },
        GAP: {"hosts": 500, "detectors": gap},
    }


def test_the_tables_say_rates_per_thousand_hosts_and_day() -> None:
    row = list(comparison(results()))[2]
    assert row == (
        "| this detector | 50 % (9 to 91) | 3 of 7 | 2.0 | 1.0 | 25 | 1.0 | 2.0 | 100 % (34 to 100) | 0 | 4 |"
    )
    unknown = list(comparison({CASE: results()[CASE] | {"detectors": {n: figures(rerun=None) for n in TITLES}}}))[2]
    assert unknown.endswith("| - | - | - | 4 |")
    assert list(campaigns(results()))[2:] == [
        f"| worm {'| 1 of 1 ' * len(TITLES)}|",
        f"| stealer {'| 0 of 1 ' * len(TITLES)}|",
    ]
    assert list(groups(results()))[2] == "| 1 | 50 % (9 to 91) | 3 of 7 | 2.0 | 0.5 |"
    assert list(limits(results()))[2] == f"| 0 {'| 50 %; 3 of 7; 0.5 ' * len(HOST_DAYS)}|"


def test_every_size_of_organisation_has_tables_of_its_own() -> None:
    large = {Case(5000, 1, False, 50): results()[CASE]}
    text = "\n".join(all_tables(results() | large))
    assert "500 hosts: 1 organisations, 1 with a gap" in text
    assert "5,000 hosts: 1 organisations, 0 with a gap" in text
    assert text.count(TITLES[OURS]) == 4
