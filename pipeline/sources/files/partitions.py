"""Input partitioned by day: only the days that a run needs, and only when they are complete."""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from uncommon_im.pipeline.errors import NotReady
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.storage.listing import exists, list_files
from uncommon_im.schemas.documents import ConfigurationError, require

log = logging.getLogger(__name__)

_OPENS: Final = "{date"
_DATE: Final = re.compile(r"\{date(?::(?P<form>[^{}]+))?\}")
_PART: Final = re.compile(r"%.?", re.DOTALL)
_OF_A_DAY: Final = ("%Y", "%m", "%d", "%j")


@dataclass(frozen=True)
class Partitions:
    """How input is laid out.

    Args:
        slack_days: `{date}` is the day of ingestion, and records arrive up to so many days after their own day.
        marker: name of a file that says that its folder is complete, such as `_SUCCESS`; `None`: none is required.
    """

    slack_days: int = 0
    marker: str | None = None


def find_files(patterns: list[str], days: tuple[date, date] | None, partitions: Partitions) -> list[InputFile]:
    """The files that a run reads.

    Args:
        patterns: globs; `{date}` stands for each day that the run needs, and so does `{date:%Y%m%d}` in another form.
        days: the first of these days, and the day after the last; `None`: the range is open.
        partitions: how they are laid out.

    Raises:
        ConfigurationError: nothing matches, `{date}` meets an open range or has a form that says no day; names the
            pattern.
        NotReady: a folder lacks its marker; names it.
    """
    plain = [pattern for pattern in patterns if _OPENS not in pattern]
    dated = [day for pattern in patterns if _OPENS in pattern for day in _dated(pattern, days, partitions)]
    files = match_files(plain + dated)
    if partitions.marker:
        _require_marker(missing_marker((file.path for file in files), partitions.marker), False)
    return files


def _dated(pattern: str, days: tuple[date, date] | None, partitions: Partitions) -> list[str]:
    """The pattern of each day that has files; slack days are only searched for late records and may have none."""
    require_form(pattern)
    if days is None:
        raise ConfigurationError("--input with {date} needs --start and --end: which days are to be read?")
    first, end = days
    matching, empty = [], []
    for number in range((end - first).days + partitions.slack_days):
        day = first + timedelta(days=number)
        dated = on_day(pattern, day)
        if dated in matching:  # its folders are those of months or years
            continue
        if partitions.marker and day < end:
            marker = posixpath.join(posixpath.dirname(dated), partitions.marker)
            _require_marker(marker, list_files(marker, option="--require-marker"))
        if list_files(dated, option="--input"):
            matching.append(dated)
        elif day < end:
            empty.append(str(day))
    require(matching, f"--input {pattern}: no file for any day from {first} to {end - timedelta(days=1)}")
    if empty:
        log.warning("--input %s: no files for %s", pattern, ", ".join(empty))
    return matching


def on_day(pattern: str, day: date) -> str:
    """A pattern with the day that it asks for, wherever it does.

    >>> on_day("y={date:%Y}/m={date:%m}/d={date:%d}/h=*/{date}.json", date(2026, 3, 1))
    'y=2026/m=03/d=01/h=*/2026-03-01.json'
    >>> on_day("eventDay={date:%Y%m%d}/*", date(2026, 3, 1))
    'eventDay=20260301/*'
    """
    return _DATE.sub(lambda found: day.strftime(found["form"] or "%Y-%m-%d"), pattern)


def require_form(pattern: str, option: str = "--input") -> None:
    """Raises `ConfigurationError` unless every `{date...}` of a pattern is whole, and of parts of a day alone."""
    for found in _DATE.finditer(pattern):
        form = found["form"]
        parts = _PART.findall(form) if form else _OF_A_DAY
        wrong = next((part for part in parts if part not in _OF_A_DAY), None)
        require(
            parts and not wrong,
            f"{option} {pattern}: {found[0]}: {wrong or 'what is there'} is no part of a day: known are "
            f"{', '.join(_OF_A_DAY)}; for what lies below a day write *",
        )
    require(
        _OPENS not in _DATE.sub("", pattern),
        f"{option} {pattern}: a {_OPENS} is not closed: write {{date}} or, for another form, {{date:%Y%m%d}}",
    )


def missing_marker(files: Iterable[str], marker: str) -> str | None:
    """The path of the first marker that is missing beside files; `None`: each folder has its own."""
    places = (posixpath.join(folder, marker) for folder in sorted({posixpath.dirname(file) for file in files}))
    return next((place for place in places if not exists(place, option="--require-marker")), None)


def _require_marker(path: str | None, found: object) -> None:
    if path and not found:
        raise NotReady(f"--require-marker: {path} is missing: the folder is not complete yet")
