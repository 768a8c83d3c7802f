"""Events in XML: each is read for itself, and one that is none costs itself."""

from __future__ import annotations

import io
from unittest import mock

import msgspec
import pytest

from tests.pipeline.sources.files.samples import EVENT
from uncommon_im.pipeline.sources.files.containers import event_elements, text_window
from uncommon_im.pipeline.sources.files.containers.event_elements import event_items
from uncommon_im.pipeline.sources.files.containers.gathering import Broken, Item
from uncommon_im.pipeline.sources.files.content import Content, ContentOptions
from uncommon_im.pipeline.sources.files.recognising import recognise

ONE, TWO = EVENT.format(name="one"), EVENT.format(name="two")
DECLARED = "<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n"
TEXTS = {
    "one after the other": ONE + TWO,
    "on lines": f"{ONE}\n{TWO}\n",
    "in an element": f"{DECLARED}<Events>{ONE}<!-- a <b> --><!-- --> {TWO}</Events>\n",
    "in an element with a namespace": f"<Events xmlns='x'>\n{ONE}\n{TWO}\n</Events>",
    "each with a declaration": f"{DECLARED}{ONE}\n{DECLARED}{TWO}",
    "with a prefix": (ONE + TWO).replace("<", "<e:").replace("<e:/", "</e:").replace("xmlns=", "xmlns:e="),
}


def items(text: str, window: int = 1 << 18) -> list[Item]:
    with mock.patch.multiple(text_window, WINDOW_CHARACTERS=window, PIECE_BYTES=max(1, window // 2)):
        return list(event_items(io.BufferedReader(io.BytesIO(text.encode()))))  # type: ignore[arg-type]


def images(found: list[Item]) -> list[str]:
    records = [msgspec.json.decode(item) for item in found if isinstance(item, bytes)]
    return [record["Event"]["EventData"]["Image"].removeprefix("C:\\ProgramData\\upd\\") for record in records]


def problems(found: list[Item]) -> list[str]:
    return [item.detail for item in found if isinstance(item, Broken)]


@pytest.mark.parametrize("window", [1, 13, 1 << 18])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_events_are_read_whatever_holds_them(text: str, window: int) -> None:
    found = items(text, window)
    assert images(found) == ["one.exe", "two.exe"]
    assert not problems(found)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_events_are_recognised(text: str, encoding: str) -> None:
    content = recognise(lambda: io.BytesIO(text.encode(encoding)), ContentOptions())
    assert content == Content(file_type="xml", encoding=encoding)


def test_a_declared_encoding_counts() -> None:
    text = DECLARED.replace("utf-8", "ISO-8859-15") + ONE
    content = recognise(lambda: io.BytesIO(text.encode("iso-8859-15")), ContentOptions())
    assert content == Content(file_type="xml", encoding="iso8859-15")


@pytest.mark.parametrize("window", [13, 1 << 18])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (ONE[:150], "no XML of an event: it ends within it"),
        (ONE.replace("</System>", ""), "no XML of an event: mismatched tag"),
        ("between", "no XML of an event"),
        ("<Other/>", "no XML of an event"),
        (ONE.replace("C:", "&unknown;"), "no XML of an event: undefined entity"),
        ("<Event/>", ""),
    ],
)
def test_what_is_no_event_costs_itself(bad: str, said: str, window: int) -> None:
    found = items(f"<Events>{ONE}{bad}{TWO}</Events>", window)
    if bad == "<Event/>":
        assert found[1] == b'{"Event":{}}'
        return
    assert images(found) == ["one.exe", "two.exe"]
    assert [problem[: len(said)] for problem in problems(found)] == [said]


def test_entities_are_not_expanded() -> None:
    bomb = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>]>"
    found = items(f"{bomb}<Events>{ONE.replace('C:', '&b;')}{TWO}</Events>")
    assert images(found) == ["two.exe"]
    assert problems(found)[0] == "no XML of an event"
    assert problems(found)[1].startswith("no XML of an event: undefined entity")


def test_an_event_that_never_ends_is_given_up_in_bounded_memory() -> None:
    with (
        mock.patch.object(event_elements, "MAX_LINE_BYTES", 2000),
        mock.patch.object(text_window, "MAX_LINE_BYTES", 2000),
    ):
        found = items(f"<Event>{'x' * 100_000}<!-- --></Event>{TWO}", 500)
    assert images(found) == ["two.exe"]
    assert problems(found)[0] == "record is longer than 2,000 characters: raw holds its beginning"


@pytest.mark.parametrize(
    "text", ["<Event>", "<Event><", "</Event>", "<!--", "<!-- -->x", "<Events>", "<Event\t", "</Event "]
)
def test_many_broken_pieces_take_time_in_proportion(text: str) -> None:
    assert len(items(text * 20_000)) <= 20_001
