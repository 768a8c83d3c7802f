"""What is found, on its way out of a run: secrets masked, alerts in the format that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import apache_beam as beam

from uncommon_im.transforms.redact_rows import RedactRows
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, NATIVE

if TYPE_CHECKING:
    from uncommon_im.pipeline.configuration import Configuration


@dataclass(frozen=True)
class Findings:
    """What people read of a run: rows, or rows as JSON text."""

    alerts: beam.PCollection[Any]
    verdicts: beam.PCollection[Any]
    dead_letters: beam.PCollection[Any]


Found = TypeVar("Found", bound=Findings)


def without_secrets(found: Found, configuration: Configuration) -> Found:
    """What was found with secrets masked, unless they are to be left; what was learned is for the detector alone."""
    if not configuration.redact:
        return found
    catalogue = configuration.catalogue
    return replace(
        found,
        alerts=found.alerts | "RedactAlerts" >> RedactRows("alert", catalogue),
        verdicts=found.verdicts | "RedactVerdicts" >> RedactRows("verdict", catalogue),
        dead_letters=found.dead_letters | "RedactDeadLetters" >> RedactRows("dead_letter", catalogue),
    )


def as_written(alerts: beam.PCollection[dict[str, Any]], configuration: Configuration) -> beam.PCollection[Any]:
    """Alerts as files hold them."""
    if configuration.alert_format == NATIVE:
        return alerts
    return alerts | "FormatAlerts" >> beam.Map(ALERT_FORMATS[configuration.alert_format])
