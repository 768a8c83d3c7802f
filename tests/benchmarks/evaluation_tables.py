"""Figures of many organisations as Markdown tables. Intervals are those of `pipeline.lab.evaluation.intervals`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.benchmarks.evaluation_runs import AFTER_GAP_DAYS, OURS, OURS_LOW, Case
from tests.benchmarks.evaluation_sweep import GROUPS, HOST_DAYS, OTHER_HOSTS
from tests.benchmarks.peers import PEERS
from uncommon_im.pipeline.lab.evaluation.intervals import Estimate, ratio, share
from uncommon_im.pipeline.lab.evaluation.report import PER_HOSTS
from uncommon_im.pipeline.lab.evaluation.scoring import LEARNING_DAYS

Results = Mapping[Case, Mapping[str, Any]]
Detector = Mapping[str, Any]
TITLES = {OURS: "this detector", OURS_LOW: "its alerts of severity Low"} | {peer.name: peer.title for peer in PEERS}


def comparison(results: Results) -> Iterator[str]:
    """A row a detector: recall, alerts, and what a roll-out, a gap, a start, a rerun and a shuffle do to them."""
    yield from _head(
        "detector",
        "recall",
        "hosts told",
        "alerts per 1,000 hosts per day",
        "about nothing malicious",
        "a roll-out",
        f"first {LEARNING_DAYS} days, a day",
        f"{AFTER_GAP_DAYS} days after the gap, a day",
        "recall after it",
        "rerun",
        "shuffled",
    )
    for name, title in TITLES.items():
        ordinary = [result["detectors"][name] for case, result in results.items() if not case.gap]
        gap = [result["detectors"][name] for case, result in results.items() if case.gap]
        hosts = [result["hosts"] for case, result in results.items() if not case.gap]
        gap_hosts = [result["hosts"] for case, result in results.items() if case.gap]
        yield _row(
            title,
            _percent(_recall(ordinary)),
            f"{sum(d['hosts_told'] for d in ordinary):,} of {sum(d['hosts'] for d in ordinary):,}",
            _number(_rate(ordinary, "alerts")),
            _number(_rate(ordinary, "false")),
            f"{sum(d['roll_out'] for d in ordinary) / len(ordinary):.0f}",
            _number(_daily(ordinary, "learning", hosts, LEARNING_DAYS), interval=False),
            _number(_daily(gap, "after_gap", gap_hosts, AFTER_GAP_DAYS), interval=False) if gap else "-",
            _percent(_recall(gap)) if gap else "-",
            _differing(ordinary, "rerun"),
            _differing(ordinary, "shuffled"),
        )


def campaigns(results: Results) -> Iterator[str]:
    """A row a malicious campaign: in how many organisations without a gap each detector found it."""
    ordinary = [result["detectors"] for case, result in results.items() if not case.gap]
    names = list(dict.fromkeys(name for detectors in ordinary for name in detectors[OURS]["found"]))
    yield from _head("campaign", *TITLES.values())
    for campaign in names:
        cells = []
        for detector in TITLES:
            found = [d[detector]["found"][campaign] for d in ordinary if campaign in d[detector]["found"]]
            cells.append(f"{sum(found)} of {len(found)}")
        yield _row(campaign, *cells)


def limits(results: Results) -> Iterator[str]:
    """A row a `max_other_hosts`, a column a `max_host_days`: recall, hosts told, alerts about nothing malicious."""
    swept = [result["sweep"] for case, result in results.items() if not case.gap]
    yield from _head("max_other_hosts", *(f"max_host_days {days}" for days in HOST_DAYS))
    for others in OTHER_HOSTS:
        cells = []
        for days in HOST_DAYS:
            found = [each[f"{others}/{days}"] for each in swept]
            recall = share(sum(f["detected"] for f in found), sum(f["planted"] for f in found))
            told = f"{sum(f['hosts_told'] for f in found):,} of {sum(f['hosts'] for f in found):,}"
            false = _number(_rate(found, "false"), interval=False)
            cells.append(f"{_percent(recall, interval=False)}; {told}; {false}")
        yield _row(str(others), *cells)


def groups(results: Results) -> Iterator[str]:
    """A row a `max_alerts_per_group`: recall, hosts told, all alerts, alerts about nothing malicious."""
    swept = [result["groups"] for case, result in results.items() if not case.gap]
    yield from _head("max_alerts_per_group", "recall", "hosts told", "alerts", "about nothing malicious")
    for group in GROUPS:
        found = [each[str(group)] for each in swept]
        recall = share(sum(f["detected"] for f in found), sum(f["planted"] for f in found))
        told = f"{sum(f['hosts_told'] for f in found):,} of {sum(f['hosts'] for f in found):,}"
        rates = (_number(_rate(found, name)) for name in ("alerts", "false"))
        yield _row(str(group), _percent(recall), told, *rates)


def _recall(detectors: Sequence[Detector]) -> Estimate:
    found = [detected for detector in detectors for detected in detector["found"].values()]
    return share(sum(found), len(found))


def _rate(detectors: Sequence[Mapping[str, Any]], name: str) -> Estimate:
    return ratio([PER_HOSTS * d[name] for d in detectors], [d["host_days"] for d in detectors])


def _daily(detectors: Sequence[Detector], name: str, hosts: Sequence[int], days: int) -> Estimate:
    return ratio([PER_HOSTS * d[name] for d in detectors], [count * days for count in hosts])


def _differing(detectors: Sequence[Detector], name: str) -> str:
    counts = [d[name] for d in detectors]
    return "-" if None in counts else f"{sum(counts):,}"


def _percent(estimate: Estimate, interval: bool = True) -> str:
    return _shown(estimate, lambda value: f"{100 * value:.0f}", " %", interval)


def _number(estimate: Estimate, interval: bool = True) -> str:
    return _shown(estimate, lambda value: f"{value:,.1f}", "", interval)


def _shown(estimate: Estimate, written: Callable[[float], str], unit: str, interval: bool) -> str:
    if estimate.value is None:
        return "-"
    if not interval or estimate.low is None or estimate.high is None:
        return written(estimate.value) + unit
    return f"{written(estimate.value)}{unit} ({written(estimate.low)} to {written(estimate.high)})"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def all_tables(results: Results) -> Iterator[str]:
    """All tables, each size of organisation by itself."""
    for hosts in sorted({case.hosts for case in results}):
        chosen = {case: result for case, result in results.items() if case.hosts == hosts}
        ordinary = sum(not case.gap for case in chosen)
        yield f"\n{hosts:,} hosts: {ordinary} organisations, {len(chosen) - ordinary} with a gap\n"
        for table in (comparison, campaigns, limits, groups):
            yield from _spaced(table(chosen))


def _spaced(lines: Iterable[str]) -> Iterator[str]:
    yield from lines
    yield ""
