"""The evidence of an earlier run as a source."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from uncommon_im.pipeline.runs.folder import SUMMARY
from uncommon_im.pipeline.storage.bad_files import UnreadableInput
from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError, require
from uncommon_im.schemas.evidence import FOLDER, METADATA, RARE_ACTIVITY_SCHEMA, EvidenceMetadata
from uncommon_im.schemas.snapshot import SAID_SCHEMA


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a run left for `tune` and `review`.

    Args:
        metadata: what it says of itself.
        activities: of `RARE_ACTIVITY_SCHEMA`.
        said: what deduplication had let through before the run, of `SAID_SCHEMA`.
    """

    metadata: EvidenceMetadata
    activities: pa.Table
    said: pa.Table


def open_evidence(run: str) -> Evidence:
    """The evidence in a run's folder, on any file system.

    Raises:
        ConfigurationError: there is none, the run did not finish, or a file is damaged; names it.
    """
    folder = FileSystems.join(run, FOLDER)
    path = FileSystems.join(folder, METADATA)
    require(_found(path), f"{run}: no {FOLDER}/{METADATA} there: give the --output of a backfill that had --evidence")
    require(_found(FileSystems.join(run, SUMMARY)), f"{run}: no {SUMMARY} there: the run did not finish; run it again")
    try:
        with open_binary(path) as stream:
            metadata = EvidenceMetadata.parse(stream.read().decode(), path)
    except (OSError, UnicodeDecodeError, UnreadableInput) as error:
        raise _damaged(path, error) from None
    tables = {
        name: pa.concat_tables([schema.empty_table(), *(_read(file, schema) for file in _found(folder, f"{name}-*"))])
        for name, schema in (("activities", RARE_ACTIVITY_SCHEMA), ("said", SAID_SCHEMA))
    }
    return Evidence(metadata, **tables)


def _read(path: str, schema: pa.Schema) -> pa.Table:
    try:
        with open_binary(path) as stream:
            return pq.read_table(stream, columns=schema.names).cast(schema)
    except (pa.ArrowException, OSError, ValueError, UnreadableInput) as error:
        raise _damaged(path, error) from None


def _found(*parts: str) -> list[str]:
    try:
        matched = FileSystems.match([FileSystems.join(*parts)])[0].metadata_list
    except (BeamIOError, ValueError, ImportError) as error:
        raise ConfigurationError(f"{parts[0]}: cannot be looked up: {error}") from None
    return sorted(metadata.path for metadata in matched)


def _damaged(path: str, error: Exception) -> ConfigurationError:
    reason = " ".join(str(error).split())
    return ConfigurationError(f"{path}: cannot be read as evidence of a run: {reason}: run again with --evidence")
