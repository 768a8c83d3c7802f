"""Pub/Sub as a source: messages that hold records, and notifications of objects that do."""

# No `from __future__ import annotations`: Beam makes a coder of a NamedTuple from its types, which text is not.
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import apache_beam as beam
import msgspec
from apache_beam.coders import registry
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from google.pubsub_v1 import types

from uncommon_im.pipeline.sources.files.json_lines import ANY_FORMAT, JsonOptions
from uncommon_im.pipeline.sources.queues.arrivals import block_of_lost
from uncommon_im.pipeline.sources.queues.messages import Message
from uncommon_im.pipeline.sources.queues.objects import MissingObject, ReadObject
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.stream.keyed_step import NAMESPACE

_PARSE: Final = types.PubsubMessage.pb().FromString
_FINALIZE: Final = "OBJECT_FINALIZE"
_RAW_CHARACTERS: Final = 4096


class Noticed(NamedTuple):
    """A notification that an object has been written.

    Args:
        path: of the object.
        generation: of the object, as text; empty if it was not said.
        arrival: of the notification (µs since 1970).
    """

    path: str
    generation: str
    arrival: int

    @property
    def source(self) -> str:
        """What dead letters call the object."""
        return f"{self.path}#{self.generation}" if self.generation else self.path


registry.register_row(Noticed)


@dataclass
class ReadPubSub(beam.PTransform):
    """A subscription -> `Message`s that arrived when they were published.

    At least once, in no order that counts: a message that is delivered again is the same one, with the same arrival,
    and teaches and alerts nothing new. The engine's watermark follows publish times; nothing looks at `id_label`.

    Args:
        subscription: `projects/P/subscriptions/S`.
    """

    subscription: str

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[Message]:
        """Receives, and keeps of each message what is needed."""
        to_message = beam.Map(message_of, self.subscription).with_output_types(Message)
        return start | "Receive" >> _receive(self.subscription) | "ToMessage" >> to_message


@dataclass
class ReadNotifications(beam.PTransform):
    """A subscription to notifications of Cloud Storage -> blocks of the objects that have been written.

    Each record of each object is in exactly one block for each notification, and arrived when the notification was
    published. Other events than `OBJECT_FINALIZE` are counted and acknowledged. A notification that is delivered again
    is read again: the same records, which change no alert. An object that was overwritten is read as it is now, once
    for each of its notifications; what only its older generation held is lost unless it was read in time. An object
    that is not there any more is a dead letter that names it and its generation, and so is what cannot be read of an
    object. Whatever else fails is tried again, by the engine or by redelivery.

    Args:
        subscription: `projects/P/subscriptions/S`.
        prefix: what precedes the bucket in the path of an object.
        options: how objects are read.
    """

    subscription: str
    prefix: str = "gs://"
    options: JsonOptions = ANY_FORMAT

    def expand(self, start: beam.pvalue.PBegin) -> beam.PCollection[bytes]:
        """Receives, then reads what notifications name."""
        return (
            start
            | "Receive" >> _receive(self.subscription)
            | "ToBlocks" >> NotificationsToBlocks(self.subscription, self.prefix, self.options)
        )


@dataclass
class NotificationsToBlocks(beam.PTransform):
    """Notifications, as engines hand out messages -> blocks; what `ReadNotifications` says of them holds here.

    Args:
        subscription: that they came from.
        prefix: what precedes the bucket in the path of an object.
        options: how objects are read.
    """

    subscription: str
    prefix: str = "gs://"
    options: JsonOptions = ANY_FORMAT

    def expand(self, notifications: beam.PCollection[bytes]) -> beam.PCollection[bytes]:
        """Objects are spread over workers: one message may stand for much."""
        notice = beam.ParDo(_Notice(self.subscription, self.prefix)).with_output_types(Noticed, blocks=bytes)
        noticed = notifications | "Notice" >> notice.with_outputs("blocks", main="noticed")
        read = beam.ParDo(_ReadObjects(self.options)).with_output_types(bytes)
        blocks = noticed.noticed | "SpreadObjects" >> beam.Reshuffle() | "ReadObjects" >> read
        return (blocks, noticed.blocks) | "AllBlocks" >> beam.Flatten()


