"""Kafka as a source without Kafka: what is asked of Beam's transform, and what `uncommon-im stream` refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import apache_beam as beam
import grpc
import pytest
from apache_beam.coders import RowCoder
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.portability.api import (
    beam_expansion_api_pb2,
    beam_expansion_api_pb2_grpc,
    external_transforms_pb2,
)

from uncommon_im.pipeline.cli.commands.stream import StreamOptions
from uncommon_im.pipeline.cli.main import main, parse


class Noting(beam_expansion_api_pb2_grpc.ExpansionServiceServicer):  # type: ignore[misc]
    """An expansion service that notes what it is asked, and refuses it."""

    def __init__(self) -> None:
        self.asked: list[beam_expansion_api_pb2.ExpansionRequest] = []
        self.lock = threading.Lock()

    def Expand(self, request: beam_expansion_api_pb2.ExpansionRequest, context: object) -> object:
        with self.lock:
            self.asked.append(request)
        return beam_expansion_api_pb2.ExpansionResponse(error="noted")


@pytest.fixture
def noting() -> Iterator[tuple[Noting, str]]:
    service, server = Noting(), grpc.server(futures.ThreadPoolExecutor(1))
    beam_expansion_api_pb2_grpc.add_ExpansionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield service, f"localhost:{port}"
    server.stop(None)


def test_kafka_is_read_as_bytes_from_the_groups_offsets_which_are_committed_with_checkpoints(
    noting: tuple[Noting, str], tmp_path: Path
) -> None:
    service, address = noting
    options = ["--kafka-brokers", "k:9092", "--kafka-topic", "a", "--kafka-topic", "b", "--kafka-group", "g"]
    options += ["--kafka-consumer", "security.protocol=SSL", "--kafka-consumer", "auto.offset.reset=latest"]
    options += ["--kafka-expansion-service", address, "--output", str(tmp_path)]
    _, given, _, _ = parse(["stream", *options])
    assert isinstance(given, StreamOptions)
    with pytest.raises(RuntimeError, match="noted"):
        _ = beam.Pipeline() | given.queue.open()
    (request,) = service.asked
    assert request.transform.spec.urn == ReadFromKafka.URN_WITH_METADATA
    payload = external_transforms_pb2.ExternalConfigurationPayload.FromString(request.transform.spec.payload)
    asked = RowCoder(payload.schema).decode(payload.payload)
    assert asked.topics == ["a", "b"]
    assert asked.consumer_config == {
        "bootstrap.servers": "k:9092",
        "group.id": "g",
        "enable.auto.commit": "false",
        "auto.offset.reset": "latest",
        "security.protocol": "SSL",
    }
    assert asked.commit_offset_in_finalize
    assert asked.timestamp_policy == "LogAppendTime"
    assert {asked.key_deserializer, asked.value_deserializer} == {ReadFromKafka.byte_array_deserializer}


def test_a_password_of_the_consumer_is_shown_to_nobody_but_who_reads_kafka(
    noting: tuple[Noting, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    service, address = noting
    password = 'sasl.jaas.config=org.x.PlainLoginModule required username="u" password="hunter2";'
    options = ["--kafka-brokers", "k:9092", "--kafka-topic", "a", "--kafka-consumer", password]
    options += ["--kafka-expansion-service", address, "--output", str(tmp_path)]
    assert main(["stream", *options, "--runner=PrismRunner", "--verbose"]) == 1
    (request,) = service.asked
    assert b"hunter2" in request.transform.spec.payload
    shown = "".join(capfd.readouterr())
    assert "the run failed: RuntimeError: noted" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--kafka-topic needs --kafka-brokers"),
        (["--kafka-brokers", "k:9092", "--kafka-consumer", "ssl"], "--kafka-consumer, number 1 of them: expected KEY"),
        (["--kafka-brokers", "k:9092", "--kafka-timestamps", "Now"], "invalid choice: 'Now'"),
        (["--kafka-brokers", "k:9092"], "Kafka is read by a Java step, which the engine of this process cannot run"),
    ],
)
def test_a_topic_is_refused_without_what_it_needs(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["stream", "--kafka-topic", "a", "--output", str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err
