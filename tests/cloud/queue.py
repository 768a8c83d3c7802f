"""A topic of an emulator with a subscription, and a stream in this process that reads from one."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from google.cloud import pubsub

from uncommon_im.pipeline.cli.commands.stream import LOCAL_RUNNER, StreamOptions
from uncommon_im.pipeline.cli.main import parse

PROJECT = "projects/test-project"
SECONDS = 120


class Queue:
    """A topic and a subscription to it, both new."""

    def __init__(self, emulator: str) -> None:
        self.emulator = emulator
        name = f"q{uuid.uuid4().hex}"
        self.topic, self.subscription = f"{PROJECT}/topics/{name}", f"{PROJECT}/subscriptions/{name}"
        self._publisher, self._subscriber = pubsub.PublisherClient(), pubsub.SubscriberClient()

    def __enter__(self) -> Queue:
        self._publisher.create_topic(name=self.topic)
        ordered = {"name": self.subscription, "topic": self.topic, "enable_message_ordering": True}
        self._subscriber.create_subscription(request=ordered)
        return self

    def __exit__(self, *_: object) -> None:
        self._publisher.stop()
        self._subscriber.close()

    def publish(self, *messages: bytes, **attributes: str) -> None:
        """Publishes messages; they are taken when this returns."""
        for sent in [self._publisher.publish(self.topic, data, **attributes) for data in messages]:
            sent.result(SECONDS)

    def pull(self, number: int) -> list[Any]:
        """So many messages of the subscription, acknowledged."""
        found: list[Any] = []
        while len(found) < number:
            received = self._subscriber.pull(subscription=self.subscription, max_messages=100, timeout=SECONDS)
            found += [each.message for each in received.received_messages]
            acknowledged = [each.ack_id for each in received.received_messages]
            if acknowledged:
                self._subscriber.acknowledge(subscription=self.subscription, ack_ids=acknowledged)
        return found

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Messages that hold nothing and notify of nothing, twice a second.

        Beam's local engine waits up to 30 seconds for a message where the emulator holds an empty pull, and all of its
        timers wait with it.
        """
        end = threading.Event()

        def beat() -> None:
            while not end.wait(0.5):
                self.publish(b"", eventType="HEARTBEAT")

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


COUNTED: Counter[str] = Counter()
"""What the stream has counted so far: its engine runs in this process, and its own metrics lose increments."""


def keep(tally: tuple[str, int]) -> None:
    COUNTED[tally[0]] += tally[1]


def wait_for(what: Callable[[], bool]) -> None:
    """Waits until something holds of what the stream has counted or written."""
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end, f"the stream does not get there: {COUNTED}"
        time.sleep(0.2)


@contextmanager
def running(queue: Queue, source: beam.PTransform, *options: str) -> Iterator[None]:
    """A stream over what a source reads, with the options of the command, on `BundleBasedDirectRunner`."""
    COUNTED.clear()
    _, given, _, beams = parse(["stream", "--pubsub-subscription", queue.subscription, *options])
    assert isinstance(given, StreamOptions)
    beam_options = PipelineOptions(["--streaming", *beams])
    pipeline = beam.Pipeline(LOCAL_RUNNER, options=beam_options)
    found = given.open(beam_options).build(pipeline | "ReadBlocks" >> source)
    _ = found.tallies | "Tallies" >> beam.Flatten() | "Keep" >> beam.Map(keep)
    with queue.beating():
        result = pipeline.run()
        try:
            yield
        finally:
            result.cancel()
