"""The state folder of a chain of days, on a local file system and on a store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from posixpath import join

import pytest

from tests import stores
from tests.pipeline.results.killing import let_die
from uncommon_im.pipeline.cli.daily.state import KIND, LEDGER, Ledger, StateFolder
from uncommon_im.pipeline.errors import NotReady
from uncommon_im.pipeline.results import claims
from uncommon_im.pipeline.results.claims import BOOKS
from uncommon_im.pipeline.storage.changing import write_whole
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.schemas.documents import ConfigurationError

DAY = date(2026, 3, 1)


@pytest.fixture(params=["local", "store"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateFolder]:
    stores.OBJECTS.clear()
    yield StateFolder({"local": str(tmp_path / "S"), "store": "shelf://s/S"}[request.param])
    stores.OBJECTS.clear()


def keep(state: StateFolder, number: int) -> date:
    """Puts a snapshot there that has one file."""
    day = DAY + timedelta(days=number)
    name = "run/said-00000.parquet"
    write_whole(join(state.snapshot(day), name), b"rows")
    metadata = f'{{"as_of": "{day}", "run_id": "run", "files": {{"said": ["{name}"]}}}}'
    write_whole(join(state.snapshot(day), "metadata.json"), metadata.encode())
    return day


def test_a_ledger_is_read_as_it_was_written(state: StateFolder) -> None:
    assert state.read() is None
    files = {"lake/ä b.jsonl": (12, 1_796_078_471.744_967_7)}
    ledger = Ledger(DAY, DAY + timedelta(days=2), {DAY: files, DAY + timedelta(days=1): {}}, files, "why")
    assert state.write(ledger) == state.read() == ledger


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 1}', '{"schema_version": 1, "first": "soon"}', "\xff"])
def test_a_ledger_that_is_none_is_wrong(text: str, state: StateFolder) -> None:
    write_whole(join(state.path, LEDGER), text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"--state .*daily\.json"):
        state.read()


def test_snapshots_are_whole_ones_of_days_and_tidying_deletes_nothing_of_somebody_else(state: StateFolder) -> None:
    days = [keep(state, number) for number in range(3)]
    foreign = {"snapshots/2026-03-01/notes.txt", "snapshots/2026-02-31/metadata.json", "snapshots/mine/metadata.json"}
    for name in foreign:
        write_whole(join(state.path, name), b"mine")
    begun = "snapshots/2026-03-09/run/said-00000.parquet"
    write_whole(join(state.path, begun), b"of a run that was killed: the next one to write there removes it")
    assert state.snapshots() == days
    state.tidy(days[1:2])
    assert state.snapshots() == days[1:2]
    kept = {f"snapshots/{days[1]}/{name}" for name in ("metadata.json", "run/said-00000.parquet")}
    assert set(list_folder(state.path)) == {*kept, *foreign, begun}


def test_who_lives_keeps_others_out_and_who_died_does_not(state: StateFolder) -> None:
    with (
        state.claimed(),
        pytest.raises(NotReady, match="has been writing there since"),
        state.claimed(),
    ):
        pass
    assert list_folder(state.path) == []
    let_die(claims.claim("--state", state.path, KIND, ("dead", join(BOOKS, "dead")), stays=True))
    with state.claimed():
        assert [name for name in list_folder(join(state.path, BOOKS)) if "dead" in name] == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="cannot be written"),
        StateFolder(f"{tmp_path}/file").claimed(),
    ):
        pass
