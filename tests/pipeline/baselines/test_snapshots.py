"""Snapshots on the in-process engine: one run or many give the same, and what does not fit is refused.

`baseline.as_of` of an alert names the snapshot that its run started from, so it is left out where runs are compared.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replaced

from tests.oracle import Options, detect
from tests.oracle.activities import communication_of, execution_shown
from tests.oracle.events import DeadLetterError, Event, base_name, normalise
from tests.oracle.exceptions import is_malicious
from tests.oracle.instances import completed
from tests.oracle.investigation import NO_HOST, local
from tests.organisations import Organisation, random_organisation
from tests.running import Found, Record, configuration_of, run_records, write_lines
from uncommon_im.pipeline.baselines import write_snapshot as snapshot_sink
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.configuration.configuration import Configuration, new_run_id
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.snapshot import TABLES, Metadata
from uncommon_im.transforms.rules.columns.days import DAY_US, HOUR_US, day_number, day_of

FIRST, LAST = date(2026, 3, 1), date(2026, 5, 2)
"""The first day of the random organisations, and the day after their last."""
ONE_DAY = timedelta(days=1)
Content = dict[str, list[tuple[Any, ...]]]
"""Table -> its rows, sorted."""

slow = settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@dataclass
class Findings:
    """What runs found together."""

    facts: Counter[str] = field(default_factory=Counter)
    verdict_rows: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, found: Found) -> Findings:
        """Takes a run in."""
        for fact, times in found.facts.items():
            alert = json.loads(fact)
            del alert["baseline"]["as_of"]
            self.facts[json.dumps(alert, sort_keys=True)] += times
        self.verdict_rows += found.verdict_rows
        events = found.summary["events"]
        self.counts += Counter(
            {
                "used": events["valid"] - events["out_of_range"],
                "dead letters": sum(events["dead_letter"].values()),
                **{name: found.summary[name] for name in ("communications", "activities")},
                **found.summary["verdicts"],
                **{f"alerts, {variation}": count for variation, count in found.summary["alerts"].items()},
            }
        )
        return self


@dataclass(frozen=True)
class Whole:
    """An organisation, its records by day (dead letters before the first), and what one run over all of them gives."""

    organisation: Organisation
    days: tuple[tuple[date, Record], ...]
    start: date | None
    end: date
    findings: Findings
    content: Content
    metadata: Metadata

    @property
    def options(self) -> Options:
        return self.organisation.options

    def records(self, start: date, end: date) -> list[Record]:
        """The records of days `[start, end)`."""
        return [record for day, record in self.days if start <= day < end]


@cache
def whole(seed: int, start: date | None = None, end: date | None = None) -> Whole:
    """One run over an organisation, judged from its own first day or from `start` on."""
    organisation = random_organisation(seed)
    days = tuple((day_of_record(record, organisation.options.tenant), record) for record in organisation.records)
    start, end = start or organisation.options.start, end or organisation.options.end or LAST
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "B")
        found = run_records(
            organisation.records, configuration_of(organisation.options, start=start, end=end, baseline_out=str(path))
        )
        metadata = open_snapshot(str(path)).metadata
        return Whole(organisation, days, start, end, Findings().add(found), content_of(path), metadata)


def day_of_record(record: Record, tenant: str) -> date:
    try:
        return day_of(normalise(record, tenant).day)
    except DeadLetterError:
        return date.min


def run(
    records: Iterable[Record],
    configuration: Configuration,
    before: Path | None = None,
    after: Path | None = None,
    learn: bool = False,
) -> Found:
    """A run that starts from one snapshot and leaves another."""
    configuration = replace(configuration, run_id=new_run_id(), baseline_out=str(after) if after else None)
    if before is not None:
        configuration = with_baseline(configuration, open_snapshot(str(before)), learn)
    return run_records(records, configuration)


def chain(known: Whole, cuts: Sequence[date], folder: Path, shards: Sequence[int] = (3,)) -> list[Found]:
    """Runs over the days between cuts, each with the events of its own days only; snapshots are `folder/DATE`."""
    found = []
    for number, (start, end) in enumerate(zip((date.min, *cuts), (*cuts, known.end), strict=True)):
        configuration = configuration_of(
            known.options, start=start if number else known.start, end=end, shards=shards[number % len(shards)]
        )
        before = folder / str(start) if number else None
        found.append(run(known.records(start, end), configuration, before, folder / str(end)))
    return found


def findings(runs: Iterable[Found]) -> Findings:
    total = Findings()
    for found in runs:
        total.add(found)
    return total


def content_of(path: Path) -> Content:
    """What a snapshot says, however it is cut into files."""
    files = open_snapshot(str(path)).metadata.files
    tables = {table: [pq.read_table(path / name) for name in files[table]] for table in TABLES}
    return {
        table: sorted((tuple(row.values()) for part in parts for row in part.to_pylist()), key=repr)
        for table, parts in tables.items()
    }


def assert_same_snapshot(path: Path, content: Content, metadata: Metadata) -> None:
    """Same content and same description; runs and files have other names."""
    assert content_of(path) == content
    assert replaced(open_snapshot(str(path)).metadata, run_id="", files={}) == replaced(metadata, run_id="", files={})


def files_of(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}


def listed_files(path: Path) -> set[str]:
    """The files that belong to a snapshot by its own account."""
    return {"metadata.json", *(name for files in open_snapshot(str(path)).metadata.files.values() for name in files)}


# One run or many


@pytest.mark.parametrize("seed", range(2))
def test_one_run_is_a_chain_of_runs_alert_by_alert_and_verdict_by_verdict(seed: int, tmp_path: Path) -> None:
    known = whole(seed)
    first = (known.start or FIRST) + ONE_DAY
    cuts = sorted(random.Random(seed).sample(range((known.end - first).days), 1 + seed % 2))
    found = chain(known, [first + timedelta(days=cut) for cut in cuts], tmp_path)
    assert findings(found) == known.findings, known.organisation.story
    assert all(alert["baseline"]["as_of"] is None for alert in found[0].alerts)
    assert {alert["baseline"]["as_of"] for alert in found[-1].alerts} <= {str(first + timedelta(days=cuts[-1]))}
    assert_same_snapshot(tmp_path / str(known.end), known.content, known.metadata)


@slow
@given(
    seed=st.sampled_from((0, 7)),
    ages=st.sets(st.integers(1, 40), min_size=1, max_size=4),
    shards=st.lists(st.integers(1, 7), min_size=1, max_size=3),
)
def test_where_a_chain_is_cut_and_into_how_many_shards_changes_nothing(
    seed: int, ages: set[int], shards: list[int]
) -> None:
    known = whole(seed)
    with tempfile.TemporaryDirectory() as folder:
        cuts = [known.end - timedelta(days=age) for age in sorted(ages, reverse=True)]
        assert findings(chain(known, cuts, Path(folder), shards)) == known.findings
        assert_same_snapshot(Path(folder, str(known.end)), known.content, known.metadata)


def test_one_run_is_a_chain_of_daily_runs(tmp_path: Path) -> None:
    known = whole(7, date(2026, 4, 8), date(2026, 4, 17))
    cuts = [known.end - timedelta(days=age) for age in range(8, 0, -1)]
    found = chain(known, cuts, tmp_path)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [str(day) for day in (*cuts, known.end)]
    assert findings(found) == known.findings
    assert sum(bool(run.alerts) for run in found) >= 6
    assert known.findings.counts["duplicate"] > 0
    assert_same_snapshot(tmp_path / str(known.end), known.content, known.metadata)


def test_files_that_arrive_late_are_put_right_by_rerunning_from_their_day(tmp_path: Path) -> None:
    known = whole(4)
    day = date(2026, 4, 14)
    late = known.records(day, day + ONE_DAY)
    in_time = replace(known, days=tuple((d, record) for d, record in known.days if record not in late))
    cuts = (day, date(2026, 4, 22))
    wrong = chain(in_time, cuts, tmp_path)
    assert findings(wrong) != known.findings

    ends = (*cuts, known.end)
    again = [
        run(
            known.records(start, end),
            configuration_of(known.options, start=start, end=end),
            tmp_path / str(start),
            tmp_path / str(end),
        )
        for start, end in zip(cuts, ends[1:], strict=True)
    ]
    assert findings((wrong[0], *again)) == known.findings
    assert_same_snapshot(tmp_path / str(known.end), known.content, known.metadata)
    for end in ends:
        assert files_of(tmp_path / str(end)) == listed_files(tmp_path / str(end))


def test_a_day_run_again_from_a_copy_of_its_snapshot_gives_the_same_and_replaces_what_it_left(tmp_path: Path) -> None:
    known = whole(4)
    day = date(2026, 4, 12)
    configuration = configuration_of(known.options, start=day, end=day + ONE_DAY)
    before, after, copy = tmp_path / "made", tmp_path / "after", tmp_path / "elsewhere" / "copy"
    run(known.records(date.min, day), configuration_of(known.options, start=None, end=day), after=before)
    records = known.records(day, day + ONE_DAY)
    first = run(records, configuration, before, after)
    content, metadata, files = content_of(after), open_snapshot(str(after)).metadata, files_of(after)
    shutil.copytree(before, copy)
    shutil.rmtree(before)

    # what else lies in the directory is not the snapshot's to delete
    mine = [after / "dt=2026-04-12" / "events.parquet", after / "mine" / "sightings.parquet", after / "notes.txt"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    random.Random(1).shuffle(records)
    second = run([*records, *records[:9]], configuration, copy, after)
    assert first.alerts
    assert second.facts == first.facts
    assert second.verdict_rows == first.verdict_rows
    found = content_of(after)
    assert sum(row[2] for row in found["coverage"]) == sum(row[2] for row in content["coverage"]) + 9
    assert {**found, "coverage": [row[:2] for row in found["coverage"]]} == {
        **content,
        "coverage": [row[:2] for row in content["coverage"]],
    }
    assert replaced(open_snapshot(str(after)).metadata, run_id="", files={}) == replaced(metadata, run_id="", files={})
    assert files_of(after) == listed_files(after) | {str(path.relative_to(after)) for path in mine}
    assert not files_of(after) & (files - {"metadata.json"})


def test_days_without_events_hand_on_what_is_known_in_the_same_directory_too(tmp_path: Path) -> None:
    options = Options(activation_days=2)
    days = [FIRST + timedelta(days=n) for n in range(6)]
    records = [event(day, "h1", "courier") for day in (*days[:2], days[4])]
    path = tmp_path / "B"
    run(records[:2], configuration_of(options, end=days[2]), after=path)
    run([], configuration_of(options, end=days[4]), path, path)
    assert open_snapshot(str(path)).metadata.as_of == days[4]
    assert files_of(path) == listed_files(path)
    (alert,) = run(records[2:], configuration_of(options, end=days[5]), path, path).alerts
    assert alert["baseline"] | {"host_days": 2, "active_days": 2, "coverage_days": 2} == alert["baseline"]
    assert alert["baseline"]["first_day"] == str(days[0])


def test_what_was_said_is_handed_on_by_runs_that_say_nothing(tmp_path: Path) -> None:
    """A deduplication period of two days: what was said at ten is repeated before ten of the day after the next."""
    options = Options(activation_days=0, deduplication_hours=48)
    days = [FIRST + timedelta(days=n) for n in range(4)]
    records = [event(days[0], host, "courier") for host in ("h1", "h2")]
    (tmp_path / "B").mkdir()
    said = run(records, configuration_of(options, end=days[1]), after=tmp_path / "B")
    run([event(days[1], "h3", "other")], configuration_of(options, end=days[2]), tmp_path / "B", tmp_path / "B")
    again = [
        event(days[2], host, "courier", event_time=f"{days[2]}T{time}Z")
        for host, time in (("h1", "09:59:59.999999"), ("h2", "10:00:00"))
    ]
    found = run(again, configuration_of(options, end=days[3]), tmp_path / "B")
    repeated = {alert["host"]["id"]: alert["alert_id"] for alert in said.alerts}
    assert {(row["host"], row["verdict"], row["duplicate_of"]) for row in found.verdicts} == {
        ("h1", "duplicate", repeated["h1"]),
        ("h2", "alert", None),
    }


def test_a_run_may_need_less_than_the_snapshot_kept(tmp_path: Path) -> None:
    known = whole(0)
    day = date(2026, 4, 12)
    less = replace(
        known.options,
        start=day,
        end=day + timedelta(days=14),
        training_days=20,
        max_other_hosts=1,
        execution_max_other_hosts=2,
        deduplication_hours=0,  # what was said under other limits is no part of this
    )
    run(known.records(date.min, day), configuration_of(known.options, start=None, end=day), after=tmp_path / "B")
    found = run(known.records(day, day + timedelta(days=14)), configuration_of(less), tmp_path / "B")
    expected = run(known.records(date.min, day + timedelta(days=14)), configuration_of(less))
    assert found.alerts
    assert Findings().add(found).facts == Findings().add(expected).facts
    judged = Counter({row: n for row, n in expected.verdict_rows.items() if json.loads(row)["verdict"] != "training"})
    assert found.verdict_rows == judged


# Runs that die


def event(day: date, host: str, program: str, remote: str = "api.telegram.org", **more: Any) -> Record:
    """A communication at ten o'clock."""
    named = {"host_id": host, "process_name": program, "remote_host": remote}
    return {"event_time": f"{day}T10:00:00Z", **named, **more}


