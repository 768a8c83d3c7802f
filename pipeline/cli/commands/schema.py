"""`uncommon-im schema bigquery`: the tables that runs write to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from uncommon_im.pipeline.bigquery.options import BigQueryOptions
from uncommon_im.pipeline.cli.command import Command
from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.pipeline.options.values import dataset


@dataclass(frozen=True, kw_only=True)
class SchemaOptions(Options):
    """The options of `schema`."""

    of: str = option("Where the tables are.", choices=("bigquery",), positional=True)
    dataset: str = option(
        "The dataset of the tables. It has to exist.", metavar="PROJECT.DATASET", required=True, parse=dataset
    )
    apply: bool = option(
        "Make the tables that are not there, and add columns that are new. Without this the tables are printed.", False
    )
    bigquery: BigQueryOptions


def run_schema(options: SchemaOptions, rest: list[str]) -> None:
    """`uncommon-im schema`."""
    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.pipeline.options.beam import beam_options
    from uncommon_im.schemas.bigquery.tables import TABLES
    from uncommon_im.schemas.bigquery.views import view_ddls

    dataset = Dataset(options.bigquery.access(beam_options(rest)), options.dataset, "--dataset")
    if not options.apply:
        tables = [table.ddl(dataset.name) for table in TABLES.values()]
        print(";\n\n".join([*tables, *view_ddls(dataset.name)]) + ";")
        return
    changes = dataset.apply(dataset.access.reached_client(f"--dataset {options.dataset}"))
    print("\n".join(changes) if changes else f"{dataset.name} has all tables as they should be")


SCHEMA: Final = Command("schema", "Print or apply the tables that runs write to.", SchemaOptions, run_schema, beam=True)
