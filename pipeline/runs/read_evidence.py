"""The evidence of an earlier run as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join

import pyarrow as pa

from uncommon_im.pipeline.runs.folder import SUMMARY, run_folder
from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.pipeline.storage.listing import exists, list_folder
from uncommon_im.pipeline.storage.table_folder import TableFolder
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.evidence import FOLDER, METADATA, RARE_ACTIVITY_SCHEMA, EvidenceMetadata
from uncommon_im.schemas.snapshot import SAID_SCHEMA


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a run left for `tune` and `review`.

    Args:
        metadata: what it says of itself.
        activities: of `RARE_ACTIVITY_SCHEMA`.
        earlier_alerts: alerts raised or rolled up before the run, of `SAID_SCHEMA`.
    """

    metadata: EvidenceMetadata
    activities: pa.Table
    earlier_alerts: pa.Table


def open_evidence(run: str) -> Evidence:
    """The evidence in a run's folder, on any file system.

    Raises:
        ConfigurationError: there is none, the run did not finish, or a file is damaged; names it.
    """
    run_folder(run).settle()
    folder = TableFolder(join(run, FOLDER), METADATA, "run again with --evidence")
    missing = f"{run}: no {FOLDER}/{METADATA} there: give the --output of a backfill that had --evidence"
    try:
        metadata = EvidenceMetadata.parse(folder.read_metadata(missing), join(folder.path, METADATA))
        require(exists(join(run, SUMMARY)), f"{run}: no {SUMMARY} there: the run did not finish; run it again")
        tables = (
            pa.concat_tables([schema.empty_table(), *_read(folder, table, schema)])
            for table, schema in (("activities", RARE_ACTIVITY_SCHEMA), ("said", SAID_SCHEMA))
        )
        return Evidence(metadata, *tables)
    except UnreadableInput as error:
        raise ConfigurationError(str(error)) from None


def _read(folder: TableFolder, table: str, schema: pa.Schema) -> Iterator[pa.Table]:
    for name in list_folder(folder.path):
        if name.startswith(f"{table}-") and name.endswith(".parquet"):
            yield from folder.read(name, schema)
