"""The lake of a chain of days: which files a day has, what it lacks, and which of them came late."""

from __future__ import annotations

from datetime import date, timedelta

from uncommon_im.pipeline.cli.daily.options import LakeOptions
from uncommon_im.pipeline.cli.daily.state import Files
from uncommon_im.pipeline.sources.files.partitions import missing_marker, on_day
from uncommon_im.pipeline.storage.listing import list_versions


def files_of(lake: LakeOptions, day: date) -> Files:
    """The files that a backfill of a day reads, those of its slack days too, without markers."""
    days = [day + timedelta(days=number) for number in range(lake.partition_slack_days + 1)]
    found = list_versions(*(on_day(pattern, each) for each in days for pattern in lake.lake), option="--lake")
    return {path: seen for path, seen in found.items() if path.rpartition("/")[2] != lake.require_marker}


def missing_from(lake: LakeOptions, files: Files) -> str | None:
    """What says that a day is not complete before anything of it is read; `None`: nothing does."""
    if not files:
        return "it has no file"
    marker = missing_marker(files, lake.require_marker) if lake.require_marker else None
    return f"{marker} is missing" if marker else None


def came_late(files: Files, read: Files) -> list[str]:
    """The files that are there and were not read as they are now. Files that are gone were read, and are no matter."""
    return [path for path, seen in files.items() if read.get(path) != seen]
