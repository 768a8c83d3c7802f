"""The options of whatever a backfill reads: files and tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from uncommon_im.pipeline.bigquery.options import TABLE_SCHEME, BigQueryOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import query
from uncommon_im.pipeline.sources.files.options import FileOptions
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.configuration.configuration import Configuration
    from uncommon_im.pipeline.sources.inputs import Input


@dataclass(frozen=True, kw_only=True)
class InputOptions(
    Options, title="input", about=f"--input {TABLE_SCHEME}PROJECT.DATASET.TABLE reads a table or a view of BigQuery."
):
    """Which files and tables are read."""

    files: FileOptions
    input_query: tuple[str, ...] = option(
        "A query of BigQuery (GoogleSQL). Its results are read, and must have native columns.", (), "SQL", parse=query
    )

    @property
    def names(self) -> tuple[str, ...]:
        """All inputs, as they were given."""
        return (*self.files.input, *self.input_query)

    def find(
        self, configuration: Configuration, bigquery: BigQueryOptions, beam_options: PipelineOptions
    ) -> list[Input]:
        """The files and tables.

        Raises:
            ConfigurationError: there are none, a folder is not complete, or a table cannot be read as events.
            UnreadableInput: BigQuery does not answer.
        """
        tables = [path for path in self.files.input if path.startswith(TABLE_SCHEME)]
        patterns = tuple(path for path in self.files.input if path not in tables)
        require(self.names, "nothing to read: --input says which files or tables, --input-query which rows of BigQuery")
        require(patterns or not self.files.require_marker, "--require-marker is for files: a table has no folder")
        inputs: list[Input] = [*replace(self.files, input=patterns).find(configuration)] if patterns else []
        if tables or self.input_query:
            from uncommon_im.pipeline.sources.bigquery.tables import find_tables

            access = bigquery.access(beam_options)
            inputs += find_tables(tables, self.input_query, access, configuration.needed, configuration.run_id)
        return inputs
