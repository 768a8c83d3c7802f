"""A simulated organisation's folder, read for scoring: `events/`, `labels.jsonl`, and the alerts of a run over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from uncommon_im.pipeline.lab.evaluation.scoring import Activity, Alert, Campaign, Communication, Organisation, Subject
from uncommon_im.pipeline.runs.folder import SUMMARY, run_folder
from uncommon_im.pipeline.runs.read_rows import read_rows
from uncommon_im.pipeline.sources.files.parquet import RowGroups
from uncommon_im.pipeline.sources.files.parquet_file import row_groups
from uncommon_im.pipeline.storage.listing import list_files
from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.event import LATEST_US
from uncommon_im.transforms.rules.activities.hourly import activities_of
from uncommon_im.transforms.rules.activities.recognised import recognise
from uncommon_im.transforms.rules.baseline.tables import plain
from uncommon_im.transforms.rules.columns.days import DAY_US
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.instances.completing import complete
from uncommon_im.transforms.rules.instances.event_rows import EVENT_ROW_SCHEMA, EventRows, event_rows, start_rows
from uncommon_im.transforms.rules.instances.starts import Starts
from uncommon_im.transforms.rules.recognition.communications import Recogniser
from uncommon_im.transforms.rules.recognition.destination import Destinations
from uncommon_im.transforms.rules.recognition.identity import Identities


def read_organisation(folder: str, catalogue: Catalogue, operator_ranges: bool = False) -> Organisation:
    """What a simulated folder recorded, and what was planted in it.

    Args:
        folder: the `--output` of `uncommon-im simulate`, on this machine.
        catalogue: what an instant messaging server is.
        operator_ranges: as `--operator-ranges`.

    Raises:
        ConfigurationError: it is no such folder; names the file and how to mend it.
    """
    campaigns = read_labels(folder)
    read = CommunicationReader(catalogue, operator_ranges)
    return organisation_of(read.tables(folder), read, campaigns)


def organisation_of(
    tables: Iterable[pa.Table], read: CommunicationReader, campaigns: Sequence[Campaign]
) -> Organisation:
    """What a reader found, put together; `tables` are its own."""
    communications = {
        event_id: communication for table in tables for event_id, communication in communications_of(table)
    }
    first, last = min(read.days), max(read.days)
    return Organisation(len(read.hosts), first, last - first + 1, communications, campaigns)


def read_labels(folder: str) -> list[Campaign]:
    """The campaigns of `labels.jsonl`.

    Raises:
        ConfigurationError: there is no such file, or a line is no label; names the line.
    """
    path = Path(folder, "labels.jsonl")
    require(
        path.is_file(),
        f"{path}: no such file: give the --output of `uncommon-im simulate`, which labels what it plants",
    )
    decoder = msgspec.json.Decoder(Campaign)
    campaigns = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            campaigns.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}, line {number}: no label of a simulation: {error}") from None
    return campaigns


class CommunicationReader:
    """Finds the communications in the events of simulated folders, each completed from the start of its process.

    However old a start is, it counts: a detector is judged by what happened, not by what it can know of it.

    Attributes:
        hosts: ids of the hosts that delivered valid events, over all that was read.
        days: day numbers of these events.
    """

    def __init__(self, catalogue: Catalogue, operator_ranges: bool = False) -> None:
        """Asks the catalogue what an instant messaging server is."""
        destinations = Destinations(catalogue, operator_ranges)
        self._recogniser = Recogniser(destinations, Identities(catalogue))
        self.hosts: set[str] = set()
        self.days: set[int] = set()

    def tables(self, folder: str) -> Iterator[pa.Table]:
        """The communications in `folder/events/*.parquet`, of `ACTIVITY_SCHEMA`, one row each.

        Those that lacked something of their process come last.

        Raises:
            ConfigurationError: there are no events, or a file is not readable.
        """
        files = list_files(f"{folder}/events/*.parquet")
        require(files, f"{folder}/events: no *.parquet there: give the --output of `uncommon-im simulate`")
        paths, waiting = [path for path, _ in files], [EVENT_ROW_SCHEMA.empty_table()]
        for events in _events_of(paths):
            self._note(events)
            found = recognise(self._recogniser, events, events.valid, unfinished=True)
            yield plain(activities_of(events, found.communications, "UTC"))
            waiting.append(plain(event_rows(events, found.unfinished)))
        require(self.days, f"{folder}/events: no valid event there")
        unfinished = pa.concat_tables(waiting)
        if unfinished.num_rows:
            whole = EventRows(complete(unfinished, map(_starts, _events_of(paths)), LATEST_US)).events("default")
            found = recognise(self._recogniser, whole, whole.valid, unfinished=False)
            yield plain(activities_of(whole, found.communications, "UTC"))

    def _note(self, events: Events) -> None:
        hosts, valid = events.text("host_id"), events.valid
        self.hosts.update(hosts.values[code] for code in np.unique(hosts.codes[valid]))
        self.days.update(np.unique(events.time.values[valid] // DAY_US).tolist())


def _events_of(paths: Iterable[str]) -> Iterator[Events]:
    """The events of Parquet files, a row group at a time.

    Raises:
        ConfigurationError: a file is not readable.
    """
    for path in paths:
        try:
            yield from (Events(RowGroups.one(path, number)) for number in range(len(row_groups(path))))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ConfigurationError(f"{path}: cannot be read as events: {error}") from None


def _starts(events: Events) -> Starts:
    return Starts.of(plain(event_rows(events, start_rows(events, events.valid))))


def communications_of(table: pa.Table) -> Iterator[tuple[str, Communication]]:
    """(event id, communication) of rows of `ACTIVITY_SCHEMA`; rows without an id have none that a label could name."""
    names = ("event_id", "host", "program", "origin", "script", "service", "hour", "reduced_script", "event_time")
    columns = (table.column(name).to_pylist() for name in names)
    for event_id, host, program, origin, script, service, hour, reduced, time in zip(*columns, strict=True):
        if event_id is not None:
            activity = Activity(host, program, origin, script, service, hour)
            yield event_id, Communication(activity, Subject(host, program, origin, reduced, service), time)


def read_alerts(folder: str, run: str, organisation: Organisation) -> list[Alert]:
    """The alerts of a finished run over the folder's events.

    Args:
        folder: the simulated folder.
        run: the run's `--output`.
        organisation: what the folder holds.

    Raises:
        ConfigurationError: the run is not there, has not finished, or is about other events.
    """
    events = f"{folder}/events/*.parquet"
    run_folder(run).settle()
    require(
        Path(run, SUMMARY).is_file(),
        f"{run}: no finished run there: make one with `uncommon-im backfill --input '{events}' --output {run}`",
    )
    alerts = list(read_rows(run, "alerts", Alert))
    for alert in alerts:
        require(
            alert.event_id in organisation.communications,
            f"{run}: an alert is about event {alert.event_id}, which is no communication in {folder}/events: "
            "the run was over other events, or with other services",
        )
    return alerts
