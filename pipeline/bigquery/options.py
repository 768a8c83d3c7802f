"""The options that say how BigQuery is reached, of every command that reads from it or writes to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import url

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from uncommon_im.pipeline.bigquery.access import BigQueryAccess

TABLE_SCHEME: Final = "bigquery://"
"""Of inputs that are tables: `bigquery://PROJECT.DATASET.TABLE`."""


@dataclass(frozen=True)
class BigQueryOptions(
    Options, title="BigQuery", about="Requests use the default credentials. --project pays for them."
):
    """Where BigQuery answers."""

    bigquery_endpoint: str | None = option(
        "The REST API of BigQuery: https:// of a private endpoint, or http:// of an emulator. An emulator is sent no "
        "credentials.",
        metavar="URL",
        parse=url,
    )
    bigquery_storage_endpoint: str | None = option(
        "The Storage API of BigQuery, in the same form.", metavar="URL", parse=url
    )

    def access(self, beam_options: PipelineOptions) -> BigQueryAccess:
        """How BigQuery is reached; the project is Beam's own `--project`.

        Raises:
            ConfigurationError: an endpoint is none.
        """
        from apache_beam.options.pipeline_options import GoogleCloudOptions

        from uncommon_im.pipeline.bigquery.access import BigQueryAccess

        project = beam_options.view_as(GoogleCloudOptions).project
        access = BigQueryAccess(project, self.bigquery_endpoint, self.bigquery_storage_endpoint)
        access.check()
        return access
