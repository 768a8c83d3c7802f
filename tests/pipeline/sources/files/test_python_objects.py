"""Events stay Arrow columns: the Python objects of a scan over Parquet files are counted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.objects import FEW, MANY, most_objects, telemetry
from tests.oracle import Options
from tests.running import configuration_of
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.tally import Tally

SOME = 3_000


@pytest.fixture(scope="module")
def process() -> Iterator[Executor]:
    """A new process: counting takes the longer the more objects of earlier tests there are."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


def objects_of(path: str) -> tuple[int, Tally]:
    """The most objects of a scan of a file, and what it counted."""
    return most_objects(match_files([path]), configuration_of(Options()))


def count(process: Executor, events: pa.Table, path: Path) -> tuple[int, Tally]:
    """`objects_of` events that are written to a file."""
    pq.write_table(events, path)
    return process.submit(objects_of, str(path)).result()


def test_more_events_are_no_more_python_objects(process: Executor, tmp_path: Path) -> None:
    few, of_few = count(process, telemetry(FEW), tmp_path / "few.parquet")
    many, of_many = count(process, telemetry(MANY), tmp_path / "many.parquet")
    assert (of_few[tally.VALID], of_many[tally.VALID]) == (FEW, MANY)
    assert of_many[tally.COMMUNICATIONS] > 4 * of_few[tally.COMMUNICATIONS] > 0
    assert many - few < (MANY - FEW) / 10  # the ids of communications, one of 50 events


def test_the_count_sees_a_column_whose_values_become_objects(process: Executor, tmp_path: Path) -> None:
    events = telemetry(SOME)
    numbers = pa.array(range(10_000, 10_000 + SOME))  # where text is expected each number is looked at
    changed = events.set_column(events.column_names.index("host_id"), "host_id", numbers)
    as_text, _ = count(process, events, tmp_path / "text.parquet")
    as_numbers, _ = count(process, changed, tmp_path / "numbers.parquet")
    assert as_numbers - as_text > SOME / 2
