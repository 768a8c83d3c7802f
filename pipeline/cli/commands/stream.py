"""`uncommon-im stream`: the detector on what a queue delivers, for as long as it does."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING, Any

from uncommon_im.pipeline.bigquery.options import add_bigquery_arguments
from uncommon_im.pipeline.bigquery.output import add_bigquery_output, dataset_of
from uncommon_im.pipeline.cli import options
from uncommon_im.pipeline.cli.commands.replay import add_stream_arguments, lateness_of, log_configuration
from uncommon_im.schemas.documents import ConfigurationError, require

if TYPE_CHECKING:
    import apache_beam as beam

    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.pipeline.configuration import Configuration
    from uncommon_im.pipeline.stream import Detection
    from uncommon_im.transforms.rules.stream.lateness import Lateness

log = logging.getLogger(__name__)

LOCAL_RUNNER = "BundleBasedDirectRunner"
"""Beam's engine in this process: the only local one that reads Pub/Sub."""


def stream_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `stream`."""
    add_source_arguments(sub)
    group = sub.add_argument_group("output")
    group.add_argument("--output", metavar="DIR", help="the stream's own folder; a restarted stream goes on in it")
    group.add_argument(
        "--alerts-topic", metavar="projects/P/topics/T", help="publish alerts; dead letters go to the other outputs"
    )
    add_bigquery_output(group)
    group.add_argument("--verdicts", action="store_true", help="also write one row an activity (verdicts)")
    options.add_alert_arguments(group)
    sub.add_argument("--start", type=options.day, metavar="DATE", help="first day that is judged (UTC)")
    sub.set_defaults(end=None, baseline_out=None, evidence=None)
    options.add_baseline_arguments(sub, leaves_snapshot=False)
    options.add_detector_arguments(sub)
    add_stream_arguments(sub)
    add_bigquery_arguments(sub)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say what is read: one of the sources."""
    group = parser.add_argument_group("input")
    source = group.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--pubsub-subscription", metavar="projects/P/subscriptions/S", help="messages are records, or lines of them"
    )
    source.add_argument(
        "--notifications-subscription",
        metavar="projects/P/subscriptions/S",
        help="messages are notifications of Cloud Storage: read the objects that have been written",
    )
    source.add_argument(
        "--kafka-topic",
        action="append",
        metavar="NAME",
        help="records' values are records, or lines of them; repeatable",
    )
    options.add_format_arguments(group)
    kafka = parser.add_argument_group("Kafka", "on engines that run Java steps too, such as Flink and Dataflow")
    kafka.add_argument("--kafka-brokers", metavar="HOST:PORT,...", help="needed with --kafka-topic")
    kafka.add_argument("--kafka-group", default="uncommon-im", metavar="NAME", help="consumer group (uncommon-im)")
    kafka.add_argument(
        "--kafka-timestamps",
        choices=("LogAppendTime", "CreateTime"),
        default="LogAppendTime",
        help="what stamps the topics' records, which is when they arrived: the broker, or producers",
    )
    kafka.add_argument(
        "--kafka-consumer", action="append", default=[], metavar="KEY=VALUE", help="of Kafka's consumer; repeatable"
    )
    kafka.add_argument(
        "--kafka-expansion-service", metavar="HOST:PORT", help="that knows Beam's Kafka source (Beam starts its own)"
    )