def dies(*_: object) -> str:
    raise RuntimeError("no space left")


def test_a_run_that_dies_leaves_the_old_snapshot_whole_and_the_next_clears_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, path = Options(activation_days=0), tmp_path / "B"
    run([event(FIRST, "h1", "courier")], configuration_of(options, end=FIRST + ONE_DAY), after=path)
    content, metadata = content_of(path), (path / "metadata.json").read_bytes()
    later = [event(FIRST + ONE_DAY, "h2", "courier")]
    configuration = configuration_of(options, end=FIRST + 2 * ONE_DAY)

    with monkeypatch.context() as patch:
        patch.setattr(snapshot_sink, "_finish", dies)
        with pytest.raises(RuntimeError, match="no space left"):
            run(later, configuration, path, path)
    assert files_of(path) == listed_files(path)
    assert content_of(path) == content

    write_lines(tmp_path / "a.jsonl", later)
    (tmp_path / "b.parquet").write_bytes(b"PAR1 this is no Parquet file")
    copied = shutil.copytree(path, tmp_path / "C")
    days = ["--baseline-in", str(copied), "--baseline-out", str(path), "--end", "2026-03-03", "--activation-days", "0"]
    inputs = ["--input", str(tmp_path / "a.jsonl"), "--input", str(tmp_path / "b.parquet")]
    assert main(["backfill", *inputs, "--output", str(tmp_path / "run"), *days]) == 1
    assert "b.parquet" in capsys.readouterr().err
    assert (path / "metadata.json").read_bytes() == metadata
    assert content_of(path) == content

    (alert,) = run(later, configuration, path, path).alerts
    assert alert["baseline"]["other_hosts"] == 1
    assert alert["baseline"]["as_of"] == str(FIRST + ONE_DAY)
    assert files_of(path) == listed_files(path)
    assert open_snapshot(str(path)).metadata.as_of == FIRST + 2 * ONE_DAY


