"""`uncommon-im stream`: what it refuses, and the graph that it builds. No engine runs."""

from __future__ import annotations

import json
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as proto

from uncommon_im.pipeline.cli.commands.stream import StreamOptions
from uncommon_im.pipeline.cli.main import main, parse
from uncommon_im.pipeline.sinks.queues.pubsub import attributes_of, data_of

SUBSCRIPTION = "projects/project-1/subscriptions/events"
TOPIC = "projects/project-1/topics/alerts"
ALERT = {"alert_id": "a1", "tenant_id": "t", "severity": "Low", "service": {"id": "slack", "name": "Slack"}}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The only line that the command says before it ends with status 2."""
    assert main(["stream", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_stream_reads_from_one_source(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output = ("--output", str(tmp_path))
    assert "one of the arguments --pubsub-subscription" in refused(capsys, *output)
    both = ("--pubsub-subscription", SUBSCRIPTION, "--notifications-subscription", SUBSCRIPTION)
    assert "not allowed with argument --pubsub-subscription" in refused(capsys, *both, *output)


@pytest.mark.parametrize("option", ["--pubsub-subscription", "--notifications-subscription"])
def test_a_subscription_is_named_in_full(option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = refused(capsys, option, "events", "--output", str(tmp_path))
    assert f"{option} events: expected projects/PROJECT/subscriptions/NAME" in line


def test_alerts_have_to_go_somewhere(capsys: pytest.CaptureFixture[str]) -> None:
    source = ("--pubsub-subscription", SUBSCRIPTION)
    assert "give --output, --bigquery-output, --alerts-topic, --alerts-url or --alerts-kafka-topic" in refused(
        capsys, *source
    )
    assert "--alerts-topic t: expected projects/PROJECT/topics/NAME" in refused(capsys, *source, "--alerts-topic", "t")
    assert "--verdicts needs --output" in refused(capsys, *source, "--alerts-topic", TOPIC, "--verdicts")


def test_the_folder_of_a_finished_run_is_refused_and_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "summary.json").write_text("{}")
    line = refused(capsys, "--pubsub-subscription", SUBSCRIPTION, "--output", str(tmp_path))
    assert "a backfill or a replay wrote there" in line
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


def graph(*options: str) -> list[proto.PTransform]:
    _, given, _, _ = parse(["stream", *options])
    assert isinstance(given, StreamOptions)
    pipeline = beam.Pipeline()
    given.open(pipeline.options).build(pipeline | "ReadBlocks" >> given.queue.open())
    return list(pipeline.to_runner_api().components.transforms.values())


@pytest.mark.parametrize("option", ["--pubsub-subscription", "--notifications-subscription"])
def test_messages_come_with_their_attributes_and_serialised_and_nothing_relies_on_id_labels(option: str) -> None:
    steps = graph(option, SUBSCRIPTION, "--alerts-topic", TOPIC)
    (read,) = (step for step in steps if step.spec.urn == "beam:transform:pubsub_read:v1")
    payload = proto.PubSubReadPayload.FromString(read.spec.payload)
    assert (payload.subscription, payload.with_attributes) == (SUBSCRIPTION, True)
    assert (payload.id_attribute, payload.timestamp_attribute, payload.topic) == ("", "", "")
    assert not [step.unique_name for step in steps if "_from_proto_str" in step.unique_name]


def test_both_sinks_are_written_before_what_was_learned_counts_as_complete(tmp_path: Path) -> None:
    sinks = ("--output", str(tmp_path), "--alerts-topic", TOPIC, "--sightings-out", str(tmp_path / "learned"))
    steps = {step.unique_name: step for step in graph("--pubsub-subscription", SUBSCRIPTION, *sinks)}
    written = {output for name in ("WriteAlerts", "PublishAlerts") for output in steps[name].outputs.values()}
    assert set(steps["AlertsWritten"].inputs.values()) == written
    assert len(written) == 2


def test_attributes_say_what_subscriptions_filter_by() -> None:
    assert attributes_of(ALERT) == {"tenant": "t", "severity": "Low", "service": "slack", "alert_id": "a1"}


def test_a_tenant_longer_than_pubsub_takes_is_cut_between_characters() -> None:
    assert attributes_of(ALERT | {"tenant_id": "é" * 2000})["tenant"] == "é" * 512
    assert attributes_of(ALERT | {"tenant_id": "x" + "é" * 2000})["tenant"] == "x" + "é" * 511


def test_an_alert_larger_than_pubsub_takes_is_published_with_its_long_texts_cut() -> None:
    small = json.dumps(ALERT)
    assert data_of(small) == small.encode()
    large = json.loads(data_of(json.dumps(ALERT | {"process": {"command_line": "x" * 16_000_000, "pid": 3}})))
    assert large == ALERT | {"process": {"command_line": "x" * 10_000, "pid": 3}}