def message_of(element: bytes | PubsubMessage, subscription: str) -> Message:
    """What is needed of a message, as engines hand it out: serialised, or as Beam's local engine has it."""
    raw = _PARSE(element) if isinstance(element, bytes) else element
    return Message(raw.data, _published(raw.publish_time), f"{subscription}#{raw.message_id}")


def noticed_of(attributes: dict[str, str], data: bytes, arrival: int, prefix: str) -> tuple[str, Noticed | None]:
    """What a notification says: the event, and the object if it could be told.

    Cloud Storage says it in the attributes; others hand on the object's own JSON.
    """
    given = attributes
    if "bucketId" not in attributes or "objectId" not in attributes:
        given = _payload(data)
    event = attributes.get("eventType", _FINALIZE)
    bucket, name = given.get("bucketId"), given.get("objectId")
    if not bucket or not name or "\n" in bucket + name:  # no object's name has a newline; Beam cannot open such a path
        return event, None
    return event, Noticed(f"{prefix}{bucket}/{name}", given.get("objectGeneration", ""), arrival)


def _payload(data: bytes) -> dict[str, str]:
    """The resource of an object under the names of the attributes; empty if the data is none."""
    try:
        found = msgspec.json.decode(data, type=_Resource)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return {"bucketId": found.bucket, "objectId": found.name, "objectGeneration": str(found.generation)}


class _Resource(msgspec.Struct):
    bucket: str
    name: str
    generation: str | int = ""


def _receive(subscription: str) -> beam.io.ReadFromPubSub:
    """Messages with all that comes with them, serialised: Beam would decode each in 18 µs, which takes 1 here."""
    read = beam.io.ReadFromPubSub(subscription=subscription, with_attributes=True)
    read.with_attributes = False
    return read


def _published(time: Any) -> int:
    """A publish time in µs since 1970; protobuf and its wrapper each have their own."""
    if hasattr(time, "nanos"):
        return int(time.seconds * 1_000_000 + time.nanos // 1000)
    return int(time.timestamp()) * 1_000_000 + int(time.microsecond)


class _Notice(beam.DoFn):
    def __init__(self, subscription: str, prefix: str) -> None:
        self._subscription, self._prefix = subscription, prefix

    def process(self, element: bytes | PubsubMessage) -> Iterator[Any]:
        message = message_of(element, self._subscription)
        attributes = dict((_PARSE(element) if isinstance(element, bytes) else element).attributes)
        event, noticed = noticed_of(attributes, message.data, message.arrival, self._prefix)
        if event != _FINALIZE:
            count("other_event")
        elif noticed is None:
            count("malformed")
            raw = message.data.decode("utf-8", "replace")[:_RAW_CHARACTERS]
            letter = DeadLetter("malformed", "notification names no object", message.source, 1, raw)
            yield TaggedOutput("blocks", block_of_lost([letter], message.arrival))
        else:
            if "overwroteGeneration" in attributes:
                count("overwritten")
            yield noticed


class _ReadObjects(beam.DoFn):
    def __init__(self, options: JsonOptions) -> None:
        self._options = options

    def process(self, noticed: Noticed) -> Iterator[bytes]:
        try:
            yield from ReadObject(noticed.path, noticed.source, noticed.arrival, self._options).blocks()
            count("read")
        except MissingObject:
            count("missing")
            detail = f"object {noticed.source} is not there: it was deleted before it was read"
            letter = DeadLetter("malformed", detail, noticed.source, 1, noticed.path)
            yield block_of_lost([letter], noticed.arrival)


def count(what: str) -> None:
    """Counts a notification."""
    Metrics.counter(NAMESPACE, f"notifications.{what}").inc()
