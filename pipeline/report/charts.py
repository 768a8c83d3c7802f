"""Charts as SVG, drawn by Vega-Lite before the page is written: it needs no chart code, and no network.

Colours are the page's CSS variables, so that one drawing serves light and dark.
https://vega.github.io/vega-lite/docs/
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from itertools import accumulate
from typing import Any, Final

import vl_convert
from markupsafe import Markup

_VEGA_LITE: Final = "6.4"
_WIDTHS: Final = {"wide": 860, "narrow": 340}
_MOST_BARS: Final = 140
"""Days that get a bar each; with more a bar is a week."""
_LEAST_BARS: Final = 21
"""Places on the axis, so that the bars of a few days are not slabs."""
Rows = tuple[tuple[date, tuple[int, ...]], ...]
"""(First day of a bar, a count per series), in the order of time."""


@dataclass(frozen=True)
class Series:
    """One colour of a chart: the key of its counts, its name, and the CSS variable of its colour."""

    key: str
    name: str
    colour: str


@dataclass(frozen=True)
class Chart:
    """A drawing for wide and for narrow screens, and what it shows, as rows."""

    series: tuple[Series, ...]
    wide: Markup
    narrow: Markup
    rows: Rows
    weekly: bool


def over_time(
    counts: Mapping[tuple[date, str], int], series: Sequence[Series], span: Collection[date] = ()
) -> Chart | None:
    """Stacked bars by day, or by week from Monday where the days are many; `None`: there is nothing to show.

    Args:
        counts: (day, key of a series) -> how many.
        series: from the bottom of the bars up.
        span: days that are on the axis even where nothing is counted.
    """
    if not counts:
        return None
    days = {day for day, _ in counts} | set(span)
    first, last = min(days), max(days)
    step = timedelta(days=7 if (last - first).days >= _MOST_BARS else 1)
    bars: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for (day, key), count in counts.items():
        bars[_start(day, step)][key] += count
    rows = tuple((day, tuple(bars[day][each.key] for each in series)) for day in sorted(bars))
    axis = _start(first, step), max(_start(last, step) + step, first + _LEAST_BARS * step)
    values = list(_values(rows, step, series))
    svgs = {name: _svg(_spec(values, axis, series, width)) for name, width in _WIDTHS.items()}
    return Chart(tuple(series), svgs["wide"], svgs["narrow"], rows, weekly=step.days > 1)


def _start(day: date, step: timedelta) -> date:
    """The first day of a day's bar; weeks begin on Monday."""
    return day - timedelta(days=day.weekday() % step.days)


def _spec(
    values: list[dict[str, Any]], axis: tuple[date, date], series: Sequence[Series], width: int
) -> dict[str, Any]:
    """chart.json with what differs from chart to chart."""
    spec = json.loads(resources.files(__package__).joinpath("chart.json").read_text(encoding="utf-8"))
    first, last = axis
    x, y, color = (spec["encoding"][name] for name in ("x", "y", "color"))
    spec |= {"width": width, "data": {"values": values}}
    x["scale"]["domain"] = [str(first), str(last)]
    x["axis"] |= {"format": "%-d %b %Y" if first.year < last.year else "%-d %b", "tickCount": width // 75}
    y["axis"]["tickCount"] = min(4, max(value["high"] for value in values))
    color["scale"] = {"domain": [each.key for each in series], "range": [f"var({each.colour})" for each in series]}
    return dict(spec)


def _values(rows: Rows, step: timedelta, series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    for day, counts in rows:
        when = f"{'week from ' if step.days > 1 else ''}{day}"
        highs = accumulate(counts)
        for each, count, high in zip(series, counts, highs, strict=True):
            if count:
                place = {"day": str(day), "end": str(day + step), "low": high - count, "high": high}
                yield place | {"key": each.key, "label": f"{when}: {count:,} {each.name}"}


def _svg(spec: dict[str, Any]) -> Markup:
    """The drawing; Vega escapes what it writes, and nothing in a spec comes from telemetry."""
    return Markup(vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE))
