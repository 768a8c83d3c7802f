"""Every input of the kept corpus goes through its target: what was found once stays mended."""

from __future__ import annotations

import pytest

from tests.fuzzing.mutators import MUTATORS
from tests.fuzzing.run import CORPUS
from tests.fuzzing.targets import TARGETS

INPUTS = sorted((path.parent.name, path) for path in CORPUS.glob("*/*"))


def test_every_target_can_be_fuzzed_and_has_a_corpus() -> None:
    assert sorted(MUTATORS) == sorted(TARGETS)
    assert {target for target, _ in INPUTS} == set(TARGETS)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_kept_inputs_break_nothing(target: str) -> None:
    for name, path in INPUTS:
        if name == target:
            try:
                TARGETS[target](path.read_bytes())
            except Exception as error:
                error.add_note(f"the input is {path}")
                raise


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_no_input_is_as_good_as_any(target: str) -> None:
    TARGETS[target](b"")
