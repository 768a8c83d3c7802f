"""`uncommon-im stream`: the detector on what a queue delivers, for as long as it does."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.commands.streaming import StreamingOptions, StreamRun, log_configuration
from uncommon_im.pipeline.configuration.options import StreamDays
from uncommon_im.pipeline.options.declaration import Options
from uncommon_im.pipeline.sinks.delivery.options import DeliveryOptions
from uncommon_im.pipeline.sinks.files.options import StreamFolder
from uncommon_im.pipeline.sinks.queues.options import TopicOptions
from uncommon_im.pipeline.sources.queues.options import QueueOptions
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

log = logging.getLogger(__name__)

LOCAL_RUNNER: Final = "BundleBasedDirectRunner"
"""Beam's engine in this process: the only local one that reads Pub/Sub."""


@dataclass(frozen=True, kw_only=True)
class EndlessOptions(StreamingOptions):
    """What a stream without an end computes."""

    days: StreamDays


@dataclass(frozen=True, kw_only=True)
class StreamOptions(Options):
    """The options of `stream`."""

    queue: QueueOptions
    folder: StreamFolder
    topic: TopicOptions
    delivery: DeliveryOptions
    streaming: EndlessOptions

    def check(self) -> None:
        """Raises `ConfigurationError` unless what is asked for can be written somewhere."""
        output, topic, findings = self.folder.output, self.topic.alerts_topic, self.streaming.findings
        tables = output or self.streaming.tables.bigquery_output
        require(
            tables or topic or self.delivery.is_given,
            "alerts go nowhere: give --output, --bigquery-output, --alerts-topic, --alerts-url or --alerts-kafka-topic",
        )
        require(
            tables or not findings.verdicts, "--verdicts needs --output or --bigquery-output, where they are written"
        )
        findings.check(output, topic, self.delivery.is_given)
        self.topic.check()
        self.folder.check()

    def open(self, beam_options: PipelineOptions) -> StreamRun:
        """The run of the stream that the options say.

        Raises:
            ConfigurationError: an option or a file is wrong.
        """
        configuration = self.streaming.configuration()
        lateness = self.streaming.waiting.allowed(configuration.detector.limits)
        self.check()
        sinks = self.streaming.sinks(beam_options, self.folder.output, self.topic.alerts_topic)
        sinks = replace(sinks, delivering=self.delivery.open(configuration.alert_format))
        return StreamRun(configuration, lateness, sinks, self.queue.records.reading())


def run_stream(options: StreamOptions, rest: list[str]) -> None:
    """`uncommon-im stream`."""
    import apache_beam as beam

    from uncommon_im.pipeline.options.beam import beam_options, names_runner

    source = options.queue.open()
    require(
        not options.queue.kafka_topic or names_runner(rest),
        "Kafka is read by a Java step, which the engine of this process cannot run: --runner takes another one "
        "(docs/how-to/kafka.md)",
    )
    beams = beam_options(["--streaming", *rest], [f"--runner={LOCAL_RUNNER}"])
    run = options.open(beams)
    here = not names_runner(rest)  # workers elsewhere may reach what this machine does not
    if here or options.queue.kafka_topic:
        options.queue.require_reachable()
    if here:
        options.topic.require_reachable()
    options.streaming.learned.begin(run.configuration)
    log_configuration(run.configuration, run.lateness)
    pipeline = beam.Pipeline(options=beams)
    run.build(pipeline | "ReadBlocks" >> source)
    for place in options.streaming.written(options.folder.output, options.topic.alerts_topic).places(summary=False):
        log.info("%s", place)
    _run(pipeline)


def _run(pipeline: beam.Pipeline) -> None:
    """Runs a pipeline until somebody stops it; where jobs live without their launcher it is only launched."""
    from apache_beam.options.pipeline_options import StandardOptions

    runner = pipeline.options.view_as(StandardOptions).runner
    result = pipeline.run()
    if not getattr(result, "has_job", True):
        log.info("the graph is written for Dataflow, which launches the job")
        return
    if "Dataflow" in str(runner):
        log.info("launched as Dataflow job %s", result.job_id())
        return
    log.info("the stream runs; interrupt it (Ctrl-C) to stop it")
    try:
        state = result.wait_until_finish()
    except KeyboardInterrupt:
        log.info("stopped: docs/how-to/restart.md says how a new stream judges what was not judged yet")
        result.cancel()
        return
    raise RuntimeError(f"the engine ended the stream as {state}")


STREAM: Final = Command(
    "stream", "Judge what Pub/Sub or Kafka delivers, until stopped.", StreamOptions, run_stream, beam=True
)
