"""What a Flex Template's launcher does, with Beam's DataflowRunner, on emulators of Cloud Storage and BigQuery.

The graph for Dataflow is made and staged as on Google Cloud; what Dataflow then does with it is not proven here.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from apache_beam.portability.api import beam_runner_api_pb2 as proto

from tests.cloud.bigquery import BigQuery
from tests.cloud.storage import Bucket
from uncommon_im.pipeline.bigquery.tables import Dataset
from uncommon_im.pipeline.cli.dataflow.launch import run

pytestmark = pytest.mark.cloud

IMAGE = "europe-west1-docker.pkg.dev/test-project/uncommon-im/uncommon-im:1"
EVENT = {
    "event_time": "2026-03-01T10:00:00Z",
    "host_id": "h1",
    "process_name": "curl",
    "remote_host": "api.telegram.org",
}


def launched(bucket: Bucket, *parameters: str) -> tuple[dict[str, Any], proto.Pipeline]:
    """The job that the launcher would have Dataflow create, and the graph that it staged."""
    given = (
        *("--runner=DataflowRunner", "--project=test-project", "--region=europe-west1", "--job_name=test"),
        *(f"--temp_location={bucket.url}/temp", f"--staging_location={bucket.url}/staging"),
        *(f"--template_location={bucket.url}/job_object", f"--sdk_container_image={IMAGE}"),
    )
    assert run((*parameters, *given)) == 0
    job = json.loads(bucket.get("job_object"))
    (graph,) = (name for name in bucket.names("staging/") if name.endswith("pipeline.pb"))
    return job, proto.Pipeline.FromString(bucket.get(graph))


def images_of(graph: proto.Pipeline) -> set[str]:
    environments = graph.components.environments.values()
    docker = (proto.DockerPayload.FromString(e.payload) for e in environments if e.urn == "beam:env:docker:v1")
    return {payload.container_image for payload in docker}


def test_the_stream_is_a_streaming_job_of_the_image_with_documents_from_the_bucket(bucket: Bucket) -> None:
    exceptions = bucket.put("exceptions.yaml", b"[{process_name: backup*, reason: ours}]")
    job, graph = launched(
        bucket,
        *("--command=stream", "--pubsub_subscription=projects/test-project/subscriptions/events"),
        *(f"--output={bucket.url}/found", "--alerts_topic=projects/test-project/topics/alerts"),
        *(f"--exceptions={exceptions}", "--verdicts=true", "--lateness=60"),
    )
    assert job["type"] == "JOB_TYPE_STREAMING"
    assert images_of(graph) == {IMAGE}
    labels = {transform.unique_name for transform in graph.components.transforms.values()}
    assert {"ReadBlocks", "FollowHosts", "JudgeHosts", "PublishAlerts", "WriteVerdicts"} <= labels


def test_the_backfill_is_a_batch_job_and_its_launcher_does_not_wait_for_it(bucket: Bucket) -> None:
    events = bucket.put("lake/events.jsonl.gz", gzip.compress(json.dumps(EVENT).encode()))
    job, graph = launched(bucket, "--command=backfill", f"--input={events}", f"--output={bucket.url}/run")
    assert job["type"] == "JOB_TYPE_BATCH"
    assert images_of(graph) == {IMAGE}
    (claim,) = bucket.names("run/")  # the job gives it back
    assert claim.startswith("run/.uncommon-im/run-")


def test_a_backfill_into_bigquery_stages_where_workers_can_and_leaves_the_merge_to_the_job(
    bucket: Bucket, bigquery: BigQuery
) -> None:
    Dataset(bigquery.access, bigquery.dataset).apply(bigquery.client)
    events = bucket.put("lake/events.jsonl", json.dumps(EVENT).encode())
    reached = [option for option in bigquery.options if not option.startswith("--project")]
    into = (f"--bigquery_output={bigquery.dataset}", *reached)
    _, graph = launched(bucket, "--command=backfill", f"--input={events}", *into)
    labels = {transform.unique_name for transform in graph.components.transforms.values()}
    assert any(label.endswith("LoadAndMerge") for label in labels)
    assert bigquery.query(f"SELECT * FROM `{bigquery.dataset}.summaries`") == []


def test_a_parameter_that_is_wrong_ends_the_launcher_before_anything_is_staged(
    bucket: Bucket, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status = run(("--command=backfill", f"--input={bucket.url}/none/*", f"--output={bucket.url}/run"))
    assert status == 2
    assert "none" in capsys.readouterr().err
    assert bucket.names() == []
