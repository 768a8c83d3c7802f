"""What `stream` and `replay` share: options, sinks, and the graph over whatever is read."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msgspec import structs

from uncommon_im.pipeline.bigquery.options import BigQueryOptions
from uncommon_im.pipeline.cli.closing import Written
from uncommon_im.pipeline.configuration.options import (
    DayOptions,
    DetectorOptions,
    LatenessOptions,
    StreamBaseline,
    StreamFindings,
)
from uncommon_im.pipeline.options.declaration import Options
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sinks.bigquery.options import DatasetOptions
from uncommon_im.pipeline.sinks.files.options import LearnedFolder
from uncommon_im.pipeline.sources.host_names import HostNameOptions
from uncommon_im.transforms.rules.columns.days import SECOND_US

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.configuration.configuration import Configuration
    from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
    from uncommon_im.pipeline.stream import Detection
    from uncommon_im.transforms.rules.stream.lateness import Lateness

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class StreamingOptions(Options):
    """What a stream computes, and where tables and what it learns are."""

    tables: DatasetOptions
    findings: StreamFindings
    hosts: HostNameOptions
    days: DayOptions
    baseline: StreamBaseline
    detector: DetectorOptions
    waiting: LatenessOptions
    learned: LearnedFolder
    bigquery: BigQueryOptions

    def configuration(self) -> Configuration:
        """What is computed.

        Raises:
            ConfigurationError: an option or a file is wrong.
        """
        from uncommon_im.pipeline.configuration.from_options import configuration_of

        configuration = configuration_of(self.detector, self.days, self.baseline, self.findings)
        return replace(configuration, host_names=self.hosts.read())

    def written(self, output: str | None, topic: str | None = None) -> Written:
        """Where it leaves what it finds and learns."""
        return Written(
            output,
            self.tables.bigquery_output,
            verdicts=self.findings.verdicts,
            learned=self.learned.sightings_out,
            topic=topic,
        )

    def sinks(self, beam_options: PipelineOptions, output: str | None, alerts_topic: str | None = None) -> Sinks:
        """Where the stream writes.

        Raises:
            ConfigurationError: the dataset is not as it should be.
        """
        dataset = self.tables.open(self.bigquery, beam_options, self.findings.verdicts)
        return Sinks(output, alerts_topic, self.learned.sightings_out, dataset)


@dataclass(frozen=True)
class StreamRun:
    """One run of the stream, whatever it reads."""

    configuration: Configuration
    lateness: Lateness
    sinks: Sinks
    reading: JsonOptions

    def build(self, blocks: beam.PCollection[bytes]) -> Detection:
        """The stream over blocks of arrivals, with its sinks; its findings."""
        from uncommon_im.pipeline import stream
        from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals

        findings = stream.detect(blocks, OpenArrivals(self.reading), self.configuration, self.lateness)
        stream.write(findings, self.sinks, self.configuration, self.lateness)
        return findings


def log_configuration(configuration: Configuration, lateness: Lateness) -> None:
    """The effective configuration as one record in the log."""
    baseline = configuration.baseline
    effective = {
        "run_id": configuration.run_id,
        "detector": configuration.detector.id,
        "limits": structs.asdict(configuration.detector.limits),
        "lateness_s": lateness.allowed // SECOND_US,
        "late_horizon_s": lateness.horizon // SECOND_US,
        "config_digest": configuration.digest,
        "services": len(configuration.catalogue.services),
        "operator_ranges": configuration.operator_ranges,
        "exceptions": len(configuration.exceptions),
        "malicious": len(configuration.malicious),
        "tenant": configuration.tenant,
        "start": configuration.start,
        "end": configuration.end,
        "baseline_as_of": baseline.metadata.as_of if baseline else None,
        "learning_since": {service: str(day) for service, day in configuration.learning_since.items()},
    }
    log.info("configuration %s", json.dumps(effective, default=str))
