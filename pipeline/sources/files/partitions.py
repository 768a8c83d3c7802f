"""Input partitioned by day: only the days that a run needs, and only when they are complete."""

from __future__ import annotations

import logging
import posixpath
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.storage.listing import list_files
from uncommon_im.schemas.documents import ConfigurationError, require

log = logging.getLogger(__name__)

DATE: Final = "{date}"


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
        patterns: globs; `{date}` stands for each day that the run needs.
        days: the first of these days, and the day after the last; `None`: the range is open.
        partitions: how they are laid out.

    Raises:
        ConfigurationError: nothing matches, a folder lacks its marker, or `{date}` meets an open range; names the
            pattern or the folder.
    """
    plain = [pattern for pattern in patterns if DATE not in pattern]
    dated = [day for pattern in patterns if DATE in pattern for day in _dated(pattern, days, partitions)]
    files = match_files(plain + dated)
    if partitions.marker:
        for folder in sorted({posixpath.dirname(file.path) for file in files}):
            _require_marker(folder, partitions.marker)
    return files


def _dated(pattern: str, days: tuple[date, date] | None, partitions: Partitions) -> list[str]:
    """The pattern of each day that has files; slack days are only searched for late records and may have none."""
    if days is None:
        raise ConfigurationError("--input with {date} needs --start and --end: which days are to be read?")
    first, end = days
    matching, empty = [], []
    for number in range((end - first).days + partitions.slack_days):
        day = first + timedelta(days=number)
        dated = pattern.replace(DATE, str(day))
        if partitions.marker and day < end:
            _require_marker(posixpath.dirname(dated), partitions.marker)
        if list_files(dated, option="--input"):
            matching.append(dated)
        elif day < end:
            empty.append(str(day))
    require(matching, f"--input {pattern}: no file for any day from {first} to {end - timedelta(days=1)}")
    if empty:
        log.warning("--input %s: no files for %s", pattern, ", ".join(empty))
    return matching


def _require_marker(folder: str, marker: str) -> None:
    path = posixpath.join(folder, marker)
    require(
        list_files(path, option="--require-marker"),
        f"--require-marker: {path} is missing: the folder is not complete yet",
    )
