"""Previews equal really running again, on Beam's in-process engine and random organisations."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from msgspec import structs

from tests.oracle.events import DeadLetterError, normalise
from tests.organisations import random_organisation
from tests.running import Found, Record, configuration_of, run_into, run_records, write_lines
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.pipeline.runs.read_evidence import Evidence, open_evidence
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.schemas.snapshot import SAID_SCHEMA
from uncommon_im.transforms.rules.advice.exception_proposals import proposals
from uncommon_im.transforms.rules.advice.tuning import Preview, Tuning
from uncommon_im.transforms.rules.columns.days import day_number, day_of

SEEDS = range(4)
"""One of each kind of options: defaults, a start, an end, other limits."""
REACH = 6
EXCEPTED_AND_LATER = ("excepted", "duplicate", "rolled_up", "alert")


@dataclass(frozen=True)
class Run:
    """A run that left evidence: what it read, with which configuration, what it found."""

    records: list[Record]
    configuration: Configuration
    found: Found
    evidence: Evidence

    @property
    def limits(self) -> Limits:
        return self.configuration.detector.limits

    @property
    def tuning(self) -> Tuning:
        return Tuning(self.evidence.activities, self.evidence.earlier_alerts, self.evidence.metadata.detector)


@cache
def run(seed: int) -> Run:
    """A run over a random organisation, with its own limits."""
    organisation = random_organisation(seed)
    return with_evidence(organisation.records, configuration_of(organisation.options))


def with_evidence(records: list[Record], configuration: Configuration, reach: int = REACH) -> Run:
    configuration = replace(configuration, evidence=reach)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        write_lines(path, records)
        found = run_into(folder, match_files([str(path)]), configuration)
        return Run(records, configuration, found, open_evidence(folder))


def again(run: Run, limits: Limits, exceptions: Iterable[ExceptionEntry] = ()) -> Found:
    """The same events, read again with other limits and further exceptions, without evidence."""
    configuration = replace(
        run.configuration,
        detector=structs.replace(run.configuration.detector, limits=limits),
        exceptions=(*run.configuration.exceptions, *exceptions),
        evidence=None,
    )
    return run_records(run.records, configuration)


def other_limits(seed: int, limits: Limits) -> list[Limits]:
    """Tighter and looser limits than a run's, as `--max-other-hosts` and `--max-host-days` set them."""
    rng = random.Random(f"limits {seed}")
    hosts = rng.sample([most for most in range(REACH + 1) if most != limits.max_other_hosts], 2)
    days = rng.sample([0, 1, 2, 3, 5, 9], 2)
    return [
        structs.replace(
            limits,
            max_other_hosts=most,
            execution_max_other_hosts=most,
            max_host_days=host_days,
            execution_max_host_days=host_days,
        )
        for most, host_days in zip(hosts, days, strict=True)
    ]


