"""`uncommon-im send`: the alerts of a run, or those that could not be sent, to where people work."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import join
from typing import Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.errors import NotReady, RunFailed
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.sinks.delivery.options import DeliveryOptions
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, NATIVE


@dataclass(frozen=True, kw_only=True)
class SendOptions(Options):
    """The options of `send`."""

    run: str | None = option(
        "Send all alerts of this run: the --output of a backfill, replay or stream. Without it, those in the spool "
        "are sent, and leave it.",
        metavar="DIR",
    )
    alert_format: str = option(
        "The format in which alerts are sent. A native run is sent in any format, another one in its own. Alerts of "
        "the spool keep theirs.",
        NATIVE,
        choices=tuple(ALERT_FORMATS),
    )
    delivery: DeliveryOptions


def run_send(options: SendOptions) -> None:
    """`uncommon-im send`.

    Raises:
        ConfigurationError: an option, or a file that is sent, is wrong.
        NotReady: the other side does not answer, or takes nothing now.
        RunFailed: it refuses alerts.
    """
    from uncommon_im.pipeline.cli.delivering import left, send_run
    from uncommon_im.pipeline.sinks.delivery.delivery import Delivery

    delivering = options.delivery.open(options.alert_format)
    require(
        delivering, "nothing says where alerts are sent: give --alerts-url, --alerts-url-file or --alerts-kafka-topic"
    )
    assert delivering is not None
    if options.run is None:
        with Delivery(delivering.target, delivering.spool) as delivery:
            delivered = delivery.send_spooled()
    else:
        _require_run(options.run)
        delivered = send_run(delivering, options.run, options.alert_format)
    print(f"{delivered.sent:,} alerts sent to {delivering.place}, {delivered.spooled:,} left in {delivering.spool}")
    if delivered.refused:
        raise RunFailed(left(delivered, delivering))
    if delivered.spooled:
        raise NotReady(left(delivered, delivering))


def _require_run(run: str) -> None:
    from uncommon_im.pipeline.runs.folder import SUMMARY, run_folder
    from uncommon_im.pipeline.runs.read_rows import files_of
    from uncommon_im.pipeline.storage.listing import exists

    run_folder(run).settle()
    require(
        files_of(run, "alerts") or exists(join(run, SUMMARY)),
        f"--run {run}: neither alerts/*.jsonl nor {SUMMARY} is there: give the --output of a run",
    )


SEND: Final = Command("send", "Send alerts of a run, or of the spool, to where people work.", SendOptions, run_send)
