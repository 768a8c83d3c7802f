"""One organisation as files, as a table on `local-bigquery` and as messages on `drongo`, on Beam's local engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cloud.bigquery import BigQuery
from tests.cloud.queue import Queue, running, wait_for
from tests.cloud.test_bigquery_source import from_files, tables_of
from tests.cloud.test_pubsub import OPTIONS, facts, organisation
from tests.oracle import Options
from tests.running import arrow_of, configuration_of, read_rows, run_inputs
from uncommon_im.pipeline.sources.queues.messages import MessagesToBlocks
from uncommon_im.pipeline.sources.queues.pubsub import ReadPubSub

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("emulator", ["drongo"], indirect=True)
def test_files_bigquery_and_pubsub_give_the_same_alerts(queue: Queue, bigquery: BigQuery, tmp_path: Path) -> None:
    records, configuration = organisation(), configuration_of(Options(activation_days=0))
    output = tmp_path / "stream"
    source = ReadPubSub(queue.subscription) | MessagesToBlocks()
    with running(queue, source, "--output", str(output), *OPTIONS):
        queue.publish(*(json.dumps(record).encode() for record in records))
        of_files = from_files(records, configuration, tmp_path)
        wait_for(lambda: len(read_rows(str(output), "alerts")) == len(of_files.alerts))
    table = bigquery.load("events", arrow_of(records))
    of_table = run_inputs(tables_of(bigquery, configuration, table), configuration)
    assert len(of_files.alerts) > 5
    assert of_table.facts == of_files.facts
    assert facts(read_rows(str(output), "alerts")) == of_files.facts
