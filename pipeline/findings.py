"""The findings of a run on their way out: secrets masked, alerts in the format that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import apache_beam as beam

from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.transforms.redact_rows import RedactRows
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, NATIVE

Row = dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """What people read of a run: rows, which are JSON objects in Python. Sinks encode them."""

    alerts: beam.PCollection[Row]
    verdicts: beam.PCollection[Row]
    dead_letters: beam.PCollection[Row]


AnyFindings = TypeVar("AnyFindings", bound=Findings)


def without_secrets(findings: AnyFindings, configuration: Configuration) -> AnyFindings:
    """Findings with secrets masked, unless they are to be left; what was learned is for the detector alone."""
    if not configuration.redact:
        return findings
    catalogue = configuration.catalogue
    return replace(
        findings,
        alerts=findings.alerts | "RedactAlerts" >> RedactRows("alert", catalogue),
        verdicts=findings.verdicts | "RedactVerdicts" >> RedactRows("verdict", catalogue),
        dead_letters=findings.dead_letters | "RedactDeadLetters" >> RedactRows("dead_letter", catalogue),
    )


def as_written(alerts: beam.PCollection[Row], configuration: Configuration) -> beam.PCollection[Row | str]:
    """Alerts as files hold them: JSON objects, or lines of text."""
    if configuration.alert_format == NATIVE:
        return alerts
    return alerts | "FormatAlerts" >> beam.Map(ALERT_FORMATS[configuration.alert_format])
