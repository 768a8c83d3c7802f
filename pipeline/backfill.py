"""The backfill: all of history in one pass, exactly (specification, sections 2 to 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.configuration import Configuration
from pipeline.sinks.json_lines import WriteJsonLines, WriteSummary
from transforms.judge_activities import JudgeActivities
from transforms.learn_coverage import LearnCoverage
from transforms.limit_floods import LimitFloods
from transforms.measure_prevalence import MeasurePrevalence
from transforms.rules.normalise import RawBatch
from transforms.scan_events import ScanEvents


@dataclass(frozen=True)
class Detection:
    """What the backfill finds, as collections of JSON rows; `tallies` add up to the summary."""

    alerts: beam.PCollection[dict[str, Any]]
    verdicts: beam.PCollection[dict[str, Any]]
    dead_letters: beam.PCollection[dict[str, Any]]
    tallies: beam.PCollection[Any]


def detect(batches: beam.PCollection[RawBatch], configuration: Configuration) -> Detection:
    """The whole detector on bounded input.

    Args:
        batches: every record once; order and size of batches do not matter.
        configuration: what to compute.
    """
    limits, with_rows = configuration.detector.limits, configuration.verdicts

    scanned = batches | "ScanEvents" >> ScanEvents(configuration.scan)
    coverage = scanned.coverage | "LearnCoverage" >> beam.CombineGlobally(LearnCoverage())
    answers = {
        "sightings": scanned.sightings,
        "questions": scanned.questions,
    } | "MeasurePrevalence" >> MeasurePrevalence(limits)
    judged = {
        "activities": scanned.activities,
        "own_sightings": scanned.own_sightings,
        "answers": answers,
    } | "JudgeActivities" >> JudgeActivities(configuration.writer, coverage, configuration.range.start, with_rows)
    limited = judged.candidates | "LimitFloods" >> LimitFloods(limits.max_alerts_per_group, with_rows)

    return Detection(
        alerts=limited.alerts,
        verdicts=(judged.verdicts, limited.verdicts) | "AllVerdicts" >> beam.Flatten(),
        dead_letters=scanned.dead_letters,
        tallies=(scanned.tallies, judged.tallies, limited.tallies) | "AllTallies" >> beam.Flatten(),
    )


def write(found: Detection, output: str, with_verdicts: bool) -> None:
    """Writes what was found under a run's folder, the summary last."""
    written = [
        found.alerts | "WriteAlerts" >> WriteJsonLines(output, "alerts"),
        found.dead_letters | "WriteDeadLetters" >> WriteJsonLines(output, "dead_letter"),
    ]
    if with_verdicts:
        written.append(found.verdicts | "WriteVerdicts" >> WriteJsonLines(output, "verdicts"))
    _ = found.tallies | "WriteSummary" >> WriteSummary(output, written)
