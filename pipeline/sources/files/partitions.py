"""Input partitioned by day: only the days that a run needs, and only when they are complete."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from uncommon_im.pipeline.configuration import Configuration
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.schemas.documents import ConfigurationError, require

log = logging.getLogger(__name__)

DATE: Final = "{date}"


@dataclass(frozen=True)
class Partitions:
    """How input is laid out.

    Args:
        slack_days: `{date}` is the day of ingestion, and records arrive up to so many days after their own day.
        marker: name of a file that says that its folder is complete, such as `_SUCCESS`; `None`: none is asked for.
    """

    slack_days: int = 0
    marker: str | None = None


def needed_days(configuration: Configuration) -> range:
    """Day offsets from `start` of the partitions that a run reads, less the slack: `[-training_days, end - start)`.

    Raises:
        ConfigurationError: the range is open.
    """
    start, end = configuration.start, configuration.end
    if start is None or end is None:
        raise ConfigurationError("--input with {date} needs --start and --end: which days are to be read?")
    return range(-configuration.days_before, (end - start).days)


def find_files(patterns: list[str], configuration: Configuration, partitions: Partitions) -> list[InputFile]:
    """The files that a run reads.

    Args:
        patterns: globs; `{date}` stands for each day that the run needs.
        configuration: which days that are.
        partitions: how they are laid out.

    Raises:
        ConfigurationError: nothing matches, or a folder lacks its marker; names the pattern or the folder.
    """
    plain = [pattern for pattern in patterns if DATE not in pattern]
    found: list[str] = []
    for pattern in (pattern for pattern in patterns if DATE in pattern):
        found += _dated(pattern, configuration, partitions)
    files = match_files(plain + found)
    if partitions.marker:
        for folder in sorted({posixpath.dirname(file.path) for file in files}):
            _require_marker(folder, partitions.marker)
    return files


def _dated(pattern: str, configuration: Configuration, partitions: Partitions) -> list[str]:
    found, empty = [], []
    for day, slack in _days(configuration, partitions.slack_days):
        dated = pattern.replace(DATE, str(day))
        if partitions.marker and not slack:
            _require_marker(posixpath.dirname(dated), partitions.marker)
        if _matches(dated):
            found.append(dated)
        elif not slack:
            empty.append(str(day))
    if not found:
        raise ConfigurationError(f"--input {pattern}: no file for any day from {empty[0]} to {empty[-1]}")
    if empty:
        log.warning("--input %s: no files for %s", pattern, ", ".join(empty))
    return found


def _days(configuration: Configuration, slack_days: int) -> Iterator[tuple[date, bool]]:
    """(day, whether it is only looked into for late records)."""
    offsets = needed_days(configuration)
    assert configuration.start is not None, "needed_days() has seen to it"
    for offset in range(offsets.start, offsets.stop + slack_days):
        yield configuration.start + timedelta(days=offset), offset >= offsets.stop


def _require_marker(folder: str, marker: str) -> None:
    path = posixpath.join(folder, marker)
    require(_matches(path), f"--require-marker: {path} is missing: the folder is not complete yet")


def _matches(pattern: str) -> bool:
    try:
        return bool(FileSystems.match([pattern])[0].metadata_list)
    except (BeamIOError, ValueError, ImportError) as error:
        raise ConfigurationError(f"--input {pattern}: cannot be looked up: {error}") from None