# Refusals

AS_OF = "2026-03-03"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of `AS_OF`, in a folder with an input file."""
    folder = tmp_path_factory.mktemp("made")
    write_lines(folder / "events.jsonl", [event(FIRST, "h1", "courier")])
    arguments = ["--input", str(folder / "events.jsonl"), "--output", str(folder / "run"), "--end", AS_OF]
    assert main(["backfill", *arguments, "--baseline-out", str(folder / "B")]) == 0
    return folder


def backfill(folder: Path, arguments: Sequence[str], output: Path) -> int:
    """A backfill that starts from the snapshot; `{B}` and `{F}` in arguments are the snapshot and its folder."""
    named = [argument.format(B=folder / "B", F=folder) for argument in arguments]
    return main(["backfill", "--input", str(folder / "events.jsonl"), "--output", str(output), *named])


CARD = "limits: {{deduplication_hours: {hours}}}\n"
SERVICES = (
    "services:\n- {id: corp-chat, hosts: {exact: [chat.corp.example]}}\n- {id: slack, hosts: {exact: [s.example]}}\n"
)
NO_LONGER = (
    "the snapshot was taken with {0}, this run needs {1}: lower the limit, or take a new snapshot from the events"
)
OTHER_NAMES = (
    "process classes, engines, exclusions, --operator-ranges or folding rules differ from the snapshot's: "
    "programs would have other names; take a new snapshot from the events"
)
FROM_B = ("--baseline-in", "{B}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--baseline-in", "{F}/none"],
            "--baseline-in {F}/none: no snapshot there (metadata.json cannot be read): --baseline-out makes one",
        ),
        (
            ["--baseline-in", "{F}/12.yaml"],
            "--baseline-in {F}/12.yaml: no snapshot there (metadata.json cannot be read): --baseline-out makes one",
        ),
        (["--baseline-out", "{F}/C"], "--baseline-out needs --end: the day boundary at which the snapshot is taken"),
        (
            ["--baseline-in", ""],
            "argument --baseline-in: it is empty: give a value, or leave the option out "
            "(see uncommon-im backfill --help)",
        ),
        (
            ["--baseline-out", " "],
            "argument --baseline-out: it is empty: give a value, or leave the option out "
            "(see uncommon-im backfill --help)",
        ),
        (
            [*FROM_B, "--baseline-out", "{B}/", "--end", "2026-03-05"],
            "--baseline-out {B}/ is the snapshot that the run starts from: give the next one its own directory, "
            "so that the run can be repeated",
        ),
        (
            ["--baseline-out", "{F}/events.jsonl", "--end", "2026-03-05"],
            "--baseline-out {F}/events.jsonl: cannot be written: Not a directory",
        ),
        (
            [*FROM_B, "--baseline-out", "{F}/C"],
            "--baseline-out needs --end: the day boundary at which the snapshot is taken",
        ),
        (
            [*FROM_B, "--start", "2026-03-05"],
            "--baseline-in {B}: the snapshot was taken at 2026-03-03, the run starts at 2026-03-05: "
            "run the days from 2026-03-03 first, or leave --start out",
        ),
        (
            [*FROM_B, "--start", "2026-03-02"],
            "--baseline-in {B}: the snapshot was taken at 2026-03-03, the run starts at 2026-03-02: "
            "it knows days that the run is to judge: take the snapshot of 2026-03-02",
        ),
        (
            [*FROM_B, "--end", "2026-03-03"],
            "--baseline-in {B}: the snapshot was taken at 2026-03-03: --end must be later",
        ),
        (
            [*FROM_B, "--end", "2026-02-03", "--baseline-out", "{F}/C"],
            "--baseline-in {B}: the snapshot was taken at 2026-03-03: --end must be later",
        ),
        ([*FROM_B, "--training-days", "31"], "--baseline-in {B}: " + NO_LONGER.format("training_days 30", 31)),
        ([*FROM_B, "--max-other-hosts", "4"], "--baseline-in {B}: " + NO_LONGER.format("max_other_hosts 3", 4)),
        (
            [*FROM_B, "--detector", "{F}/25.yaml"],
            "--baseline-in {B}: " + NO_LONGER.format("deduplication_hours 24", 25),
        ),
        (
            [*FROM_B, "--time-zone", "Asia/Kolkata"],
            "--baseline-in {B}: the snapshot's hours of the day are those of UTC, this run's those of Asia/Kolkata: "
            "run with --time-zone UTC, or take a new snapshot from the events",
        ),
        ([*FROM_B, "--operator-ranges"], "--baseline-in {B}: " + OTHER_NAMES),
        ([*FROM_B, "--operator-ranges", "--learn-changed-services"], "--baseline-in {B}: " + OTHER_NAMES),
        ([*FROM_B, "--services", "{F}/exclusions.yaml"], "--baseline-in {B}: " + OTHER_NAMES),
        (
            [*FROM_B, "--services", "{F}/services.yaml"],
            "--baseline-in {B}: services differ from the snapshot's: corp-chat, slack: "
            "--learn-changed-services lets them learn first, or take a new snapshot from the events",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    arguments: list[str], message: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_yaml_files(made)
    assert backfill(made, arguments, tmp_path / "run") == 2
    assert capsys.readouterr().err == "uncommon-im: " + message.format(B=made / "B", F=made) + "\n"
    assert not (tmp_path / "run").exists()
    assert not (made / "C").exists()


def write_yaml_files(folder: Path) -> None:
    for hours in (12, 25):
        (folder / f"{hours}.yaml").write_text(CARD.format(hours=hours))
    (folder / "services.yaml").write_text(SERVICES)
    (folder / "exclusions.yaml").write_text("exclusions: [quiet.telegram.org]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--start", AS_OF],
        ["--end", "2026-03-04"],
        ["--training-days", "14", "--max-other-hosts", "0", "--detector", "{F}/12.yaml"],
        ["--services", "{F}/services.yaml", "--learn-changed-services"],
        ["--learn-changed-services"],
        ["--time-zone", "UTC"],
    ],
)
def test_what_fits_is_taken(
    arguments: list[str], made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_yaml_files(made)
    assert backfill(made, [*FROM_B, *arguments, "--dry-run"], tmp_path / "run") == 0
    said = capsys.readouterr().out
    assert f"would judge from {AS_OF} to before" in said
    assert f"starts from the snapshot of {AS_OF} in {made / 'B'}" in said


def test_a_snapshot_of_another_version_or_that_is_not_whole_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "C"
    shutil.copytree(made / "B", path)
    document = json.loads((path / "metadata.json").read_text())
    arguments = ["--baseline-in", str(path)]

    (path / "metadata.json").write_text(json.dumps(document | {"schema_version": 1}))
    assert backfill(made, arguments, tmp_path / "run") == 2
    (path / "metadata.json").write_text(json.dumps({"name": "something else"}))
    assert backfill(made, arguments, tmp_path / "run") == 2
    (path / "metadata.json").write_text(json.dumps(document))
    (missing,) = document["files"]["coverage"]
    (path / missing).unlink()
    assert backfill(made, arguments, tmp_path / "run") == 2
    assert capsys.readouterr().err.splitlines() == [
        f"uncommon-im: --baseline-in {path}: " + reason
        for reason in (
            "a snapshot of version 1, this program reads 4: take a new one from the events",
            "no metadata of a snapshot: `schema_version` is missing",
            f"{missing} is missing: copy the whole directory",
        )
    ]


def test_a_cut_file_of_a_snapshot_ends_the_run_and_is_named(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "C"
    shutil.copytree(made / "B", path)
    (part,) = path.glob("*/coverage-00000.parquet")
    part.write_bytes(part.read_bytes()[:60])
    assert backfill(made, ["--baseline-in", str(path)], tmp_path / "run") == 1
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f"uncommon-im: the run failed: {part}: cannot be read: ")
    assert ": copy the snapshot again" in line


# Services that are new or changed


def test_new_and_changed_services_learn_14_covered_days_of_their_own_and_the_state_is_handed_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.yaml").write_text(
        yaml.safe_dump(
            {
                "services": [
                    {"id": "corp-chat", "hosts": {"exact": ["chat.corp.example"]}},
                    {"id": "discord", "hosts": {"exact": ["discord.corp.example"]}},
                ]
            }
        )
    )
    changed = load_catalogue(str(tmp_path / "own.yaml"))
    since, handed, until = date(2026, 4, 1), date(2026, 4, 11), date(2026, 4, 20)
    silent = (date(2026, 4, 5), date(2026, 4, 6))
    active = date(2026, 4, 17)  # the first day with 14 covered ones from `since` on
    remotes = {"corp-chat": "chat.corp.example", "discord": "gateway.discord.gg", "telegram": "api.telegram.org"}

    def records(start: date, end: date) -> list[Record]:
        days = [start + timedelta(days=n) for n in range((end - start).days)]
        return [
            event(day, f"pc{day:%m%d}", f"tool-{name}-{day:%m%d}", remote)
            for day in days
            if day not in silent
            for name, remote in remotes.items()
        ]

    plain = configuration_of(Options())
    paths = [tmp_path / str(day) for day in (since, handed, until)]
    run(records(FIRST, since), replace(plain, end=since), after=paths[0])
    own = replace(plain, catalogue=changed)
    with pytest.raises(ConfigurationError, match="services differ from the snapshot's: corp-chat, discord: "):
        run([], replace(own, end=handed), paths[0])
    found = [
        run(records(since, handed), replace(own, end=handed), paths[0], paths[1], learn=True),
        run(records(handed, until), replace(own, end=until), paths[1], paths[2]),
    ]
    assert {(row["service"], day_of(row["hour"] // 24), row["verdict"]) for rows in found for row in rows.verdicts} == {
        (name, day, "alert" if name == "telegram" or day >= active else "learning")
        for name in remotes
        for day in (since + timedelta(days=n) for n in range((until - since).days))
        if day not in silent
    }
    learning = {"corp-chat": since, "discord": since}
    for path in paths[1:]:
        assert open_snapshot(str(path)).metadata.learning_since == learning

    last = open_snapshot(str(paths[2]))
    for end, kept in ((since + timedelta(days=29), learning), (since + timedelta(days=30), {})):
        assert with_baseline(replace(own, end=end), last, False).snapshot_metadata.learning_since == kept

    with pytest.raises(ConfigurationError, match="services differ from the snapshot's: corp-chat, discord: "):
        with_baseline(plain, last, False)
    assert with_baseline(plain, last, True).learning_since == {"discord": until}


# What is in a snapshot


@pytest.mark.parametrize("seed", [0, 5])
def test_a_snapshot_holds_what_the_events_of_the_window_show_and_nothing_else(seed: int) -> None:
    known = whole(seed)
    options = known.options
    end = day_number(known.end)
    days = range(end - options.training_days, end)
    coverage: Counter[tuple[str, int]] = Counter()
    hosts: defaultdict[tuple[str, str, int], set[str]] = defaultdict(set)
    masks: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for seen in completed([normalise(record, options.tenant) for record in known.records(FIRST, known.end)], options):
        if seen.day not in days:
            continue
        coverage[seen.tenant, seen.day] += 1
        for subject, host in shown_by(seen, options):
            hosts[seen.tenant, subject, seen.day].add(host)
            if host != NO_HOST:
                masks[seen.tenant, host, subject] |= 1 << (end - 1 - seen.day)
    kept = max(options.max_other_hosts, options.execution_max_other_hosts) + 2
    assert max(map(len, hosts.values())) > kept
    sightings = [
        (tenant, subject, host, day)
        for (tenant, subject, day), shown in hosts.items()
        for host in sorted(shown, key=host_order)[:kept]
    ]
    assert known.content["sightings"] == sorted(sightings, key=repr)
    assert known.content["host_sightings"] == sorted(((*key, mask) for key, mask in masks.items()), key=repr)
    assert known.content["coverage"] == sorted(((*key, count) for key, count in coverage.items()), key=repr)
    assert known.metadata.tenants == sorted({tenant for tenant, _ in coverage})
    assert known.metadata.rows == {table: len(rows) for table, rows in known.content.items()}
    assert known.metadata.as_of == known.end


def shown_by(seen: Event, options: Options) -> list[tuple[str, str]]:
    """(subject, host) that an event shows, by the oracle's reading."""
    found = communication_of(seen, options)
    if is_malicious(options, seen, found and found.match.service):
        return []
    execution = execution_shown(seen, found)
    shown: list[tuple[list[str], str]] = []
    if execution is not None:
        shown.append((["execution", execution], seen.host))
    if found is not None:
        shown.append((["communication", *found.program, found.match.service], seen.host))
        shown.append((["service", found.match.service], seen.host))
        hour = str(local(seen, options).hour)
        shown.append((["hour_of_day", found.match.service, hour], NO_HOST))
        parent, sha256 = base_name(seen.text("parent_process_name") or ""), seen.text("process_sha256")
        if parent:
            shown.append((["parentage", parent.lower(), *found.program], seen.host))
        if sha256 is not None:
            shown.append((["binary", sha256.lower()], seen.host))
    return [(json.dumps(subject, ensure_ascii=False, separators=(",", ":")), host) for subject, host in shown]


