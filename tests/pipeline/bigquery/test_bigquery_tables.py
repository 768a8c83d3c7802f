"""What becomes of tables of other versions. No engine, no emulator: one that adds columns to records is not there."""

from __future__ import annotations

import pytest
from google.cloud.bigquery import Client, SchemaField, TimePartitioning
from google.cloud.bigquery import Table as Existing

from uncommon_im.pipeline.bigquery.access import BigQueryAccess
from uncommon_im.pipeline.bigquery.tables import Dataset, completed, lacking
from uncommon_im.schemas.bigquery.tables import TABLES
from uncommon_im.schemas.documents import ConfigurationError

DATASET = Dataset(BigQueryAccess("payer"), "p.d", "--dataset")
ALERTS = TABLES["alerts"]


class Tables(Client):
    """A dataset of tables as they should be, but for that of alerts."""

    def __init__(self, alerts: Existing) -> None:
        """Holds them."""
        self.tables = {name: as_it_should_be(name) for name in TABLES} | {"alerts": alerts}
        self.asked: list[str] = []

    def get_dataset(self, dataset_ref: str) -> None:  # type: ignore[override]
        """It is there."""

    def get_table(self, table: str) -> Existing:  # type: ignore[override]
        return self.tables[table.rpartition(".")[2]]

    def update_table(self, table: Existing, fields: list[str]) -> None:  # type: ignore[override]
        assert fields == ["schema"]
        self.asked.append(table.table_id)
        self.tables[table.table_id] = table

    def query_and_wait(self, query: str) -> None:  # type: ignore[override]
        self.asked.append(query.partition("`p.d.")[2].partition("`")[0])


def as_it_should_be(name: str, **changed: SchemaField) -> Existing:
    """A table as BigQuery gives it back, with some columns otherwise."""
    table = TABLES[name]
    made = Existing(f"p.d.{name}", schema=[changed.get(field.name, field) for field in table.fields])
    made.time_partitioning, made.clustering_fields = TimePartitioning(field=table.partition), list(table.clustering)
    return made


def without(field: SchemaField, name: str) -> SchemaField:
    """A record that does not know one of its fields."""
    return SchemaField(field.name, "RECORD", fields=[each for each in field.fields if each.name != name])


def test_applying_again_asks_for_nothing_but_the_views() -> None:
    client = Tables(as_it_should_be("alerts"))
    assert DATASET.apply(client) == []
    assert client.asked == ["alerts_latest", "cases"]


def test_a_column_that_is_new_inside_of_a_record_is_added_after_those_that_are_there() -> None:
    (process,) = (field for field in ALERTS.fields if field.name == "process")
    client = Tables(as_it_should_be("alerts", process=without(process, "sha256")))
    with pytest.raises(ConfigurationError, match=r"lacks process\.sha256: `uncommon-im schema bigquery --dataset p\.d"):
        DATASET.check(client, ["alerts"])
    assert DATASET.apply(client) == ["added process.sha256 to p.d.alerts"]
    (there,) = (field for field in client.tables["alerts"].schema if field.name == "process")
    assert [field.name for field in there.fields][-1] == "sha256"
    assert list(lacking(ALERTS.fields, client.tables["alerts"].schema)) == []
    DATASET.check(client, ["alerts"])


def test_columns_of_a_newer_version_are_kept_and_do_not_disturb() -> None:
    newer = as_it_should_be("alerts")
    newer.schema = [*newer.schema, SchemaField("newer", "STRING")]
    DATASET.check(Tables(newer), ["alerts"])
    assert [field.name for field in completed(ALERTS.fields, newer.schema)] == [*ALERTS.columns, "newer"]


def test_types_under_their_other_names_are_the_same() -> None:
    late = SchemaField("late", "BOOL")
    DATASET.check(Tables(as_it_should_be("alerts", late=late)), ["alerts"])


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (SchemaField("late", "STRING"), "late is STRING and should be BOOLEAN"),
        (SchemaField("suspicion_reasons", "STRING"), "suspicion_reasons is STRING and should be repeated STRING"),
        (SchemaField("user_name", "STRING", "REQUIRED"), "user_name is required, and is not always there"),
    ],
)
def test_a_column_that_is_something_else_is_refused(field: SchemaField, said: str) -> None:
    client = Tables(as_it_should_be("alerts", **{field.name: field}))
    with pytest.raises(ConfigurationError, match=rf"^--dataset p\.d\.alerts: {said}: give another dataset"):
        DATASET.apply(client)
    assert client.asked == []


def test_a_table_that_lacks_a_key_or_is_cut_otherwise_is_refused() -> None:
    keyless, daily, sorted_otherwise = (as_it_should_be("alerts") for _ in range(3))
    keyless.schema = [field for field in keyless.schema if field.name != "alert_id"]
    daily.time_partitioning = TimePartitioning()
    sorted_otherwise.clustering_fields = ["service_id"]
    foreign = as_it_should_be("alerts")
    foreign.schema = [*foreign.schema, SchemaField("theirs", "STRING", "REQUIRED")]
    for table, said in (
        (keyless, "it lacks alert_id, which BigQuery adds to no table that exists"),
        (daily, "it is not partitioned by the day of timestamp"),
        (sorted_otherwise, "it is not clustered by tenant_id, service_id"),
        (foreign, "it requires theirs, which this program does not know"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            DATASET.check(Tables(table), ["alerts"])


@pytest.mark.parametrize("name", ["", "d", "p.d.t", ".d", "p."])
def test_a_dataset_is_named_by_its_project_and_itself(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected PROJECT\.DATASET"):
        Dataset(BigQueryAccess(), name)
