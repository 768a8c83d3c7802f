"""The random campaign itself: a fault in a rule is found, by its seed and its way, and the campaign goes on."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.organisations import random_organisation
from tests.running import configuration_of, run_backfill, run_records
from tests.soak import __main__ as soak
from tests.soak import ways
from tests.soak.files import scattered
from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.transforms.rules.baseline import formula

SEED = 4


def sound(_: int, folder: Path) -> None:
    assert list(folder.iterdir()) == []


def wrong_for_odd_seeds(seed: int, _: Path) -> None:
    assert seed % 2 == 0, "it differs"


def stopping(_: int, __: Path) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def stopping_beam(seed: int, folder: Path) -> None:
    try:
        stopping(seed, folder)
    except KeyboardInterrupt:
        raise RuntimeError("while a step was running") from None


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A campaign takes the signals over; afterwards they are as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def only(monkeypatch: pytest.MonkeyPatch, **quick: ways.Way) -> None:
    """Lets the campaign know these ways alone."""
    monkeypatch.setattr(soak, "ways", lambda: quick)
    monkeypatch.setattr(soak, "slow_ways", dict)


@pytest.fixture
def one_day_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the rule of section 6: a host must have had a program for one day more before it is common there."""
    right = formula.is_common_on_host

    def wrong(host_days: Any, kind: Any, limits: Any) -> Any:
        return right(host_days - 1, kind, limits)

    monkeypatch.setattr(formula, "is_common_on_host", wrong)


@pytest.mark.parametrize("way", [ways.in_one_run, ways.by_the_streams_rules])
def test_a_fault_in_a_rule_is_found_and_said_with_seed_and_way(
    way: ways.Way, one_day_more: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert soak.differs(way, SEED)
    assert f"DIFFERS: --seed {SEED} --way {way.__name__}\n" in capsys.readouterr().out


@pytest.mark.parametrize("way", [ways.in_one_run, ways.by_the_streams_rules, ways.in_a_chain])
def test_without_the_fault_the_same_organisation_equals_the_oracle(
    way: ways.Way, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not soak.differs(way, SEED), capsys.readouterr().out


def test_what_differs_does_not_end_the_campaign_and_is_listed_at_its_end_to_be_run_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, sound=sound, odd=wrong_for_odd_seeds)
    assert soak.main(["--seed", "10", "--organisations", "6"]) == 1
    said = capsys.readouterr().out
    assert said.count("DIFFERS: ") == 3
    assert said.endswith(
        "6 organisations from seed 10 on, by way: sound 3, wrong_for_odd_seeds 3: 3 differ\n"
        "  python -m tests.soak --seed 11 --way wrong_for_odd_seeds\n"
        "  python -m tests.soak --seed 13 --way wrong_for_odd_seeds\n"
        "  python -m tests.soak --seed 15 --way wrong_for_odd_seeds\n"
    )


@pytest.mark.parametrize(("seed", "ends"), [("11", 1), ("12", 0)])
def test_a_seed_and_a_way_run_one_organisation_again(
    seed: str, ends: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, wrong_for_odd_seeds=wrong_for_odd_seeds, sound=sound)
    assert soak.main(["--seed", seed, "--way", "wrong_for_odd_seeds"]) == ends
    said = capsys.readouterr().out
    assert f"1 organisations from seed {seed} on, by way: wrong_for_odd_seeds 1: " in said
    assert said.endswith("all equal the oracle\n") == (ends == 0)


@pytest.mark.parametrize("told", [stopping, stopping_beam])
def test_a_campaign_that_is_stopped_says_what_it_did(
    told: ways.Way, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, sound=sound, stopping=told)
    assert soak.main(["--seed", "1"]) == 0
    assert capsys.readouterr().out.endswith(
        "stopped\n1 organisations from seed 1 on, by way: sound 1: all equal the oracle\n"
    )


def test_a_campaign_that_compared_nothing_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, stopping=stopping)
    assert soak.main([]) == 1
    assert capsys.readouterr().out == "stopped\nno organisation was compared\n"


def test_engines_have_their_turn_after_some_rounds_of_the_others() -> None:
    turns = soak.turns_of({"a": sound, "b": wrong_for_odd_seeds}, {"c": stopping, "d": sound})
    round_ = [sound, wrong_for_odd_seeds] * soak.SELDOM
    expected = [*round_, stopping, *round_, sound, *round_, stopping]
    assert list(itertools.islice(turns, len(expected))) == expected


def test_without_an_engine_the_quick_ways_go_on_alone() -> None:
    turns = soak.turns_of({"a": sound}, {})
    assert list(itertools.islice(turns, 5 * soak.SELDOM)) == [sound] * 5 * soak.SELDOM


def test_scattered_records_are_all_there_some_repeated_in_files_of_all_kinds(tmp_path: Path) -> None:
    organisation = random_organisation(SEED)
    configuration = configuration_of(organisation.options)
    kinds, orders = Counter[str](), set()
    for seed in range(4):
        patterns = scattered(organisation.records, tmp_path / str(seed), random.Random(seed))
        kinds.update(path.name.partition(".")[2] for path in (tmp_path / str(seed)).rglob("events-*"))
        orders.add(tuple(sorted(path.stat().st_size for path in (tmp_path / str(seed)).rglob("events-*"))))
    assert set(kinds) == {"jsonl", "json.gz", "ndjson.zst", "parquet"}
    assert len(orders) == 4
    found = run_backfill(patterns, configuration)
    assert found.summary["events"]["read"] > len(organisation.records)
    assert found.verdict_rows == run_records(organisation.records, configuration).verdict_rows


def test_a_copied_snapshot_is_whole_elsewhere_and_its_original_is_gone(tmp_path: Path) -> None:
    organisation, original = random_organisation(SEED), tmp_path / "snapshot"
    run_records(
        organisation.records, configuration_of(organisation.options, end=ways.FIRST, baseline_out=str(original))
    )
    metadata = json.loads((original / "metadata.json").read_text())
    copy = original
    for seed in range(3):
        copy = ways.copied(copy, random.Random(seed))
        assert json.loads((copy / "metadata.json").read_text()) == metadata
        assert open_snapshot(str(copy)).path == str(copy)
        assert not original.exists()