def host_order(host: str) -> bytes:
    return hashlib.blake2b(host.encode(), digest_size=8).digest()


@pytest.mark.parametrize(("seed", "end"), [(4, date(2026, 4, 8)), (8, LAST)])
def test_a_snapshot_knows_what_was_said_as_long_as_it_may_be_repeated(seed: int, end: date) -> None:
    known = whole(seed, end=end)
    expected = detect(known.organisation.records, replace(known.options, start=known.start, end=known.end))
    said = {row["alert_id"] for row in expected.activities if row["verdict"] in ("alert", "rolled_up")}
    rows = [dict(zip(SAID_COLUMNS, row, strict=True)) for row in known.content["said"]]
    recent = day_number(known.end) * DAY_US - known.options.deduplication_hours * HOUR_US
    times = {
        (seen.host, seen.event_id): seen.time
        for seen in (normalise(r, known.options.tenant) for r in known.records(FIRST, known.end))
    }
    assert Counter((row["alert_id"], row["time"]) for row in rows) == Counter(
        (row["alert_id"], time)
        for row in expected.activities
        if row["alert_id"] in said and (time := times[row["host"], row["event_id"]]) > recent
    )
    assert rows
    assert {row["severity"] for row in rows} <= {"Informational", "Low"}


# As any tool sees it; types as DuckDB names them

