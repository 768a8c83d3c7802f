"""The backfill: all of history in one pass, exactly (specification, sections 2 to 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from posixpath import join
from typing import Any

import apache_beam as beam

from uncommon_im.pipeline.baselines.read_snapshot import read_snapshot
from uncommon_im.pipeline.baselines.snapshot_folder import SnapshotFolder
from uncommon_im.pipeline.baselines.write_snapshot import WriteSnapshot
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.findings import Findings, as_written, without_secrets
from uncommon_im.pipeline.local.scan_in_processes import ScanInProcesses
from uncommon_im.pipeline.runs.folder import PublishRun, run_folder
from uncommon_im.pipeline.runs.write_evidence import WriteEvidence
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.inputs import Input
from uncommon_im.pipeline.sources.read_inputs import PlanReadings, ReadInputs
from uncommon_im.pipeline.storage.row_files import WriteJsonLines
from uncommon_im.transforms.batch.add_up import add_up
from uncommon_im.transforms.batch.complete_events import CompleteEvents
from uncommon_im.transforms.batch.judge_activities import JudgeActivities
from uncommon_im.transforms.batch.keep_starts import KeepStarts
from uncommon_im.transforms.batch.limit_floods import LimitFloods
from uncommon_im.transforms.batch.measure_prevalence import MeasurePrevalence
from uncommon_im.transforms.batch.scan_events import ScanEvents
from uncommon_im.transforms.batch.warn_of_thin_days import WarnOfThinDays


@dataclass(frozen=True)
class Detection(Findings):
    """What the backfill finds: collections of JSON rows, tallies that add up to the summary, parts of a snapshot and of
    the evidence."""

    tallies: beam.PCollection[Any]
    history: dict[str, beam.PCollection[Any]]
    evidence: dict[str, beam.PCollection[Any]]


@dataclass(frozen=True)
class LocalScan:
    """Scanning by `workers` processes of this machine, which keep what they find in `folder` until the run ends."""

    workers: int
    folder: str


def scan(
    pipeline: beam.Pipeline,
    inputs: Sequence[Input],
    options: JsonOptions,
    configuration: Configuration,
    local: LocalScan | None = None,
) -> Any:
    """One pass over the inputs, as `ScanEvents` describes it: by Beam's workers, or by processes of this machine.

    Args:
        inputs: files and tables; every record of each is scanned once.
        options: how files are read.
        configuration: what is looked for.
        local: by processes of this machine; `None`: Beam's own workers do it.
    """
    if local is None:
        batches = pipeline | "ReadInputs" >> ReadInputs(inputs, options)
        return batches | "ScanEvents" >> ScanEvents(configuration.scan)
    readings = pipeline | "PlanReadings" >> PlanReadings(inputs, options, spread=False)
    return readings | "ScanEvents" >> ScanInProcesses(configuration.scan, options, local.workers, local.folder)


def detect(scanned: Any, configuration: Configuration) -> Detection:
    """The whole detector on bounded input.

    Three collections hold sightings: `sightings` by subject, capped to `Limits.hosts_kept` hosts per day;
    `own_sightings` by host, complete; `host_sightings` the same, packed for a snapshot. `said` are alerts already
    raised or rolled up; a repeat of one is a duplicate.

    Args:
        scanned: the outputs of `scan`; order and size of their blocks do not matter.
        configuration: what to compute, and from which snapshot.
    """
    limits, as_of = configuration.detector.limits, configuration.snapshot_day
    earlier = scanned.coverage.pipeline | "ReadSnapshot" >> read_snapshot(configuration.baseline, configuration.shards)
    coverage = (
        (scanned.coverage, earlier.coverage)
        | "AllCoverage" >> beam.Flatten()
        | "LearnCoverage" >> beam.CombineGlobally(add_up)
    )
    _ = coverage | "WarnOfThinDays" >> WarnOfThinDays(*configuration.judged_days)
    starts = (scanned.starts, earlier.starts) | "AllStarts" >> beam.Flatten()
    completed = {"unfinished": scanned.unfinished, "starts": starts} | "CompleteEvents" >> CompleteEvents(
        configuration.scan
    )
    measured = {
        "sightings": (scanned.sightings, completed.sightings, earlier.sightings) | "AllSightings" >> beam.Flatten(),
        "questions": (scanned.questions, completed.questions) | "AllQuestions" >> beam.Flatten(),
    } | "MeasurePrevalence" >> MeasurePrevalence(configuration.counting_limits, as_of)
    own_sightings = (scanned.own_sightings, completed.own_sightings, earlier.own_sightings)
    judged = {
        "activities": (scanned.activities, completed.activities) | "AllActivities" >> beam.Flatten(),
        "own_sightings": own_sightings | "AllOwnSightings" >> beam.Flatten(),
        "answers": measured.answers,
        "said": earlier.said,
    } | "JudgeActivities" >> JudgeActivities(configuration.judge, coverage)
    limited = judged.candidates | "LimitFloods" >> LimitFloods(limits.max_alerts_per_group, configuration.verdicts)

    return Detection(
        alerts=limited.alerts,
        verdicts=(judged.verdicts, limited.verdicts) | "AllVerdicts" >> beam.Flatten(),
        dead_letters=scanned.dead_letters,
        tallies=(scanned.tallies, completed.tallies, judged.tallies, limited.tallies) | "AllTallies" >> beam.Flatten(),
        history={
            "sightings": measured.sightings,
            "host_sightings": judged.host_sightings,
            "said": judged.said,
            "starts": starts,
            "coverage": coverage,
        },
        evidence={"activities": judged.evidence, "said": earlier.said, "coverage": coverage},
    )


def write(findings: Detection, sinks: Sinks, configuration: Configuration) -> None:
    """Writes the findings to all sinks that there are, then the snapshot if one is asked for; publishes the run last.

    The folders that it writes to are claimed until the run ends: `run_folder(...).staged`, `SnapshotFolder.claimed`.
    """
    findings = without_secrets(findings, configuration)
    total = findings.tallies | "AddUp" >> beam.CombineGlobally(add_up)
    rows, written = {}, []
    if sinks.output:
        staging = run_folder(sinks.output).staging(configuration.run_id)
        alerts = as_written(findings.alerts, configuration)
        rows["alerts"] = alerts | "WriteAlerts" >> WriteJsonLines(join(staging, "alerts"))
        rows["dead_letter"] = findings.dead_letters | "WriteDeadLetters" >> WriteJsonLines(join(staging, "dead_letter"))
        if configuration.verdicts:
            rows["verdicts"] = findings.verdicts | "WriteVerdicts" >> WriteJsonLines(join(staging, "verdicts"))
        if configuration.evidence is not None:
            evidence = WriteEvidence(staging, configuration.evidence_metadata, configuration.judged_days)
            written.append(findings.evidence | "WriteEvidence" >> evidence)
    if sinks.bigquery:
        from uncommon_im.pipeline.sinks.bigquery.merge_rows import WriteBigQuery  # its client takes long to import

        assert sinks.staging is not None, "a backfill loads what it has staged"
        tables = {"alerts": findings.alerts, "dead_letters": findings.dead_letters}
        tables |= {"verdicts": findings.verdicts} if configuration.verdicts else {}
        merged = WriteBigQuery(sinks.bigquery, sinks.staging, configuration, total, findings.history["coverage"])
        written.append(tables | "WriteBigQuery" >> merged)
    if configuration.baseline_out:
        written.append(write_snapshot(findings, configuration, [*rows.values(), *written]))
    if sinks.output:
        _ = total | "PublishRun" >> PublishRun(sinks.output, configuration.run_id, rows, written)


def write_snapshot(
    findings: Detection, configuration: Configuration, before: Sequence[beam.PCollection[Any]] = ()
) -> beam.PCollection[str]:
    """Writes what was learned to the configuration's snapshot, after all of `before` is written; yields its path."""
    assert configuration.baseline_out is not None
    catalogue, lookback = configuration.catalogue, configuration.detector.limits.process_lookback
    keep_starts = KeepStarts(catalogue, configuration.snapshot_day, lookback, configuration.shards)
    kept = findings.history["starts"] | "KeepStarts" >> keep_starts
    written = WriteSnapshot(configuration.baseline_out, configuration.snapshot_metadata, before)
    return {**findings.history, "instances": kept} | "WriteSnapshot" >> written


@contextmanager
def claimed(
    output: str | None, configuration: Configuration, *, force: bool = False, stays: bool = True
) -> Iterator[None]:
    """While the block runs no other run writes to the folders of this one; what it has staged goes if the block fails.

    Args:
        output: the run's folder; `None`: it writes none.
        configuration: of the run.
        force: take over what cannot be proven dead.
        stays: the run ends with this process; else it releases its folders by itself.

    Raises:
        ConfigurationError: another run writes there, something else lies there, or it cannot be written.
    """
    run_id = configuration.run_id
    with ExitStack() as claims:
        if configuration.baseline_out:
            snapshot = SnapshotFolder(configuration.baseline_out)
            claims.enter_context(snapshot.claimed(run_id, force=force, stays=stays))
        if output:
            claims.enter_context(run_folder(output).staged(run_id, force=force, stays=stays))
        yield
