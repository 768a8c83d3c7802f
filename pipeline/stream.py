"""The stream: the same detector on unbounded input, equal to the backfill alert by alert (specification, section 9)."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from uncommon_im.pipeline.baselines.read_history import ReadHistory
from uncommon_im.pipeline.baselines.write_learned import WriteLearned
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.findings import Findings, without_secrets
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sinks.files.stream_files import WriteAlertFiles, WriteBundleFiles
from uncommon_im.transforms.rules.columns.days import day_number
from uncommon_im.transforms.rules.stream.judging import JudgingRules
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.stream.complete_hosts import CompleteHosts
from uncommon_im.transforms.stream.follow_hosts import FollowHosts
from uncommon_im.transforms.stream.judge_hosts import JudgeHosts
from uncommon_im.transforms.stream.keep_baselines import KeepBaselines
from uncommon_im.transforms.stream.limit_groups import LimitGroups
from uncommon_im.transforms.stream.parse_arrivals import OpenBlock, ParseArrivals, SeeTelemetry
from uncommon_im.transforms.stream.recognise_completed import RecogniseCompleted


@dataclass(frozen=True)
class Detection(Findings):
    """What the stream finds, and what it learned.

    What it learned comes as messages under keys. Each of the `sightings` is new to its host, or of an hour of the day.
    `coverage` says which tenants delivered when, `starts` what processes are. `earlier_alerts` are alerts already
    raised or rolled up; a repeat of one is a duplicate. `tallies` are the parts of what was counted, by names of
    metrics.
    """

    sightings: beam.PCollection[tuple[str, bytes]]
    coverage: beam.PCollection[tuple[str, bytes]]
    earlier_alerts: beam.PCollection[tuple[str, bytes]]
    starts: beam.PCollection[tuple[str, bytes]]
    tallies: tuple[beam.PCollection[tuple[str, int]], ...]


def detect(
    blocks: beam.PCollection[bytes], open_block: OpenBlock, configuration: Configuration, lateness: Lateness
) -> Detection:
    """The whole detector on unbounded input, in the global window.

    Args:
        blocks: of arrivals, each stamped no later than the first of them arrived.
        open_block: how blocks are read.
        configuration: what to compute, and from which snapshot.
        lateness: how long to wait for records.
    """
    limits, judge, start = configuration.detector.limits, configuration.judge, configuration.range.start
    lookback = configuration.scan.process_lookback
    earlier = blocks.pipeline | "ReadHistory" >> ReadHistory(configuration.baseline, lookback > 0)
    parsed = blocks | "ParseArrivals" >> ParseArrivals(open_block, configuration.scan, lateness)
    telemetry = parsed.coverage | "SeeTelemetry" >> SeeTelemetry()
    instances = (
        (parsed.starts, parsed.unfinished, earlier.instances)
        | "AllOfInstances" >> beam.Flatten()
        | "CompleteHosts" >> CompleteHosts(lateness, lookback)
    )
    completed = instances.completed | "RecogniseCompleted" >> RecogniseCompleted(configuration.scan, lateness)
    followed = (
        (parsed.hosts, completed.hosts, earlier.hosts)
        | "AllOfHosts" >> beam.Flatten()
        | "FollowHosts" >> FollowHosts(lateness, start)
    )
    hours = (parsed.hours, completed.hours) | "AllHours" >> beam.Flatten()
    kept = (
        (followed.sightings, hours, followed.questions, telemetry, earlier.baselines)
        | "AllOfSubjects" >> beam.Flatten()
        | "KeepBaselines" >> KeepBaselines(lateness, limits)
    )
    rules = JudgingRules(judge.writer, lateness, judge.learning_since)
    judged = (
        (followed.activities, kept.answers, earlier.judge)
        | "AllToJudge" >> beam.Flatten()
        | "JudgeHosts" >> JudgeHosts(rules)
    )
    limited = judged.candidates | "LimitGroups" >> LimitGroups(lateness, limits.max_alerts_per_group)
    return Detection(
        alerts=limited.alerts,
        verdicts=(followed.verdicts, judged.verdicts, limited.verdicts) | "AllVerdicts" >> beam.Flatten(),
        dead_letters=parsed.dead_letters,
        sightings=(followed.sightings, hours) | "AllSightings" >> beam.Flatten(),
        coverage=parsed.coverage,
        earlier_alerts=judged.said,
        starts=parsed.starts,
        tallies=(parsed.tallies, completed.tallies, followed.tallies, judged.tallies, limited.tallies),
    )


def write(findings: Detection, sinks: Sinks, configuration: Configuration, lateness: Lateness) -> None:
    """Writes the findings, and what was learned, to all sinks that there are."""
    findings, form = without_secrets(findings, configuration), configuration.alert_format
    alerts_written = []
    if sinks.output:
        alerts_written.append(findings.alerts | "WriteAlerts" >> WriteAlertFiles(sinks.output, form))
        _ = findings.dead_letters | "WriteDeadLetters" >> WriteBundleFiles(sinks.output, "dead_letter")
        if configuration.verdicts:
            _ = findings.verdicts | "WriteVerdicts" >> WriteBundleFiles(sinks.output, "verdicts")
    if sinks.alerts_topic:
        from uncommon_im.pipeline.sinks.queues.pubsub import PublishAlerts  # its client takes long to import

        alerts_written.append(findings.alerts | "PublishAlerts" >> PublishAlerts(sinks.alerts_topic, form))
    if sinks.delivering:
        from uncommon_im.pipeline.sinks.delivery.deliver_alerts import DeliverAlerts

        alerts_written.append(findings.alerts | "DeliverAlerts" >> DeliverAlerts(sinks.delivering, form))
    if sinks.bigquery:
        from uncommon_im.pipeline.sinks.bigquery.insert_rows import InsertIntoBigQuery  # so does this one

        tables, run_id = sinks.bigquery, configuration.run_id
        alerts_written.append(findings.alerts | "InsertAlerts" >> InsertIntoBigQuery(tables, "alerts", run_id))
        _ = findings.dead_letters | "InsertDeadLetters" >> InsertIntoBigQuery(tables, "dead_letters", run_id)
        if configuration.verdicts:
            _ = findings.verdicts | "InsertVerdicts" >> InsertIntoBigQuery(tables, "verdicts", run_id)
    if sinks.sightings_out:
        first = day_number(configuration.baseline.metadata.as_of) if configuration.baseline else 0
        learned = {
            "sightings": findings.sightings,
            "coverage": findings.coverage,
            "said": findings.earlier_alerts,
            "starts": findings.starts,
        }
        alerts = alerts_written[0] if len(alerts_written) == 1 else alerts_written | "AlertsWritten" >> beam.Flatten()
        _ = learned | "WriteLearned" >> WriteLearned(
            sinks.sightings_out, lateness, first, alerts, configuration.catalogue
        )
