"""`uncommon-im inspect`: what files are, before anything is run over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.cli.terminal import present
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import MOST, Whole
from uncommon_im.pipeline.sources.files.options import FormatOptions
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.pipeline.storage.opening import is_remote
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.documents import require

MOST_RECORDS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class InspectOptions(Options):
    """The options of `inspect`."""

    files: tuple[str, ...] = option("Files, as --input of a run would name them.", (), "FILE", positional=True)
    records: FormatOptions
    most_records: int = option(
        "How many records of each file are looked at, the first ones.", MOST_RECORDS, parse=Whole(1, MOST)
    )
    json: bool = option("Print one JSON object instead of tables.", False)


def run_inspect(options: InspectOptions) -> None:
    """`uncommon-im inspect`.

    Raises:
        ConfigurationError: there is no such file.
    """
    from uncommon_im.pipeline.lab.inspection.files import inspect
    from uncommon_im.pipeline.lab.inspection.show import as_json, show

    require(options.files, "nothing to look at: name a file")
    reading = options.records.reading(BadFilePolicy("skip"))
    found = [
        each
        for pattern in options.files
        for path, size in _files(pattern)
        for each in inspect(path, size, reading, options.most_records)
    ]
    present(as_json(found, load_catalogue()), options.json, lambda report: show(dict(report)))


def _files(pattern: str) -> Iterator[tuple[str, int]]:
    """The file of that name, else those that the glob matches; of Beam only what is elsewhere needs something."""
    if not is_remote(pattern) and Path(pattern).is_file():
        yield pattern, Path(pattern).stat().st_size
        return
    from uncommon_im.pipeline.storage.listing import list_files

    matched = list_files(pattern, option="FILE")
    require(matched, f"{pattern}: matches no file: check the path, and quote globs")
    yield from matched


INSPECT: Final = Command(
    "inspect", "Say what files are and what their events cannot tell.", InspectOptions, run_inspect
)
