"""`uncommon-im evaluate`: what runs over simulated organisations found of what was planted there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import present
from uncommon_im.pipeline.configuration.options import CatalogueOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import path


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Options):
    """The options of `evaluate`."""

    folder: tuple[str, ...] = option(
        "The --output of `simulate`. Several of different seeds can be given.", (), "DIR", positional=True
    )
    run: str = option("The run over each folder's events is in DIR/NAME.", "run", "NAME", parse=path)
    known: CatalogueOptions
    json: bool = option("Print one JSON object instead of tables.", False)


def run_evaluate(options: EvaluateOptions) -> None:
    """`uncommon-im evaluate`.

    Raises:
        ConfigurationError: a folder or its run is not what it should be.
    """
    from uncommon_im.pipeline.lab.evaluation.folder import read_alerts, read_organisation
    from uncommon_im.pipeline.lab.evaluation.report import report_of
    from uncommon_im.pipeline.lab.evaluation.scoring import score

    catalogue = options.known.catalogue()
    scores = []
    for folder in options.folder:
        organisation = read_organisation(folder, catalogue, options.known.operator_ranges)
        run = str(Path(folder, options.run))
        scores.append(score(organisation, read_alerts(folder, run, organisation)))
    report = report_of(scores)
    present(report, options.json, show)


def show(report: Mapping[str, Any]) -> None:
    """The report as three tables: by campaign, by class of malicious campaigns, and all together."""
    console = Console()
    console.print(_campaigns(report["campaigns"]))
    console.print(_classes(report["recall_by_class"]))
    table = Table("all together", title_justify="left")
    table.add_column("figure", justify="right")
    table.add_column("95 % interval", justify="right")
    rates, precision = report["alerts_per_1000_hosts_per_day"], report["precision"]
    table.add_row("recall over malicious campaigns", *_estimate(report["recall"], percent=True))
    for name, estimate in report["recall_by_severity"].items():
        table.add_row(Text(f"  with an alert of severity {name}"), *_estimate(estimate, percent=True))
    for name, estimate in report["told_as_expected"].items():
        table.add_row(Text(f"  told as {name}, of those expected so"), *_estimate(estimate, percent=True))
    table.add_section()
    table.add_row("alerts per 1,000 hosts per day", *_estimate(rates["all"]))
    table.add_row("  not about planted malware", *_estimate(rates["about_nothing_malicious"]))
    for name, estimate in rates["by_variation"].items():
        table.add_row(Text(f"  {name}"), *_estimate(estimate))
    table.add_section()
    table.add_row("precision", *_estimate(precision["all"], percent=True))
    for name, estimate in precision["by_severity"].items():
        table.add_row(Text(f"  {name}"), *_estimate(estimate, percent=True))
    console.print(table)
    hosts = ", ".join(f"{count:,}" for count in report["hosts"])
    console.print(
        f"organisations: {report['organisations']:,}, of {hosts} hosts\n"
        f"alerts in the first {report['learning_days']} days, counted apart: {report['alerts_in_learning_days']:,}\n"
        f"alerts after them: {report['alerts']:,}",
        soft_wrap=True,
    )


def _campaigns(campaigns: list[dict[str, Any]]) -> Table:
    table = Table(title="What was planted, and what was found", title_justify="left")
    table.add_column("campaign", no_wrap=True)
    table.add_column("expected")
    for name in ("detected", "delay", "hosts alerted", "alerts"):
        table.add_column(name, justify="right")
    for each in campaigns:
        delay = each["seconds_to_first_alert"]
        missed = each["malicious"] and each["detected"] < each["planted"]
        hidden = f", {each['hidden']} hidden by an earlier alert" if each["hidden"] else ""
        table.add_row(
            Text(each["campaign"] + ("" if each["malicious"] else "\n(harmless)")),
            Text(each["expected_variation"]),
            f"{each['detected']} of {each['planted']}{hidden}",
            _duration(delay["median"]) if delay else "-",
            f"{each['hosts_told']:,} of {each['hosts']:,}",
            f"{each['alerts']['median']:g} (≤ {each['alerts']['most']})",
            style="bold red" if missed else "",
        )
    return table


def _classes(classes: list[dict[str, Any]]) -> Table:
    table = Table(title="Recall by class of malicious campaigns", title_justify="left")
    table.add_column("class", no_wrap=True)
    for name in ("detected", "recall", "95 % interval"):
        table.add_column(name, justify="right")
    table.add_column("missed")
    for each in classes:
        missed = ", ".join(f"{name} ({times})" if times > 1 else name for name, times in each["missed"].items())
        found = f"{each['detected']} of {each['planted']}"
        table.add_row(Text(each["class"] or "-"), found, *_estimate(each["recall"], percent=True), Text(missed or "-"))
    return table


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _estimate(estimate: Mapping[str, float | None], percent: bool = False) -> tuple[str, str]:
    """(value, interval) as they are shown; "-" for what is not known."""
    value, low, high = (estimate[name] for name in ("value", "low", "high"))
    if value is None:
        return "-", "-"
    if low is None or high is None:
        return _figure(value, percent), "-"
    return _figure(value, percent), f"{_figure(low, percent)} to {_figure(high, percent)}"


def _figure(value: float, percent: bool) -> str:
    return f"{value:.1%}" if percent else f"{value:.2f}"


EVALUATE: Final = Command(
    "evaluate", "Score how much of the planted activity the runs found.", EvaluateOptions, run_evaluate
)
