"""The sinks of a stream, killed at every step and started again: what is there is whole, and a day counts if all is."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.faults.children import run
from tests.faults.injection import Fault, killed, torn
from tests.faults.looking import Tree, tree
from tests.faults.scenes import FOREIGN, foreign, prepare
from tests.faults.streams import ALERTS, DAYS, DEAD, LEARNED, STREAM, TABLES, messages, write_stream
from tests.faults.striking import SHORT
from uncommon_im.transforms.rules.columns.days import day_of

pytestmark = pytest.mark.faults


def alerts_in(folder: Path) -> list[dict[str, object]]:
    """The alerts that a reader finds; a file that is not whole is no JSON."""
    return [json.loads(path.read_text()) for path in sorted((folder / STREAM / "alerts").glob("*.jsonl"))]


def dead_letters_in(folder: Path) -> Counter[int]:
    """The records of the dead letters that a reader finds."""
    paths = (folder / STREAM / "dead_letter").glob("*.jsonl")
    return Counter(json.loads(line)["record"] for path in paths for line in path.read_text().splitlines())


def learned_in(folder: Path) -> Tree:
    """The files of tables that a reader finds, each of which can be read."""
    files = {name: data for name, data in tree(folder / LEARNED).items() if name.endswith(".parquet")}
    for data in files.values():
        pq.ParquetFile(io.BytesIO(data)).read(use_threads=False)
    return files


def complete_days(folder: Path) -> list[str]:
    """The days that say that all of them is there, as it is."""
    done = [path.parent for path in (folder / LEARNED).glob("*/_SUCCESS")]
    for day in done:
        for name in json.loads((day / "_SUCCESS").read_text())["files"]:
            assert (folder / LEARNED / name).is_file(), f"{day.name} is complete without {name}"
        said = {alert["alert_id"] for alert in alerts_in(folder)}
        of_day = {alert["alert_id"] for alert in ALERTS if str(day_of(int(str(alert["day"])))) == day.name}
        assert of_day <= said, f"{day.name} is complete without its alerts"
    return sorted(day.name for day in done)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """What a stream learns that nothing disturbs."""
    folder = tmp_path_factory.mktemp("stream") / "whole"
    prepare(folder)
    done = run(write_stream, folder)
    assert done.status == 0, done.said
    assert dead_letters_in(folder) == {row["record"]: 1 for row in DEAD}
    assert complete_days(folder) == [str(day_of(day)) for day in DAYS]
    learned = learned_in(folder)
    assert len(learned) >= len(DAYS) * len(TABLES)
    assert sum(pq.ParquetFile(io.BytesIO(data)).metadata.num_rows for data in learned.values()) == sum(
        len(messages(table)) for table in TABLES
    )
    return learned


@pytest.mark.parametrize(("fault", "stride"), [(killed, 1), (torn, 3)])
def test_killed_at_every_step_and_started_again_a_stream_leaves_what_it_leaves_undisturbed(
    fault: Callable[[int], Fault], stride: int, undisturbed: Tree, tmp_path: Path, died: Callable[[int], None]
) -> None:
    folder, at = tmp_path / "stream", 1
    prepare(folder)
    while (ended := run(write_stream, folder, fault(at))).killed:
        died(1)
        assert foreign(folder) == FOREIGN
        assert all(alert in ALERTS for alert in alerts_in(folder))
        assert learned_in(folder).items() <= undisturbed.items()
        complete_days(folder)
        at += 12 if SHORT else stride
    assert ended.status == 0, ended.said
    assert alerts_in(folder) == sorted(ALERTS, key=lambda alert: str(alert["alert_id"]))
    assert dead_letters_in(folder).keys() == {row["record"] for row in DEAD}, "repeats are allowed, losses are not"
    assert learned_in(folder) == undisturbed
    assert complete_days(folder) == [str(day_of(day)) for day in DAYS]
