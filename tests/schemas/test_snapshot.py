"""What a snapshot says of itself: there and back, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.snapshot import (
    COVERAGE_SCHEMA,
    HOST_SIGHTING_SCHEMA,
    SAID_SCHEMA,
    SCHEMA_VERSION,
    Metadata,
    check_limits,
)

METADATA = Metadata(
    as_of=date(2026, 4, 1),
    limits=Limits(training_days=21, max_other_hosts=5),
    time_zone="Europe/Berlin",
    identity_digest="0" * 64,
    service_digests={"telegram": "1" * 64},
    learning_since={"telegram": date(2026, 3, 20)},
    tenants=["acme", "müller"],
    rows={"sightings": 2, "host_sightings": 1, "said": 0, "coverage": 1},
    files={"sightings": ["run/sightings-00000.parquet"], "host_sightings": [], "said": [], "coverage": []},
    run_id="run",
)


def document(**changes: Any) -> dict[str, Any]:
    """`metadata.json` as an object, with other values."""
    return {**json.loads(METADATA.to_json()), **changes}


def error_of(text: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        Metadata.parse(text, "--baseline-in B")
    return str(error.value)


def test_what_is_written_is_read_again() -> None:
    assert Metadata.parse(METADATA.to_json(), "--baseline-in B") == METADATA


def test_dates_and_the_version_are_plain_json() -> None:
    written = document()
    assert written["schema_version"] == SCHEMA_VERSION == 4
    assert written["as_of"] == "2026-04-01"
    assert written["learning_since"] == {"telegram": "2026-03-20"}
    assert written["limits"]["training_days"] == 21


@pytest.mark.parametrize("version", [0, 1, 3, 5, "4", None])
def test_another_version_is_refused(version: object) -> None:
    assert error_of(json.dumps(document(schema_version=version))) == (
        f"--baseline-in B: a snapshot of version {version}, this program reads 4: take a new one from the events"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("{}", "`schema_version` is missing"),
        ('{"schema_version": 4}', "`as_of` is missing"),
        (json.dumps(document(as_of="yesterday")), "as_of: expected a day written as YYYY-MM-DD, not 'yesterday'"),
        (json.dumps(document(as_of=20000)), "as_of: expected a day written as YYYY-MM-DD, not 20000"),
        (json.dumps(document(learning_since=[])), "learning_since: expected a mapping, not []"),
    ],
)
def test_a_file_that_is_no_metadata_is_refused_in_one_line(text: str, reason: str) -> None:
    assert error_of(text) == f"--baseline-in B: no metadata of a snapshot: {reason}"


@pytest.mark.parametrize("name", ["/etc/x", "../x", "run/../../x", "run/..", "gs://b/x", "..\\x", "C:x", ""])
def test_a_file_outside_of_the_snapshots_directory_is_none_of_its_own(name: str) -> None:
    message = error_of(json.dumps(document(files={"sightings": [name]})))
    assert message.startswith("--baseline-in B: no metadata of a snapshot: files")
    assert "expected a file below the snapshot's directory" in message


@pytest.mark.parametrize("name", ["run/sightings-00000.parquet", "sightings.parquet", "my run/..x/a..b.parquet"])
def test_a_file_below_the_snapshots_directory_is_its_own(name: str) -> None:
    files = {"sightings": [name]}
    assert Metadata.parse(json.dumps(document(files=files)), "--baseline-in B").files == files


@pytest.mark.parametrize("text", ["[]", "1", "null", '"text"', json.dumps(document(limits={"days": 1}))])
def test_another_json_value_is_refused_too(text: str) -> None:
    message = error_of(text)
    assert message.startswith("--baseline-in B: no metadata of a snapshot: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("change", "name", "kept", "needed"),
    [
        ({"training_days": 31}, "training_days", 30, 31),
        ({"deduplication_hours": 25}, "deduplication_hours", 24, 25),
        ({"max_other_hosts": 4}, "max_other_hosts", 3, 4),
        ({"execution_max_other_hosts": 9}, "max_other_hosts", 3, 9),
    ],
)
def test_a_run_may_not_need_more_than_was_kept(change: dict[str, int], name: str, kept: int, needed: int) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_limits(Limits(), replace(Limits(), **change), "B")
    assert str(error.value) == (
        f"--baseline-in B: the snapshot was taken with {name} {kept}, this run needs {needed}: "
        "lower the limit, or take a new snapshot from the events"
    )


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"training_days": 29},
        {"deduplication_hours": 0},
        {"max_other_hosts": 0, "execution_max_other_hosts": 0},
        {"activation_days": 30, "guard_days": 30, "max_host_days": 9, "execution_max_host_days": 9},
        {"max_alerts_per_group": 0},
    ],
)
def test_a_run_may_need_less_and_decide_otherwise_about_what_is_kept_whole(change: dict[str, int]) -> None:
    check_limits(Limits(), replace(Limits(), **change), "B")


def test_the_larger_of_two_host_limits_is_what_was_kept() -> None:
    check_limits(Limits(max_other_hosts=1, execution_max_other_hosts=6), Limits(max_other_hosts=6), "B")


def test_the_tables_columns_are_those_that_are_documented() -> None:
    assert HOST_SIGHTING_SCHEMA.names == ["tenant", "host", "subject", "days"]
    assert SAID_SCHEMA.names == [
        "tenant",
        "host",
        "program",
        "origin",
        "reduced_script",
        "service",
        "time",
        "severity",
        "event_id",
        "alert_id",
    ]
    assert COVERAGE_SCHEMA.names == ["tenant", "day", "events"]
