"""What never changes an alert, on the in-process engine (specification, section 9.1)."""

from __future__ import annotations

import json
import random
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.organisations import Organisation, random_organisation
from tests.running import Found, configuration_of, run_backfill, run_records, write_lines, write_parquet

SEEDS = (1, 4, 7)
slow = settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@cache
def baseline(seed: int) -> tuple[Organisation, Found]:
    """An organisation, and what one file in the order in which it was made gives."""
    organisation = random_organisation(seed)
    return organisation, run_records(organisation.records, configuration_of(organisation.options))


def assert_same(found: Found, expected: Found) -> None:
    assert found.facts == expected.facts
    assert found.verdict_rows == expected.verdict_rows
    assert found.summary["verdicts"] == expected.summary["verdicts"]


@slow
@given(seed=st.sampled_from(SEEDS), order=st.integers(0, 2**32), shards=st.integers(1, 9))
def test_order_of_records_and_number_of_shards_change_nothing(seed: int, order: int, shards: int) -> None:
    organisation, expected = baseline(seed)
    records = list(organisation.records)
    random.Random(order).shuffle(records)
    assert_same(run_records(records, configuration_of(organisation.options, shards=shards)), expected)


@slow
@given(seed=st.sampled_from(SEEDS), times=st.integers(2, 3), order=st.integers(0, 2**32))
def test_records_delivered_again_change_no_alert_and_no_verdict(seed: int, times: int, order: int) -> None:
    organisation, expected = baseline(seed)
    chooser = random.Random(order)
    records = [record for record in organisation.records for _ in range(chooser.randint(1, times))]
    chooser.shuffle(records)
    found = run_records(records, configuration_of(organisation.options))
    assert_same(found, expected)
    events = found.summary["events"]
    assert events["read"] == len(records) == events["valid"] + sum(events["dead_letter"].values())


@slow
@example(seed=1, files=6, rows=1, order=0)  # a row group takes 10 ms: once is enough
@given(seed=st.sampled_from(SEEDS), files=st.integers(2, 6), rows=st.integers(4, 400), order=st.integers(0, 2**32))
def test_splitting_into_files_of_any_kind_and_row_group_size_changes_nothing(
    seed: int, files: int, rows: int, order: int
) -> None:
    organisation, expected = baseline(seed)
    chooser = random.Random(order)
    with tempfile.TemporaryDirectory() as folder:
        parts: list[list[dict[str, object]]] = [[] for _ in range(files)]
        for record in organisation.records:
            parts[chooser.randrange(files)].append(record)
        for number, part in enumerate(parts):
            kind = chooser.choice(("jsonl", "jsonl.gz", "parquet"))
            path = Path(folder, f"part-{number}.{kind}")
            if kind == "parquet":
                write_parquet(path, part, rows)
            else:
                write_lines(path, part)
        found = run_backfill([f"{folder}/part-*"], configuration_of(organisation.options))
    assert found.facts == expected.facts
    assert found.verdict_rows == expected.verdict_rows
    assert found.summary["events"]["read"] == expected.summary["events"]["read"]


def test_dead_letters_are_input_and_give_the_same_dead_letters_again() -> None:
    organisation, expected = baseline(3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dead_letter.jsonl")
        write_lines(path, expected.dead_letters)
        again = run_backfill([str(path)], configuration_of(organisation.options))
    assert expected.dead_letters
    assert again.summary["events"]["dead_letter"] == expected.summary["events"]["dead_letter"]
    assert sorted(row["raw"] for row in again.dead_letters) == sorted(row["raw"] for row in expected.dead_letters)


def test_a_mended_dead_letter_becomes_an_event() -> None:
    organisation, expected = baseline(3)
    letter = next(row for row in expected.dead_letters if row["reason"] == "missing_field:host_id")
    mended = letter | {"raw": json.dumps(json.loads(letter["raw"]) | {"host_id": "h1"})}
    found = run_records([mended], configuration_of(organisation.options))
    assert found.summary["events"] == {"read": 1, "valid": 1, "out_of_range": 0, "dead_letter": {}}
