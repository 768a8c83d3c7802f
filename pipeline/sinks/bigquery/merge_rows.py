"""What a backfill finds, to BigQuery: staged as files, then loaded and merged once all of it is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import join
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsIter, AsSingleton
from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

from uncommon_im.pipeline.bigquery.merge import Merge
from uncommon_im.pipeline.bigquery.tables import Dataset
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.storage.changing import delete_folder
from uncommon_im.pipeline.storage.row_files import WriteJsonLines
from uncommon_im.schemas.bigquery.tables import TABLES
from uncommon_im.transforms.rules.alerts.table_rows import (
    alert_row,
    dead_letter_row,
    is_judged,
    run_key,
    scope_of,
    summary_of_row,
    summary_row,
    verdict_row,
)
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.columns.json_lines import to_json
from uncommon_im.transforms.rules.events.tally import Tally, summary_of


@dataclass(frozen=True)
class Staging:
    """How a backfill loads what it finds into BigQuery.

    Args:
        folder: for files of this run alone, local or gs://, that whoever loads can read.
        inputs: what the run reads, as its command says it.
        started_at: when, RFC 3339.
        seconds: how long a load or a MERGE may take.
    """

    folder: str
    inputs: tuple[str, ...]
    started_at: str
    seconds: int = 3600


@dataclass
class WriteBigQuery(beam.PTransform):
    """Alerts, dead letters, verdicts -> BigQuery, with the run's summary; yields the dataset's name when it is done.

    The tables hold then what this run found, and what others found on other days or of other tenants: a rerun that
    finds the same changes nothing, one that finds less takes the rest back. A step that is tried again repeats all of
    it, with the same effect. Verdicts of training are left to the run that judges their day.

    Args:
        dataset: its tables exist.
        staging: how it is loaded.
        configuration: of the run.
        total: what the run counted, one tally.
        coverage: the days with telemetry, one mapping.
    """

    dataset: Dataset
    staging: Staging
    configuration: Configuration
    total: beam.PCollection[Tally]
    coverage: beam.PCollection[Coverage]

    def expand(self, rows: dict[str, beam.PCollection[dict[str, Any]]]) -> beam.PCollection[str]:
        """Stages each table under its name, then does all the rest in one step."""
        staging, run_id = self.staging, self.configuration.run_id
        as_row: dict[str, tuple[Any, ...]] = {
            "alerts": (alert_row,),
            "verdicts": (verdict_row, run_id),
            "dead_letters": (dead_letter_row, run_id, run_key_of(staging, self.configuration), staging.started_at),
        }
        if "verdicts" in rows:
            rows = rows | {"verdicts": rows["verdicts"] | "LeaveTraining" >> beam.Filter(is_judged)}
        staged = {
            name: collection
            | f"Row_{name}" >> beam.Map(*as_row[name]).with_output_types(dict[str, Any])
            | f"Stage_{name}" >> WriteJsonLines(join(staging.folder, name))
            for name, collection in rows.items()
        }
        merge = _LoadAndMerge(self.dataset, staging, self.configuration, tuple(staged))
        files = [AsIter(paths) for paths in staged.values()]
        return (
            self.total.pipeline
            | "Once" >> beam.Create([self.dataset.name])
            | "LoadAndMerge" >> beam.ParDo(merge, AsSingleton(self.total), AsSingleton(self.coverage), *files)
        )


class _LoadAndMerge(beam.DoFn):
    def __init__(
        self, dataset: Dataset, staging: Staging, configuration: Configuration, tables: tuple[str, ...]
    ) -> None:
        self._dataset, self._staging, self._tables = dataset, staging, tables
        self._start, self._end = configuration.start, configuration.end
        self._names = {
            "run_id": configuration.run_id,
            "run_key": run_key_of(staging, configuration),
            "config_digest": configuration.digest,
        }

    def process(self, dataset: str, total: Tally, coverage: Coverage, *files: Iterable[str]) -> Iterable[str]:
        scope = scope_of(coverage, self._start, self._end)
        row = summary_row(summary_of(total), self._staging.inputs, scope, coverage, **self._names)
        staged: dict[str, list[str | bytes]] = {
            name: list(paths) for name, paths in zip(self._tables, files, strict=True)
        }
        staged["summaries"] = [to_json(row).encode()]
        with self._dataset.access.client() as client:
            Merge(self._dataset, self._names["run_key"], scope, self._staging.seconds).run(client, staged)
        yield dataset


def run_key_of(staging: Staging, configuration: Configuration) -> str:
    """What the run shares with the one that it repeats."""
    return run_key(configuration.start, configuration.end, staging.inputs, configuration.tenant)


def read_summary(dataset: Dataset, staging: Staging, configuration: Configuration) -> dict[str, Any]:
    """The summary of a run that is done, as its file would have it."""
    key = ScalarQueryParameter("run_key", "STRING", run_key_of(staging, configuration))
    text = f"SELECT * FROM `{dataset.path(TABLES['summaries'])}` WHERE run_key = @run_key"
    with dataset.access.client() as client:
        (row,) = client.query_and_wait(text, job_config=QueryJobConfig(query_parameters=[key]))
    return summary_of_row(dict(row))


def delete_staged(staging: Staging) -> None:
    """Deletes the files that a run has staged."""
    delete_folder(staging.folder)
