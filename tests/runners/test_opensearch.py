"""Alerts to a real OpenSearch, by `_bulk`: each is one document, however often it comes. `make opensearch` gets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import urllib3

from tests.organisations import random_organisation
from tests.pipeline.sinks.delivery.alerts import ids
from tests.pipeline.sinks.delivery.test_delivery import in_spool
from tests.runners.flink import free_port, running, wait_for
from tests.running import configuration_of, run_records
from uncommon_im.pipeline.sinks.delivery.delivery import Delivered, Delivery
from uncommon_im.pipeline.sinks.delivery.http import HttpTarget
from uncommon_im.pipeline.sinks.delivery.sending import Secret
from uncommon_im.transforms.rules.alerts.formats import ALERT_FORMATS, Document, document_of

pytestmark = pytest.mark.runners

JARS: Final = Path(sys.prefix) / "opensearch"
NODE: Final = Path(__file__).parent / "opensearch" / "OneNode.java"
JSON_FORMATS: Final = [name for name in ALERT_FORMATS if name != "cef"]


@contextmanager
def opensearch(folder: Path) -> Iterator[str]:
    """Starts a node, and stops it at the end; its URL."""
    assert JARS.is_dir(), "OpenSearch is not installed: make opensearch"
    port = free_port()
    command = ["java", "-Xmx512m", "-cp", f"{JARS}/*", str(NODE), str(folder / "home"), str(port)]
    with running(command, folder / "opensearch.log"):
        wait_for(port, folder)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with opensearch(tmp_path_factory.mktemp("opensearch")) as url:
        yield url


@pytest.fixture(scope="module")
def alerts() -> list[dict[str, Any]]:
    """Alerts of random organisations, judged in process (`FnApiRunner`)."""
    organisations = [random_organisation(seed) for seed in range(3)]
    found = [run_records(each.records, configuration_of(each.options)).alerts for each in organisations]
    return list({alert["alert_id"]: alert for some in found for alert in some}.values())


def target(node: str, index: str) -> HttpTarget:
    url = Secret("--alerts-url", plain=f"{node}/{index}/_bulk")
    return HttpTarget("elastic", url, "native", rate=1000, backoff=0.01)


def asked(method: str, url: str, **body: Any) -> Any:
    return json.loads(urllib3.request(method, url, json=body or None).data)


def indexed(node: str, index: str) -> dict[str, Any]:
    """The documents of an index by their ids."""
    asked("POST", f"{node}/{index}/_refresh")
    found = asked("GET", f"{node}/{index}/_search", size=10_000)
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


@pytest.mark.parametrize("alert_format", JSON_FORMATS)
def test_alerts_of_random_organisations_are_documents_under_their_ids_in_whatever_format(
    alert_format: str, node: str, alerts: list[dict[str, Any]], tmp_path: Path
) -> None:
    index = f"alerts-{alert_format}"
    documents = [document_of(alert, alert_format) for alert in alerts]
    for _ in range(2):
        with Delivery(replace(target(node, index), alert_format=alert_format), str(tmp_path)) as delivery:
            assert delivery.send(documents) == Delivered(len(documents))
    assert indexed(node, index) == {each.alert_id: json.loads(each.text) for each in documents}


def test_a_document_that_the_index_refuses_is_in_the_spool_and_costs_no_other(node: str, tmp_path: Path) -> None:
    mapping = {"properties": {"priority": {"type": "long"}}}
    asked("PUT", f"{node}/strict", mappings=mapping)
    documents = [
        Document(f"{n:032x}", "compact", json.dumps({"priority": "high" if n == 3 else n})) for n in range(250)
    ]
    with Delivery(target(node, "strict"), str(tmp_path)) as delivery:
        assert delivery.send(documents) == Delivered(249, 1, 1)
    assert set(indexed(node, "strict")) == ids(*range(250)) - ids(3)
    assert in_spool(tmp_path) == [*ids(3)]
    (line,) = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert "mapper_parsing_exception" in json.loads(line)["reason"]


SENDS: Final = """
import sys
from uncommon_im.pipeline.sinks.delivery.delivery import Delivery
from uncommon_im.pipeline.sinks.delivery.http import HttpTarget
from uncommon_im.pipeline.sinks.delivery.sending import Secret
from uncommon_im.transforms.rules.alerts.formats import Document
url, spool = sys.argv[1:]
with Delivery(HttpTarget("elastic", Secret("--alerts-url", plain=url), "compact", rate=1000), spool) as delivery:
    delivery.send(Document(f"{n:032x}", "compact", '{"priority": %d}' % n) for n in range(5000))
"""


def test_who_is_killed_while_sending_loses_nothing_and_leaves_nothing_twice(node: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SENDS, f"{node}/killed/_bulk", str(tmp_path)]
    asked("PUT", f"{node}/killed")

    def taken() -> int:
        return int(asked("GET", f"{node}/killed/_stats/indexing")["_all"]["primaries"]["indexing"]["index_total"])

    kills = 0
    for _ in range(5):
        before = taken()
        with subprocess.Popen(command) as process:
            while taken() == before and process.poll() is None:
                time.sleep(0.005)
            kills += process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
    assert subprocess.run(command, check=False).returncode == 0
    assert (set(indexed(node, "killed")), in_spool(tmp_path)) == (ids(*range(5000)), [])
    assert kills
    assert taken() > 5000, "some came twice"
    print(f"{kills} kills: 5000 alerts, {taken()} taken, {len(indexed(node, 'killed'))} documents, 0 lost")
