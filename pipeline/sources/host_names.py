"""Names of hosts for alerts, of files that list them beside the events."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.pipeline.storage.listing import list_files
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.transforms.rules.activities.host_names import HostNames
from uncommon_im.transforms.rules.columns.text import clean_text

log = logging.getLogger(__name__)

_READING: Final = JsonOptions(policy=BadFilePolicy("skip"))
"""What is lost of a file comes as dead letters, which say where."""
_Text = str | int | float | None


class _Host(msgspec.Struct, gc=False):
    """A host in a list: by our names of columns, or as `aidmaster` of the Falcon Data Replicator has it."""

    host_id: _Text = None
    host_name: _Text = None
    aid: _Text = None
    ComputerName: _Text = None
    Time: _Text = None

    @property
    def id(self) -> str | None:
        host_id = _clean(self.host_id) or _clean(self.aid)
        return host_id and host_id.lower()

    @property
    def name(self) -> str | None:
        return _clean(self.host_name) or _clean(self.ComputerName)

    @property
    def seconds(self) -> float:
        """When the sensor said so, in seconds since 1970; before all others, if that is not told."""
        try:
            return float(self.Time or "-inf")
        except ValueError:
            return float("-inf")


@dataclass(frozen=True)
class HostNameOptions(Options, title="output"):
    """Names of hosts that events do not tell."""

    host_names: tuple[str, ...] = option(
        "Lists of hosts: files with `host_id` and `host_name`, or CrowdStrike's aidmaster. Alerts take the name of a "
        "host from there if the event has none. No verdict looks at it. They are read once, at the start.",
        (),
        "GLOB",
    )

    def read(self) -> HostNames:
        """The names.

        Of several records of a host the one with the greatest `Time` counts, of equal ones the last, in the order of
        the files' names. Records without a name say nothing.

        Raises:
            ConfigurationError: a file is not there, cannot be read, or holds something else; names file and record.
        """
        names: dict[str, str] = {}
        since: dict[str, float] = {}
        for place, host in self._hosts():
            host_id, name, seconds = host.id, host.name, host.seconds
            require(host_id, f"{place}: it has neither host_id nor aid: which host is it?")
            assert host_id is not None
            if name is not None and seconds >= since.get(host_id, float("-inf")):
                names[host_id], since[host_id] = name, seconds
        if self.host_names:
            require(
                names, f"--host-names {self.host_names[0]}: no record has a name of a host (host_name, ComputerName)"
            )
            log.info("--host-names: %s hosts have names", f"{len(names):,}")
        return HostNames(names)

    def _hosts(self) -> Iterator[tuple[str, _Host]]:
        """(place in messages, record) of each record of all files."""
        decoder = msgspec.json.Decoder(_Host)
        for pattern in self.host_names:
            files = list_files(pattern, option="--host-names")
            require(files, f"--host-names {pattern}: matches no file: check the path, and quote globs")
            for path, size in files:
                for reading in plan_readings(InputFile(path, size, ""), _READING):
                    for block in reading.blocks(_READING.policy):
                        for letter in block.lost:
                            raise ConfigurationError(f"{_place(reading.source, letter.record)}: {letter.detail}")
                        for number, line in zip(block.numbers.tolist(), block.lines, strict=True):
                            place = _place(reading.source, number)
                            yield place, _decoded(decoder, line, place)


def _decoded(decoder: msgspec.json.Decoder[_Host], line: bytes, place: str) -> _Host:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{place}: it is no record of a host: {error}") from None


def _place(source: str, number: int) -> str:
    return f"--host-names {source}, record {number:,}"


def _clean(value: _Text) -> str | None:
    return None if value is None else clean_text(str(value))
