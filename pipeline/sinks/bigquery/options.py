"""The options of BigQuery as a sink: a dataset, and how a backfill loads into it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uncommon_im.pipeline.bigquery.options import BigQueryOptions
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import Whole, dataset
from uncommon_im.schemas.documents import require
from uncommon_im.transforms.rules.columns.days import rfc3339

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.pipeline.configuration.configuration import Configuration
    from uncommon_im.pipeline.sinks.bigquery.merge_rows import Staging


@dataclass(frozen=True)
class DatasetOptions(Options, title="output"):
    """The dataset of what is found."""

    bigquery_output: str | None = option(
        "Write to this dataset, with or without --output. `uncommon-im schema bigquery` makes its tables.",
        metavar="PROJECT.DATASET",
        parse=dataset,
    )

    def open(
        self, bigquery: BigQueryOptions, beam_options: PipelineOptions, verdicts: bool, summaries: bool = False
    ) -> Dataset | None:
        """The dataset, with the tables that are needed; `None`: none is given.

        Raises:
            ConfigurationError: it, or a table, is not there or not as it should be.
        """
        if self.bigquery_output is None:
            return None
        from uncommon_im.pipeline.bigquery.tables import Dataset

        dataset = Dataset(bigquery.access(beam_options), self.bigquery_output)
        needed = {"alerts": True, "dead_letters": True, "verdicts": verdicts, "summaries": summaries}
        with dataset.access.reached_client(f"--bigquery-output {self.bigquery_output}") as client:
            dataset.check(client, [name for name, need in needed.items() if need])
        return dataset


@dataclass(frozen=True)
class MergeOptions(DatasetOptions):
    """The same for a backfill, which loads and merges."""

    bigquery_timeout: int = option(
        "How many seconds BigQuery may take to load or to merge a table.", 3600, "SECONDS", parse=Whole(1, 86_400)
    )

    def staging(
        self, beam_options: PipelineOptions, configuration: Configuration, inputs: tuple[str, ...], folder: str
    ) -> Staging | None:
        """Where rows are staged, and how they are loaded; `None`: nothing is.

        It is under Beam's `--temp_location`; without one, if the run stays on this machine, in a folder of it.

        Args:
            beam_options: Beam's.
            configuration: of the run.
            inputs: what the run reads, as its command says it.
            folder: of this machine, for files.

        Raises:
            ConfigurationError: workers share no place to stage rows.
        """
        if self.bigquery_output is None:
            return None
        from apache_beam.io.filesystems import FileSystems
        from apache_beam.options.pipeline_options import GoogleCloudOptions

        from uncommon_im.pipeline.options.beam import runs_in_process
        from uncommon_im.pipeline.sinks.bigquery.merge_rows import Staging

        location = beam_options.view_as(GoogleCloudOptions).temp_location
        require(
            location or runs_in_process(beam_options),
            "--bigquery-output with --runner needs --temp_location: a gs:// folder where workers stage rows",
        )
        path = FileSystems.join(location or folder, f"bigquery-{configuration.run_id}")
        return Staging(path, inputs, rfc3339(time.time_ns() // 1000), self.bigquery_timeout)