def assert_equal(preview: Preview, found: Found) -> None:
    """Alert by alert, day by day, verdict by verdict."""
    names = ("alert_id", "event_id")
    assert Counter((alert.alert_id, alert.activity["event_id"]) for alert in preview.alerts) == Counter(
        tuple(alert[name] for name in names) for alert in found.alerts
    )
    assert preview.days() == Counter(
        (day_number(date.fromisoformat(alert["timestamp"][:10])), alert["variation"]) for alert in found.alerts
    )
    counts = found.summary["verdicts"]
    assert {name: preview.verdicts[name] for name in EXCEPTED_AND_LATER} == {
        name: counts[name] for name in EXCEPTED_AND_LATER
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_the_preview_of_a_runs_own_limits_is_the_run(seed: int) -> None:
    assert_equal(run(seed).tuning.preview(run(seed).limits), run(seed).found)


@pytest.mark.parametrize("seed", SEEDS)
def test_evidence_changes_nothing_else_that_a_run_writes(seed: int) -> None:
    organisation = random_organisation(seed)
    without = run_records(organisation.records, configuration_of(organisation.options))
    assert run(seed).found.facts == without.facts
    assert run(seed).found.verdict_rows == without.verdict_rows
    assert run(seed).found.summary == without.summary


@pytest.mark.parametrize("seed", SEEDS)
def test_the_preview_of_other_limits_is_a_run_with_them(seed: int) -> None:
    for limits in other_limits(seed, run(seed).limits):
        assert_equal(run(seed).tuning.preview(limits), again(run(seed), limits))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_proposed_exception_removes_what_it_says_of_a_real_run(seed: int) -> None:
    limits = run(seed).limits
    preview = run(seed).tuning.preview(limits)
    proposed = proposals(run(seed).tuning, preview, limits, 4)
    assert proposed
    chosen = random.Random(seed).choice(proposed)
    found = again(run(seed), limits, [chosen.entry])
    assert_equal(run(seed).tuning.preview(limits, chosen.entry), found)
    assert len(run(seed).found.alerts) - len(found.alerts) == chosen.alerts > 0


def test_the_organisations_hold_what_previews_have_to_get_right() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        counts.update(run(seed).found.summary["verdicts"])
        counts["execution"] += len(run(seed).evidence.activities.column("execution_other_hosts").drop_null())
        counts["saturated"] += sum(alert["group_saturated"] for alert in run(seed).found.alerts)
    needed = (*EXCEPTED_AND_LATER, "learning", "training", "common_on_host", "execution", "saturated")
    assert {name for name in needed if not counts[name]} == set()


@pytest.mark.parametrize(("seed", "as_of"), [(0, date(2026, 4, 17)), (2, date(2026, 4, 10))])
def test_what_was_said_before_a_snapshot_counts_in_the_preview_as_in_a_run_from_it(
    seed: int, as_of: date, tmp_path: Path
) -> None:
    going_on = after_snapshot(seed, as_of, tmp_path)
    assert_equal(going_on.tuning.preview(going_on.limits), going_on.found)
    for limits in other_limits(seed, going_on.limits):
        assert_equal(going_on.tuning.preview(limits), again(going_on, limits))
    forgetful = Tuning(going_on.evidence.activities, SAID_SCHEMA.empty_table(), going_on.configuration.detector)
    said, unsaid = (tuning.preview(going_on.limits).verdicts for tuning in (going_on.tuning, forgetful))
    assert said["duplicate"] > unsaid["duplicate"]


def test_a_snapshot_that_tells_of_fewer_hosts_is_no_start_for_evidence(tmp_path: Path) -> None:
    organisation = random_organisation(0)
    path = str(tmp_path / "baseline")
    narrow = configuration_of(organisation.options, end=date(2026, 4, 17), baseline_out=path)
    run_records(organisation.records[:20], narrow)
    going_on = replace(narrow, end=None, baseline_out=None)
    assert with_baseline(replace(going_on, evidence=3), open_snapshot(path), False).evidence == 3
    with pytest.raises(ConfigurationError, match=r"up to 3 other hosts, --evidence 4 needs more: give --evidence 3"):
        with_baseline(replace(going_on, evidence=4), open_snapshot(path), False)


def after_snapshot(seed: int, as_of: date, tmp_path: Path) -> Run:
    """The second of two runs over an organisation; the first leaves its snapshot in the middle of a busy time."""
    organisation = random_organisation(seed)
    options = replace(organisation.options, start=None, end=as_of, max_alerts_per_group=0)
    first = configuration_of(options, baseline_out=str(tmp_path / "baseline"), evidence=REACH)
    run_records(organisation.records, first)
    second = replace(first, start=None, end=None, baseline_out=None)
    later = [record for record in organisation.records if day_of_record(record, options.tenant) >= as_of]
    return with_evidence(later, with_baseline(second, open_snapshot(str(tmp_path / "baseline")), False))


def day_of_record(record: Record, tenant: str) -> date:
    try:
        return day_of(normalise(record, tenant).day)
    except DeadLetterError:
        return date.min