SIGHTINGS = {"tenant": "VARCHAR", "subject": "VARCHAR", "host": "VARCHAR", "day": "INTEGER"}
HOST_SIGHTINGS = {"tenant": "VARCHAR", "host": "VARCHAR", "subject": "VARCHAR", "days": "BIGINT"}
SAID_COLUMNS = (
    "tenant",
    "host",
    "program",
    "origin",
    "reduced_script",
    "service",
    "time",
    "severity",
    "event_id",
    "alert_id",
)
SAID = {name: "BIGINT" if name == "time" else "VARCHAR" for name in SAID_COLUMNS}
COVERAGE = {"tenant": "VARCHAR", "day": "INTEGER", "events": "BIGINT"}


def test_any_tool_can_read_it(tmp_path: Path) -> None:
    """A roll-out to twenty hosts: five are kept for the organisation, each host knows its own days, one says it."""
    days = [FIRST + timedelta(days=n) for n in range(3)]
    records = [event(day, f"h{n}", "courier") for day in days for n in range(20)]
    late = [
        event(days[2], "h1", "other", event_time=f"{days[2]}T{clock}Z") for clock in ("00:00:00", "00:00:00.000001")
    ]
    path = tmp_path / "B"
    options = Options(activation_days=0, max_alerts_per_group=5)
    run([*records, late[0]], configuration_of(options, end=days[2] + ONE_DAY), after=path)
    database = duckdb.connect()

    def ask(table: str, query: str) -> Any:
        return database.sql(query.format(f"read_parquet('{path}/*/{table}-*.parquet')")).fetchall()

    for table, columns in (
        ("sightings", SIGHTINGS),
        ("host_sightings", HOST_SIGHTINGS),
        ("said", SAID),
        ("coverage", COVERAGE),
    ):
        assert {name: kind for name, kind, *_ in ask(table, "describe from {}")} == columns
    subject = '["communication","courier","unknown:","","telegram"]'
    for day in days:
        query = f"select count(distinct host) from {{}} where subject = '{subject}' and day = {day_number(day)}"
        assert ask("sightings", query) == [(5,)]
    assert ask("host_sightings", f"select days, count(*) from {{}} where subject = '{subject}' group by 1") == [(7, 20)]
    assert ask("coverage", "select * from {} order by day") == [
        ("default", day_number(day), 20 + (day == days[2])) for day in days
    ]
    # all twenty were said on the first day, two days ago; the other program's first moment is exactly a day ago
    assert ask("said", "select * from {}") == []

    run([*records, *late], configuration_of(options, end=days[2] + ONE_DAY), after=path)
    assert ask("said", "select * from {}") == []  # the second was a repeat of the first
    run([*records, late[1]], configuration_of(options, end=days[2] + ONE_DAY), after=path)
    ((*said, event_id, alert_id),) = ask("said", "select * from {}")
    time = day_number(days[2]) * DAY_US + 1
    assert said == ["default", "h1", "other", "unknown:", "", "telegram", time, "Informational"]
    assert (len(event_id), len(alert_id)) == (64, 32)
    assert pa.parquet.read_schema(next(path.glob("*/said-*.parquet"))).names == list(SAID)