def run_stream(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im stream`."""
    import apache_beam as beam

    from uncommon_im.pipeline.baselines.write_learned import begin_learned

    configuration = options.configuration_of(arguments)
    lateness = lateness_of(arguments, configuration)
    source = source_of(arguments)
    _check_output(arguments)
    require(
        arguments.kafka_topic is None or any(flag.partition("=")[0] == "--runner" for flag in rest),
        "Kafka is read by a Java step, which the engine of this process cannot run: --runner takes another one "
        "(deploy/kafka/README.md)",
    )
    beam_options = options.beam_options(["--streaming", *rest], [f"--runner={LOCAL_RUNNER}"])
    dataset = dataset_of(arguments, beam_options)
    if arguments.sightings_out:
        begin_learned(arguments.sightings_out, configuration.stream_metadata)
    log_configuration(configuration, lateness)
    pipeline = beam.Pipeline(options=beam_options)
    build_stream(pipeline, source, arguments, configuration, lateness, dataset)
    _run(pipeline)


def source_of(arguments: argparse.Namespace) -> beam.PTransform:
    """What reads blocks of arrivals from the source that the arguments name.

    Raises:
        ConfigurationError: it is not named as it has to be.
    """
    from uncommon_im.pipeline.sources.queues.messages import MessagesToBlocks
    from uncommon_im.pipeline.sources.queues.pubsub import ReadNotifications, ReadPubSub

    if arguments.pubsub_subscription is not None:
        _require_resource("--pubsub-subscription", arguments.pubsub_subscription, "subscriptions")
        return ReadPubSub(arguments.pubsub_subscription) | MessagesToBlocks()
    if arguments.kafka_topic is not None:
        return _kafka_of(arguments) | MessagesToBlocks()
    _require_resource("--notifications-subscription", arguments.notifications_subscription, "subscriptions")
    return ReadNotifications(arguments.notifications_subscription)


def _kafka_of(arguments: argparse.Namespace) -> beam.PTransform:
    from uncommon_im.pipeline.sources.queues.kafka import ReadKafka

    require(arguments.kafka_brokers is not None, "--kafka-topic needs --kafka-brokers: where the topic is")
    consumer = {}
    for number, setting in enumerate(arguments.kafka_consumer, 1):
        key, equals, value = setting.partition("=")
        # it is not shown: it may be a password
        require(key and equals, f"--kafka-consumer, number {number} of them: expected KEY=VALUE")
        consumer[key] = value
    return ReadKafka(
        arguments.kafka_brokers,
        arguments.kafka_topic,
        arguments.kafka_group,
        arguments.kafka_timestamps,
        consumer,
        arguments.kafka_expansion_service,
    )


def build_stream(
    pipeline: beam.Pipeline,
    source: beam.PTransform,
    arguments: argparse.Namespace,
    configuration: Configuration,
    lateness: Lateness,
    dataset: Dataset | None = None,
) -> Detection:
    """The stream over what a source reads, with its sinks; what it finds."""
    from uncommon_im.pipeline import stream
    from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
    from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals

    blocks = pipeline | "ReadBlocks" >> source
    reader = OpenArrivals(JsonOptions(arguments.format, arguments.keep_host_domain))
    found = stream.detect(blocks, reader, configuration, lateness)
    sinks = stream.Sinks(arguments.output, arguments.alerts_topic, arguments.sightings_out, dataset)
    stream.write(found, sinks, configuration, lateness)
    return found


def _run(pipeline: beam.Pipeline) -> None:
    """Runs a pipeline until somebody stops it; where jobs live without their launcher it is only launched."""
    from apache_beam.options.pipeline_options import StandardOptions

    runner = pipeline.options.view_as(StandardOptions).runner
    result = pipeline.run()
    if options.only_written(result):
        log.info("the graph is written for Dataflow, which launches the job")
        return
    if "Dataflow" in str(runner):
        log.info("launched as Dataflow job %s", result.job_id())
        return
    log.info("the stream runs; interrupt it (Ctrl-C) to stop it")
    try:
        state = result.wait_until_finish()
    except KeyboardInterrupt:
        log.info("stopped: what was not judged yet is judged after a restart as the README says")
        result.cancel()
        return
    raise RuntimeError(f"the engine ended the stream as {state}")


def _check_output(arguments: argparse.Namespace) -> None:
    from apache_beam.io.filesystems import FileSystems

    from uncommon_im.pipeline.runs.folder import SUMMARY
    from uncommon_im.pipeline.storage.listing import exists
    from uncommon_im.pipeline.storage.whole_file import require_writable

    output = arguments.output
    tables = output or arguments.bigquery_output
    require(tables or arguments.alerts_topic, "alerts go nowhere: give --output, --bigquery-output or --alerts-topic")
    require(tables or not arguments.verdicts, "--verdicts needs --output or --bigquery-output, where they are written")
    options.check_alert_format(arguments, output, arguments.alerts_topic)
    if arguments.alerts_topic:
        _require_resource("--alerts-topic", arguments.alerts_topic, "topics")
    if output:
        require_writable("--output", output)
        require(
            not exists(FileSystems.join(output, SUMMARY)),
            f"--output {output}: a backfill or a replay wrote there ({SUMMARY}): give the stream its own folder",
        )


def _require_resource(option: str, name: str, kind: str) -> None:
    """Raises `ConfigurationError` unless a name is that of a Pub/Sub resource of a kind."""
    from apache_beam.io.gcp import pubsub

    parse: Any = pubsub.parse_topic if kind == "topics" else pubsub.parse_subscription
    try:
        parse(name)
    except ValueError:
        raise ConfigurationError(f"{option} {name}: expected projects/PROJECT/{kind}/NAME") from None
