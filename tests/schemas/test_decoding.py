"""Documents as entries: what is wrong is said with its place, and with the key that was meant."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from uncommon_im.schemas.decoding import Entry, NonEmpty, Scalar, Text, decode
from uncommon_im.schemas.documents import ConfigurationError


class Inner(Entry, frozen=True):
    """An entry in another."""

    id: Text
    kind: Literal["first", "second"] = "first"
    size: Annotated[int, Meta(ge=0, description="a whole number, 0 or more")] = 0
    day: date | None = None

    def __post_init__(self) -> None:
        if self.size == 13:
            raise ValueError("size is 13: some buildings have none")


class Outer(Entry, frozen=True):
    """An entry with others."""

    inner: Inner | None = None
    listed: NonEmpty[Inner] = ()
    named: dict[str, tuple[Inner, ...]] = msgspec.field(default_factory=dict)
    words: dict[Literal["up", "down"], Scalar] = msgspec.field(default_factory=dict)
    names: frozenset[Text] = frozenset()
    any: str | NonEmpty[str] | Inner = ""


GOOD = {"id": "x"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "expected a mapping with inner, listed, named, words, names, any, not []"),
        ({"iner": GOOD}, "unknown key iner: did you mean inner? known are inner, listed, named, words, names, any"),
        ({7: GOOD}, "unknown key 7: known are inner, listed, named, words, names, any"),
        ({"inner": {}}, "inner: `id` is missing"),
        ({"inner": {"id": " "}}, "inner.id: expected a text, not ' '"),
        (
            {"inner": {"id": "x", "kind": "frist"}},
            "inner.kind: expected one of first, second, not 'frist': did you mean first?",
        ),
        ({"inner": {"id": "x", "size": -1}}, "inner.size: expected a whole number, 0 or more, not -1"),
        ({"inner": {"id": "x", "day": "soon"}}, "inner.day: expected a day written as YYYY-MM-DD, not 'soon'"),
        ({"listed": []}, "listed: expected a list that is not empty, not []"),
        (
            {"listed": [GOOD, {"id": "y", "sise": 1}]},
            "listed[1] (y): unknown key sise: did you mean size? known are id, kind, size, day",
        ),
        ({"listed": [{"id": "y", "size": 13}]}, "listed[0] (y): size is 13: some buildings have none"),
        ({"named": {"a": [GOOD], "b.c": [GOOD, {"id": 1}]}}, "named.b.c[1].id: expected a text, not 1"),
        ({"named": {"a": [GOOD], 5: [GOOD]}}, "named: expected a text, not 5"),
        ({"words": {"up": 1, "dwon": 2}}, "words: unknown key dwon: did you mean down? known are down, up"),
        ({"words": {"up": True, "down": []}}, "words.down: expected a text, a number or true or false, not []"),
        ({"names": ["a", " "]}, "names[1]: expected a text, not ' '"),
        ({"a\nb": 1}, "unknown key a b: known are inner, listed, named, words, names, any"),
        ({"any": 5}, "any: expected a text or a list that is not empty or a mapping with id, kind, size, day, not 5"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(document: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        decode(document, Outer, "own.yaml")
    assert str(error.value) == f"own.yaml: {message}"


def test_what_is_right_becomes_entries() -> None:
    found = decode({"inner": {"id": "x", "day": "2026-03-01"}, "listed": [GOOD], "words": {"up": 1}}, Outer, "own.yaml")
    assert found == Outer(Inner("x", day=date(2026, 3, 1)), (Inner("x"),), words={"up": 1})
