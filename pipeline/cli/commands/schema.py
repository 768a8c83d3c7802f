"""`uncommon-im schema bigquery`: the tables that runs write to."""

from __future__ import annotations

import argparse

from uncommon_im.pipeline.bigquery.options import add_bigquery_arguments, bigquery_of
from uncommon_im.pipeline.cli import options


def schema_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `schema`."""
    sub.add_argument("of", choices=("bigquery",), help="where the tables are")
    sub.add_argument("--dataset", required=True, metavar="PROJECT.DATASET", help="of the tables; it has to exist")
    sub.add_argument(
        "--apply", action="store_true", help="make what is not there and add columns that are new, instead of printing"
    )
    add_bigquery_arguments(sub)


def run_schema(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`uncommon-im schema`."""
    from uncommon_im.pipeline.bigquery.tables import Dataset
    from uncommon_im.schemas.bigquery.tables import TABLES, latest_ddl

    access = bigquery_of(arguments, options.beam_options(rest))
    dataset = Dataset(access, arguments.dataset, "--dataset")
    if not arguments.apply:
        print(";\n\n".join([*(table.ddl(dataset.name) for table in TABLES.values()), latest_ddl(dataset.name)]) + ";")
        return
    changes = dataset.apply(access.client())
    print("\n".join(changes) if changes else f"{dataset.name} has all tables as they should be")
