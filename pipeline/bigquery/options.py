"""The options that say how BigQuery is reached, of every command that reads from it or writes to it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.bigquery.access import BigQueryAccess

TABLE_SCHEME: Final = "bigquery://"
"""Of inputs that are tables: `bigquery://PROJECT.DATASET.TABLE`."""


def add_bigquery_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say where BigQuery answers."""
    group = parser.add_argument_group("BigQuery", "asked with the default credentials; --project pays for it")
    group.add_argument(
        "--bigquery-endpoint",
        metavar="URL",
        help="of its REST API: https:// of a private one, http:// of an emulator, which is sent no credentials",
    )
    group.add_argument("--bigquery-storage-endpoint", metavar="URL", help="of its Storage API, likewise")


def bigquery_of(arguments: argparse.Namespace, beam_options: PipelineOptions) -> BigQueryAccess:
    """How the command reaches BigQuery; the project is Beam's own `--project`.

    Raises:
        ConfigurationError: an endpoint is none.
    """
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    from uncommon_im.pipeline.bigquery.access import BigQueryAccess

    project = beam_options.view_as(GoogleCloudOptions).project
    access = BigQueryAccess(project, arguments.bigquery_endpoint, arguments.bigquery_storage_endpoint)
    access.check()
    return access
