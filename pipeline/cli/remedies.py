"""What to do about failures that others name without a remedy: a missing Java, a jar that cannot be had."""

from __future__ import annotations

from typing import Final

_JAVA: Final = "Java is not installed, which this engine or Kafka needs: install a Java of version 11 or later"
_REMEDIES: Final = (
    (("No such file or directory: 'java'",), _JAVA),
    (("Java must be installed",), _JAVA),
    (
        ("Unable to fetch remote job server jar", "expansion-service"),
        "Beam cannot download the service that reads Kafka: start one and name it with --kafka-expansion-service "
        "HOST:PORT (docs/how-to/kafka.md), or check the network",
    ),
    (
        ("Unable to fetch remote job server jar",),
        "Beam cannot download Flink's job server: name its jar with --flink_job_server_jar, or a job server that runs "
        "with --job_endpoint (docs/how-to/flink.md), or check the network",
    ),
    (
        ("Unable to parse jar URL",),
        "the jar of the job server is not there: check --flink_job_server_jar (docs/how-to/flink.md)",
    ),
)
"""(texts that are all in the message, what to say instead)."""


_GOOGLE: Final = ("google", "apitools")


def missing_extra(error: BaseException) -> str | None:
    """What to install, where a client of Google Cloud is not there; `None`: that is not what went wrong."""
    name = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if name.partition(".")[0] not in _GOOGLE:
        return None
    return f"Google Cloud needs {name}, which is not installed: pip install 'uncommon-im[gcp]'"


def remedy_of(error: BaseException) -> str | None:
    """What to say of an error instead of its own message; `None`: that will do."""
    text = str(error)
    return next((said for parts, said in _REMEDIES if all(part in text for part in parts)), None)
