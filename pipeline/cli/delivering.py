"""The alerts of a finished run, sent to where people work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from uncommon_im.schemas.documents import ConfigurationError

if TYPE_CHECKING:
    from uncommon_im.pipeline.sinks.delivery.delivery import Delivered
    from uncommon_im.pipeline.sinks.delivery.options import Delivering
    from uncommon_im.transforms.rules.alerts.formats import Document

log = logging.getLogger(__name__)


def deliver_run(delivering: Delivering | None, run: str | None, alert_format: str) -> None:
    """Sends the alerts of a run that has just been published, if they are to be sent.

    They are safe in its folder: who dies in between sends them again with `uncommon-im send --run`. What could not be
    sent does not fail the run, for it is in the spool; a warning says so.
    """
    if delivering is None or run is None:
        return
    delivered = send_run(delivering, run, alert_format)
    log.info("%s alerts sent to %s", f"{delivered.sent:,}", delivering.place)
    if delivered.spooled:
        log.warning("%s", left(delivered, delivering))


def send_run(delivering: Delivering, run: str, alert_format: str) -> Delivered:
    """Sends the alerts in a run's folder.

    Raises:
        ConfigurationError: a line is no alert of the format; what was before it is sent.
    """
    from uncommon_im.pipeline.sinks.delivery.delivery import Delivery

    with Delivery(delivering.target, delivering.spool) as delivery:
        return delivery.send(_documents(run, alert_format))


def left(delivered: Delivered, delivering: Delivering) -> str:
    """What is in the spool, and what to do about it."""
    refused = f", {delivered.refused:,} of which were refused" if delivered.refused else ""
    return (
        f"{delivered.spooled:,} alerts were not taken by {delivering.place}{refused}: they are in {delivering.spool}, "
        "with the reason; once it is mended, `uncommon-im send` with the same --alerts- options sends them again"
    )


def _documents(run: str, alert_format: str) -> Iterator[Document]:
    from uncommon_im.pipeline.runs.read_rows import read_lines
    from uncommon_im.transforms.rules.alerts.formats.written import document_in

    for where, line in read_lines(run, "alerts"):
        try:
            yield document_in(line.decode(), alert_format)
        except ValueError as error:  # of UTF-8, too
            raise ConfigurationError(f"{where}: {error}: --alert-format says how the run was written") from None
