"""The options of delivery: which server or topic takes the alerts, and where the spool is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import Whole, addresses, topic
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.alerts.formats import CEF, NATIVE

if TYPE_CHECKING:
    from uncommon_im.pipeline.sinks.delivery.sending import Secret, Target

log = logging.getLogger(__name__)

KINDS: Final = ("webhook", "splunk", "elastic", "slack", "teams", "jira")
_SECRET_ADDRESSES: Final = ("slack", "teams")
"""Whoever knows the URL of such a webhook may write to it."""


@dataclass(frozen=True)
class Delivering:
    """Where alerts go, and the folder of what could not be sent."""

    target: Target
    spool: str
    place: str
    """As messages may show it."""


@dataclass(frozen=True)
class DeliveryOptions(
    Options,
    title="sending alerts",
    about="Alerts are sent to one server or topic, at least once, under the same alert_id each time.",
):
    """Which other system takes the alerts."""

    alerts_url: str | None = option(
        "Send alerts to this server by HTTP. Give a URL that is a secret by --alerts-url-file.", metavar="URL"
    )
    alerts_url_file: str | None = option("The same; the URL is in this file.", metavar="FILE")
    alerts_to: str = option(
        "What server that is. splunk: an HTTP Event Collector. elastic: _bulk of Elasticsearch or OpenSearch. slack, "
        "teams, jira: they get a message of the shipped template. webhook: it gets an alert a request.",
        "webhook",
        choices=KINDS,
    )
    alerts_template: str | None = option(
        "A template in Jinja that makes the JSON of a request from a native alert.", metavar="FILE"
    )
    alerts_token_file: str | None = option(
        "A file with the token that the server wants, or with a scheme and credentials: Basic ...", metavar="FILE"
    )
    alerts_token_env: str | None = option("The environment variable that holds the same.", metavar="NAME")
    alerts_ca: str | None = option("Trust the certificates in this file (PEM) instead of the system's.", metavar="FILE")
    alerts_rate: int = option("How many requests a second a process sends at most.", 10, parse=Whole(1, 1_000))
    alerts_attempts: int = option("How often a request is tried, with longer and longer waits.", 6, parse=Whole(1, 20))
    alerts_kafka_topic: str | None = option("Send alerts to this topic of Kafka.", metavar="NAME", parse=topic)
    alerts_kafka_brokers: str | None = option("Where its brokers are.", metavar="HOST:PORT,...", parse=addresses)
    alerts_kafka_settings: str | None = option(
        "A file with settings of librdkafka's producer, such as those of authentication: KEY=VALUE, one a line.",
        metavar="FILE",
    )
    alerts_spool: str | None = option(
        "The folder of alerts that could not be sent. `uncommon-im send` sends them again.", metavar="DIR"
    )

    @property
    def is_given(self) -> bool:
        """Whether alerts are to be sent."""
        return bool(self.alerts_url or self.alerts_url_file or self.alerts_kafka_topic)

    def open(self, alert_format: str) -> Delivering | None:
        """Where alerts go, as far as it can be known before; `None`: they are not to be sent.

        Raises:
            ConfigurationError: an option is missing or one too many, or a file cannot be read.
        """
        self._check(alert_format)
        if not self.is_given:
            return None
        target, place = self._kafka() if self.alerts_kafka_topic else self._http(alert_format)
        target.open(lambda: None).close()
        assert self.alerts_spool is not None
        from uncommon_im.pipeline.storage.changing import require_writable

        require_writable("--alerts-spool", self.alerts_spool)
        return Delivering(target, self.alerts_spool, place)

    def _check(self, alert_format: str) -> None:
        given = [name for name in ("alerts_url", "alerts_url_file", "alerts_kafka_topic") if getattr(self, name)]
        named = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        require(
            len(given) < 2, f"{named} are both given: alerts are sent to one place; a second one takes `send --run`"
        )
        if not given:
            lonely = next((name for name in _OF_DELIVERY if getattr(self, name)), None)
            require(
                not lonely,
                f"--{(lonely or '').replace('_', '-')}: nothing says where alerts are sent: give --alerts-url, "
                "--alerts-url-file or --alerts-kafka-topic",
            )
            return
        require(self.alerts_spool, f"{named} needs --alerts-spool: the folder of alerts that could not be sent")
        if self.alerts_kafka_topic:
            require(self.alerts_kafka_brokers, "--alerts-kafka-topic needs --alerts-kafka-brokers: where the topic is")
        else:
            self._check_http(alert_format)

    def _check_http(self, alert_format: str) -> None:
        kind = self.alerts_to
        require(
            not (self.alerts_url and (kind in _SECRET_ADDRESSES or "@" in self.alerts_url.partition("?")[0])),
            "--alerts-url: this URL is a secret, which others see in the list of processes: put it into a file, and "
            "give --alerts-url-file",
        )
        require(
            not (self.alerts_token_file and self.alerts_token_env),
            "--alerts-token-file and --alerts-token-env are both given: one of them holds the token",
        )
        require(
            alert_format != CEF or kind != "elastic", "--alert-format cef is text, and --alerts-to elastic takes JSON"
        )
        require(
            not self.alerts_template or kind not in ("splunk", "elastic"),
            f"--alerts-template is for chats, tickets and webhooks: --alerts-to {kind} has a form of its own",
        )
        require(
            alert_format == NATIVE or (kind in ("webhook", "splunk", "elastic") and not self.alerts_template),
            f"--alert-format {alert_format}: a template is given native alerts: leave the option out",
        )

    def _kafka(self) -> tuple[Target, str]:
        from uncommon_im.pipeline.sinks.delivery.kafka import KafkaTarget

        assert self.alerts_kafka_topic is not None
        assert self.alerts_kafka_brokers is not None
        settings = _file("--alerts-kafka-settings", self.alerts_kafka_settings)
        target = KafkaTarget(self.alerts_kafka_brokers, self.alerts_kafka_topic, settings)
        return target, f"the topic {self.alerts_kafka_topic} of {self.alerts_kafka_brokers}"

    def _http(self, alert_format: str) -> tuple[Target, str]:
        from uncommon_im.pipeline.sinks.delivery.http import HttpTarget, place_of
        from uncommon_im.pipeline.sinks.delivery.sending import Secret
        from uncommon_im.pipeline.sinks.delivery.templates import source_of

        url = _file("--alerts-url-file", self.alerts_url_file)
        url = url or Secret("--alerts-url", plain=self.alerts_url or "")
        token = _file("--alerts-token-file", self.alerts_token_file)
        if self.alerts_token_env:
            token = Secret("--alerts-token-env", variable=self.alerts_token_env)
        place = place_of(url)
        if token and place.startswith("http://"):
            log.warning("the token goes to %s without TLS: others may read it on its way", place)
        target = HttpTarget(
            kind=self.alerts_to,
            url=url,
            alert_format=alert_format,
            token=token,
            template=source_of(self.alerts_to, self.alerts_template),
            authorities=_file("--alerts-ca", self.alerts_ca),
            rate=self.alerts_rate,
            attempts=self.alerts_attempts,
        )
        return target, place


_OF_DELIVERY: Final = (
    *("alerts_template", "alerts_token_file", "alerts_token_env", "alerts_ca"),
    *("alerts_kafka_brokers", "alerts_kafka_settings", "alerts_spool"),
)
"""Options that mean nothing without a place to send to."""


def _file(option: str, path: str | None) -> Secret | None:
    from uncommon_im.pipeline.sinks.delivery.sending import Secret

    return Secret(option, file=path) if path else None
