"""A cheap first look leaves out no text that ends with a name."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import CATALOGUE, quick
from uncommon_im.transforms.rules.recognition.name_ends import NameEnds

NAMES = ["t.me", "wa.me", "slack.com", "whatsapp.net", "a-very-long-name-of-a-server.example", "übung.example"]
NAME_ENDS = NameEnds(NAMES)
TEXTS = st.lists(st.builds("{}{}".format, st.text(max_size=9), st.sampled_from(["", *NAMES, "me", ".me", "k.com"])))


def looked_at(texts: pa.StringArray) -> list[bool]:
    found: list[bool] = NAME_ENDS.may_end(texts).tolist()
    return found


@quick
@given(TEXTS, st.integers(0, 3))
def test_what_ends_with_a_name_is_always_found_whatever_lies_beside_it(texts: list[str], cut: int) -> None:
    array = pa.array(texts, pa.string())[cut:]
    for text, found in zip(texts[cut:], looked_at(array), strict=True):
        assert found or not text.endswith(tuple(NAMES))


@pytest.mark.parametrize("text", ["api.telegram.org", "example.com", "x" * 100, "whatsapp.net.invalid"])
def test_other_texts_are_not_found(text: str) -> None:
    assert looked_at(pa.array(["in front of it", text])) == [False, False]


def test_no_text_and_no_name_are_fine() -> None:
    assert looked_at(pa.array([], pa.string())) == []
    assert NameEnds([]).may_end(pa.array(["in front of it", "t.me"])).tolist() == [False, False]
    assert NameEnds([""]).may_end(pa.array(["anything"])).tolist() == [True]


def test_hosts_of_the_catalogue_are_found_and_few_others() -> None:
    hosts = [host.name for service in CATALOGUE.services for host in service.hosts]
    ends, others = NameEnds(hosts), pa.array([f"host{number}.example{number % 97}.com" for number in range(10_000)])
    assert ends.may_end(pa.array(["in front of it", *hosts, *(f"sub.{host}" for host in hosts)]))[1:].all()
    assert ends.may_end(others).sum() < 100
