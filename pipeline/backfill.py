"""The backfill: all of history in one pass, exactly (specification, sections 2 to 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.configuration import Configuration
from pipeline.sinks.json_lines import WriteJsonLines, WriteSummary
from pipeline.sinks.snapshot import WriteSnapshot
from pipeline.sources.snapshot import ReadSnapshot
from transforms.judge_activities import JudgeActivities
from transforms.learn_coverage import LearnCoverage
from transforms.limit_floods import LimitFloods
from transforms.measure_prevalence import MeasurePrevalence
from transforms.rules.normalise import RawBatch
from transforms.scan_events import ScanEvents


@dataclass(frozen=True)
class Detection:
    """What the backfill finds: collections of JSON rows, tallies that add up to the summary, parts of a snapshot."""

    alerts: beam.PCollection[dict[str, Any]]
    verdicts: beam.PCollection[dict[str, Any]]
    dead_letters: beam.PCollection[dict[str, Any]]
    tallies: beam.PCollection[Any]
    history: dict[str, beam.PCollection[Any]]


def detect(batches: beam.PCollection[RawBatch], configuration: Configuration) -> Detection:
    """The whole detector on bounded input.

    Args:
        batches: every record once; order and size of batches do not matter.
        configuration: what to compute, and from which snapshot.
    """
    limits, as_of = configuration.detector.limits, configuration.snapshot_day
    scanned = batches | "ScanEvents" >> ScanEvents(configuration.scan)
    earlier = batches.pipeline | "ReadSnapshot" >> ReadSnapshot(configuration.baseline, configuration.shards)
    coverage = (
        (scanned.coverage, earlier.coverage)
        | "AllCoverage" >> beam.Flatten()
        | "LearnCoverage" >> beam.CombineGlobally(LearnCoverage())
    )
    measured = {
        "sightings": (scanned.sightings, earlier.sightings) | "AllSightings" >> beam.Flatten(),
        "questions": scanned.questions,
    } | "MeasurePrevalence" >> MeasurePrevalence(limits, as_of)
    judged = {
        "activities": scanned.activities,
        "own_sightings": (scanned.own_sightings, earlier.own_sightings) | "AllOwnSightings" >> beam.Flatten(),
        "answers": measured.answers,
        "said": earlier.said,
    } | "JudgeActivities" >> JudgeActivities(configuration.judge, coverage)
    limited = judged.candidates | "LimitFloods" >> LimitFloods(limits.max_alerts_per_group, configuration.verdicts)

    return Detection(
        alerts=limited.alerts,
        verdicts=(judged.verdicts, limited.verdicts) | "AllVerdicts" >> beam.Flatten(),
        dead_letters=scanned.dead_letters,
        tallies=(scanned.tallies, judged.tallies, limited.tallies) | "AllTallies" >> beam.Flatten(),
        history={
            "sightings": measured.sightings,
            "host_sightings": judged.host_sightings,
            "said": judged.said,
            "coverage": coverage,
        },
    )


def write(found: Detection, output: str, configuration: Configuration) -> None:
    """Writes what was found under a run's folder, the snapshot if one is asked for, the summary last."""
    written = [
        found.alerts | "WriteAlerts" >> WriteJsonLines(output, "alerts"),
        found.dead_letters | "WriteDeadLetters" >> WriteJsonLines(output, "dead_letter"),
    ]
    if configuration.verdicts:
        written.append(found.verdicts | "WriteVerdicts" >> WriteJsonLines(output, "verdicts"))
    if configuration.baseline_out:
        snapshot = WriteSnapshot(configuration.baseline_out, configuration.snapshot_metadata, list(written))
        written.append(found.history | "WriteSnapshot" >> snapshot)
    _ = found.tallies | "WriteSummary" >> WriteSummary(output, written)
