"""Events stay Arrow columns: the Python objects of a scan over Parquet files are counted."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.objects import FEW, MANY, most_objects, telemetry
from tests.oracle import Options
from tests.running import configuration_of
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.tally import Tally

SOME = 3_000


def objects_of(events: pa.Table, path: Path) -> tuple[int, Tally]:
    """The most objects of a scan of a file, and what it counted."""
    pq.write_table(events, path)
    return most_objects(match_files([str(path)]), configuration_of(Options()))


def test_more_events_are_no_more_python_objects(tmp_path: Path) -> None:
    few, of_few = objects_of(telemetry(FEW), tmp_path / "few.parquet")
    many, of_many = objects_of(telemetry(MANY), tmp_path / "many.parquet")
    assert (of_few[tally.VALID], of_many[tally.VALID]) == (FEW, MANY)
    assert of_many[tally.COMMUNICATIONS] > 4 * of_few[tally.COMMUNICATIONS] > 0
    assert many - few < (MANY - FEW) / 10  # the ids of communications, one of 50 events


def test_the_count_sees_a_column_whose_values_become_objects(tmp_path: Path) -> None:
    events = telemetry(SOME)
    numbers = pa.array(range(10_000, 10_000 + SOME))  # where text is expected each number is looked at
    changed = events.set_column(events.column_names.index("host_id"), "host_id", numbers)
    as_text, _ = objects_of(events, tmp_path / "text.parquet")
    as_numbers, _ = objects_of(changed, tmp_path / "numbers.parquet")
    assert as_numbers - as_text > SOME / 2
