"""The emulators themselves, `local-bigquery` and `gcp-storage-emulator`: what the tests rely on holds of them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from apache_beam.io.filesystems import FileSystems
from google.cloud.bigquery_storage import types

from tests.cloud.bigquery import PROJECT, BigQuery
from tests.cloud.storage import Bucket

pytestmark = pytest.mark.cloud


def test_what_is_loaded_is_queried_and_read_as_arrow(bigquery: BigQuery) -> None:
    path = bigquery.load("t", pa.table({"n": [1, 2, 3], "text": ["a", "b", None]}))
    assert bigquery.query(f"SELECT sum(n) AS total FROM `{path}`") == [{"total": 6}]
    project, dataset, table = path.split(".")
    with bigquery.access.read_client() as reader:
        wanted = types.ReadSession(
            table=f"projects/{project}/datasets/{dataset}/tables/{table}",
            data_format=types.DataFormat.ARROW,
            read_options=types.ReadSession.TableReadOptions(selected_fields=["text"], row_restriction="n > 1"),
        )
        session = reader.create_read_session(parent=f"projects/{PROJECT}", read_session=wanted)
        read = pa.concat_tables(reader.read_rows(stream.name).to_arrow(session) for stream in session.streams)
    assert read.to_pydict() == {"text": ["b", None]}


def test_beams_file_system_sees_the_bucket(bucket: Bucket) -> None:
    path = bucket.put("folder/a.txt", b"content")
    assert [found.path for found in FileSystems.match([f"{bucket.url}/folder/*"])[0].metadata_list] == [path]
    assert FileSystems.open(path).read() == b"content"
    assert bucket.names("folder/") == ["folder/a.txt"]
