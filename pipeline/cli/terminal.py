"""What a terminal shows: messages while a run goes on, what is wrong, tables at its end."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uncommon_im.pipeline.cli.closing import Written
from uncommon_im.pipeline.cli.masking import MaskingFormatter, masked
from uncommon_im.transforms.rules.columns.visible import visible

OURS = "uncommon_im"


def start_logging(verbose: bool) -> None:
    """Our own messages to standard error; Beam's only if `verbose` (what fails is said once, at the end).

    Neither shows passwords or tokens that were given.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger(OURS).setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in ("apache_beam", "PrismRunner"):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.CRITICAL)
    if not verbose:
        handler.addFilter(lambda record: record.name != "PrismRunner")  # as it starts, Beam sets its level again
    for name in ("urllib3", "azure", "botocore"):  # each try of a request, and of each kind of credentials
        logging.getLogger(name).setLevel(logging.WARNING if verbose else logging.ERROR)


def complain(problem: object) -> None:
    """Says on standard error what is wrong, in a line that shows no password or token that it quotes."""
    print(f"uncommon-im: {visible(masked(str(problem)))}", file=sys.stderr)


def plain(text: str) -> Text:
    """Text of telemetry or of a document for a table: it gives no orders to `rich`, and none to the terminal."""
    return Text(visible(text))


def present(report: Mapping[str, Any], as_json: bool, show: Callable[[Mapping[str, Any]], None]) -> None:
    """Prints a report as one JSON object, or shows it."""
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)


def show_summary(summary: dict[str, Any], written: Written) -> None:
    """What a run counted, where all that it wrote is, and what to do next."""
    console = Console()
    events = summary["events"]
    lost = ", ".join(f"{count:,} {reason}" for reason, count in events["dead_letter"].items()) or "none"
    console.print(
        f"\n[bold]{events['read']:,}[/] records read, [bold]{events['valid']:,}[/] valid events, "
        f"{events['out_of_range']:,} out of range; dead letters: {lost}"
    )
    table = Table(title="What became of every activity", title_justify="left")
    table.add_column("verdict")
    table.add_column("activities", justify="right")
    for verdict, count in summary["verdicts"].items():
        style = "bold red" if verdict == "alert" and count else ""
        table.add_row(verdict, f"{count:,}", style=style)
    table.add_section()
    table.add_row("all", f"{summary['activities']:,}")
    console.print(table)
    shown = ", ".join(f"{count:,} {variation}" for variation, count in summary["alerts"].items())
    console.print(f"alerts: {shown}")
    for place in written.places():
        console.print(plain(place), soft_wrap=True)
    say_next(*written.steps(summary))


def say_next(*steps: str) -> None:
    """Says what to do next, a line each."""
    for step in steps:
        print(visible(f"next: {step}"))
