"""What a running job is updated against: labels, names and coders of state and timers, forms of messages and state.

An engine finds the state of a key by the step's full label, the state's name and its coder. **Update-breaking** is
whatever changes a line of `tests/golden/stream/contract.json`: another label, another name of a state or timer, another
coder, another field of a message or state (new last fields with a default excepted). A job is not updated over such a
change: it is restarted (README, "Restart"), and the forms get a new `VERSION`. What may change freely: rules, limits,
the code of sinks. After a change that is meant: `python -m tests.transforms.stream.test_update_contract`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from uncommon_im.pipeline.bigquery.access import BigQueryAccess
from uncommon_im.pipeline.bigquery.tables import Dataset
from uncommon_im.pipeline.cli.contract import contract
from uncommon_im.transforms.rules.stream.baselines import BaselineState
from uncommon_im.transforms.rules.stream.codec import Codec
from uncommon_im.transforms.rules.stream.messages import MESSAGES, Question, Sighting

CONTRACT = Path(__file__).parents[2] / "golden" / "stream" / "contract.json"
RELEASED = "0196a87175657374696f6ea461636d65a173a26831cd4e2005"
"""A question of the host `h1` of the tenant `acme`."""
_BEAMS_OWN = re.compile(r"/(Impulse|MaybeReshuffle|Map\(decode\)|FlatMap\(<lambda.*)$")
"""Steps inside `beam.Create`."""


def test_no_label_no_state_or_timer_name_no_coder_and_no_form_has_changed() -> None:
    frozen = json.loads(CONTRACT.read_text())
    assert contract() == frozen, "update-breaking: see the head of this file before you write a new contract"


def test_tables_of_bigquery_add_steps_and_change_none() -> None:
    frozen, more = json.loads(CONTRACT.read_text()), contract(Dataset(BigQueryAccess("p"), "p.d"))
    added = set(more["labels"]) - set(frozen["labels"])
    assert set(frozen["labels"]) < set(more["labels"])
    steps = {f"Insert{kind}/Insert" for kind in ("Alerts", "DeadLetters", "Verdicts")}
    assert added == {"AlertsWritten"} | steps
    assert more["stateful_steps"] == frozen["stateful_steps"]


def test_all_that_is_kept_or_travels_between_stateful_steps_has_one_of_beams_own_deterministic_coders() -> None:
    for step in contract()["stateful_steps"].values():
        assert step["elements"] == "beam:coder:kv:v1(beam:coder:string_utf8:v1, beam:coder:bytes:v1)"
        assert {coder.partition(" of ")[2] for coder in step["states"].values()} == {"beam:coder:bytes:v1"}


def test_names_of_states_and_timers_are_unique_in_the_graph() -> None:
    steps = contract()["stateful_steps"].values()
    names = [name for step in steps for name in (*step["states"], *step["timers"])]
    assert len(steps) == 5
    assert len(set(names)) == len(names) == 17


def test_a_value_of_another_version_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="version 02, this program reads 01"):
        MESSAGES.decode(b"\x02" + MESSAGES.encode(Sighting("t", "s", "h", 1, 1))[1:])


def test_equal_states_are_equal_bytes_whatever_the_order_in_which_they_grew() -> None:
    codec: Codec[BaselineState] = Codec(BaselineState)
    packed = (20_000, b"\x01", ())
    one = BaselineState(hosts={"a": packed, "b": packed})
    other = BaselineState(hosts={"b": packed, "a": packed})
    assert codec.encode(one) == codec.encode(other)


def test_the_bytes_of_a_message_are_those_of_the_released_form() -> None:
    message = Question("acme", "s", "h1", 20_000, 5)
    assert MESSAGES.encode(message).hex() == RELEASED
    assert MESSAGES.decode(bytes.fromhex(RELEASED)) == message


if __name__ == "__main__":
    CONTRACT.write_text(json.dumps(contract(), indent=2, sort_keys=True) + "\n")
