"""The options of queues as a sink."""

from __future__ import annotations

from dataclasses import dataclass

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import require_resource
from uncommon_im.pipeline.storage.reach import require_pubsub


@dataclass(frozen=True)
class TopicOptions(Options, title="output"):
    """The topic of alerts."""

    alerts_topic: str | None = option(
        "Publish alerts to this topic. Dead letters go to the other outputs.", metavar="projects/P/topics/T"
    )

    def check(self) -> None:
        """Raises `ConfigurationError` unless the topic is named in full."""
        if self.alerts_topic:
            require_resource("--alerts-topic", self.alerts_topic, "topics")

    def require_reachable(self) -> None:
        """Raises `ConfigurationError` unless Pub/Sub can be reached; it may take seconds."""
        if self.alerts_topic:
            require_pubsub(f"--alerts-topic {self.alerts_topic}")
