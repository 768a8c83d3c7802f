"""What has to be done before this version runs where another one ran: each check is a line with the remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.cli.contract import contract
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.configuration.from_options import with_baseline
from uncommon_im.pipeline.runs.folder import SUMMARY, read_summary
from uncommon_im.pipeline.runs.read_rows import read_rows
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.pipeline.storage.table_folder import TableFolder
from uncommon_im.schemas.detector import DETECTOR_VERSION
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.learned import STREAM, StreamMetadata

if TYPE_CHECKING:
    from uncommon_im.pipeline.bigquery.tables import Dataset

State = Literal["fine", "note", "act"]
_RESTART: Final = "restart it from a snapshot (docs/how-to/restart.md)"


@dataclass(frozen=True)
class Line:
    """What a check found: `fine`, a `note` of something that changes and needs nothing, or `act`: something to do."""

    state: State
    text: str


class _Judged(msgspec.Struct):
    """By what an alert was judged."""

    config_digest: str
    detector_version: str


def check_snapshot(path: str, configuration: Configuration) -> Iterator[Line]:
    """Whether a run of this version can start from a snapshot: its version, limits, identity rules and services."""
    where = f"--baseline-in {path}"
    try:
        snapshot = open_snapshot(path)
        with_baseline(configuration, snapshot, learn_changed_services=True)
        fitted = with_baseline(configuration, snapshot, learn_changed_services=False)
    except ConfigurationError as error:
        yield Line("act", str(error))
        return
    services = len(snapshot.metadata.service_digests)
    yield Line("fine", f"{where}: the snapshot of {fitted.start} can be read, and its {services} services are the same")


def check_run(run: str, configuration: Configuration) -> Iterator[Line]:
    """Whether the alerts of this version are judged by the rules of an earlier run's."""
    where = f"--run {run}"
    try:
        read_summary(run)
    except (OSError, ValueError):
        yield Line("act", f"{where}: no run that is done: {SUMMARY} cannot be read")
        return
    try:
        judged = next(iter(read_rows(run, "alerts", _Judged)), None)
    except ConfigurationError as error:
        yield Line("act", str(error))
        return
    if judged is None:
        yield Line("note", f"{where}: the run has no alert, so it does not say by which rules it judged")
    elif judged.config_digest == configuration.digest:
        yield Line("fine", f"{where}: alerts have the config_digest of this version")
    else:
        yield Line(
            "note",
            f"{where}: its alerts have config_digest {judged.config_digest} (version {judged.detector_version}), those "
            f"of this version will have {configuration.digest} (version {DETECTOR_VERSION}): limits, catalogue, rules "
            "or version differ. Give the options of that run; if they are the same, this is expected after an upgrade",
        )


def check_tables(dataset: Dataset, client: Any) -> Iterator[Line]:
    """Whether the tables of a dataset have all columns that runs of this version write."""
    from uncommon_im.schemas.bigquery.tables import TABLES  # needs Google's client

    for name in TABLES:
        try:
            dataset.check(client, [name])
        except ConfigurationError as error:
            yield Line("act", str(error))
        else:
            yield Line("fine", f"{dataset.option} {dataset.path(TABLES[name])}: all columns are there")


def check_learned(path: str, configuration: Configuration) -> Iterator[Line]:
    """Whether what a running stream learns can be read, and whether this version has the same idea of who is who."""
    where = f"--sightings-out {path}"
    missing = f"{where}: no stream wrote there ({STREAM} cannot be read)"
    try:
        stream = StreamMetadata.parse(TableFolder(path, STREAM).read_metadata(missing), where)
    except ConfigurationError as error:
        yield Line("act", str(error))
        return
    differs = [
        what
        for what, theirs, ours in (
            ("limits", stream.limits, configuration.counting_limits),
            ("identity rules", stream.identity_digest, configuration.identity_digest),
            ("services", stream.service_digests, configuration.catalogue.service_digests),
            ("time zone", stream.time_zone, configuration.time_zone),
        )
        if theirs != ours
    ]
    if differs:
        yield Line("act", f"{where}: the stream's {', '.join(differs)} differ from this version's: {_RESTART}")
    else:
        yield Line("fine", f"{where}: limits, identity rules, services and time zone are those of the stream")


def check_contract(path: str) -> Iterator[Line]:
    """Whether a running stream can be updated in place: its version's update contract against this one's."""
    where = f"--stream-contract {path}"
    try:
        with open_binary(path) as file:
            running = json.loads(file.read())
    except (OSError, ValueError) as error:
        yield Line(
            "act", f"{where}: cannot be read as JSON ({error}): give tests/golden/stream/contract.json of its version"
        )
        return
    ours = json.loads(json.dumps(contract()))
    parts = [part for part in ours if not isinstance(running, dict) or running.get(part) != ours[part]]
    if parts:
        yield Line("act", f"{where}: {', '.join(parts)} differ, so the stream cannot be updated: {_RESTART}")
    else:
        yield Line("fine", f"{where}: the stream can be updated in place (deploy/dataflow/update.sh)")


def show(lines: Iterator[Line], say: Callable[[str], object]) -> int:
    """Says each line as it is found; returns the exit status: 1 if something is to do."""
    status = 0
    for line in lines:
        say(f"{line.state:5} {line.text}")
        status = max(status, int(line.state == "act"))
    return status
