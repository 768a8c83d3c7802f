"""Events of Windows in XML become the records that `evtx_dump -o jsonl` writes of the same events.

Source: Microsoft, "Event Schema" (Windows Event Log): `Event` holds `System` and `EventData` or `UserData`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DTDForbidden
from defusedxml.ElementTree import fromstring

from uncommon_im.transforms.rules.columns.rejection import Rejection

MOST_NESTED: Final = 64
"""Elements that may lie in each other; `UserData` of the deepest known provider needs less than ten."""
MOST_CHARACTERS: Final = 1 << 20
"""Characters of an event: a record of an event log has 64 KiB. Each element costs memory, however short it is."""
_NUMBERS: Final = frozenset(("EventID", "Version", "Level", "Task", "Opcode", "EventRecordID"))
"""Elements of `System` that hold a whole number."""
_WHOLE: Final = re.compile(r"\s*[0-9]{1,20}\s*")
_SHOWN: Final = 80


def event_record(text: str) -> dict[str, object] | Rejection:
    """The record of one `<Event>` element, with or without an XML declaration and a namespace.

    Names lose their namespace. Attributes become `#attributes`, text beside them `#text`. `EventData` becomes an object
    of names and texts; what has no name becomes `{"Data": {"#text": ...}}`, a list if there are several.

    >>> event_record("<Event><System><EventID>3</EventID></System></Event>")
    {'Event': {'System': {'EventID': 3}}}

    Returns:
        The record, or why there is none: the text is no XML, has a document type (so entities cannot be defined), or
        its outermost element is no event.
    """
    root = _root(text)
    if isinstance(root, Rejection):
        return root
    if _name(root) != "Event":
        return Rejection("malformed", f"no XML of an event: its element is {_name(root)[:_SHOWN]}, not Event")
    return {"Event": {_name(part): _part(part) for part in root}}


def data_in_xml(text: str) -> dict[str, object] | Rejection:
    """Names and texts of an event's data alone: `EventData`, what holds one, or its elements side by side.

    >>> data_in_xml('<EventData><Data Name="Image">a.exe</Data></EventData>')
    {'Image': 'a.exe'}
    >>> data_in_xml('<Data Name="Image">a.exe</Data><Data Name="User">b</Data>')
    {'Image': 'a.exe', 'User': 'b'}

    Returns:
        The names and texts, or why there are none: the text is no XML, or has a document type.
    """
    text = text.strip()
    root = _root(f"<EventData>{text}</EventData>" if text.startswith("<Data ") else text)
    if isinstance(root, Rejection):
        return root
    inner = next((element for element in root.iter() if _name(element) == "EventData"), root)
    return _event_data(inner) or {}


def _root(text: str) -> Element | Rejection:
    if len(text) > MOST_CHARACTERS:
        return Rejection("malformed", f"no XML of an event: it is longer than {MOST_CHARACTERS:,} characters")
    try:
        root = fromstring(text.strip().removeprefix("\ufeff"), forbid_dtd=True)
    except DTDForbidden:
        return Rejection("malformed", "no XML of an event: it has a document type")
    except (ParseError, ValueError) as error:
        return Rejection("malformed", f"no XML of an event: {' '.join(str(error).split())}")
    if _too_deep(root):
        return Rejection("malformed", f"no XML of an event: more than {MOST_NESTED} elements lie in each other")
    return root


def _name(element: Element) -> str:
    """The name of an element without its namespace; comments are left out by the parser."""
    return str(element.tag).rpartition("}")[2]


def _too_deep(root: Element) -> bool:
    level = [root]
    for _ in range(MOST_NESTED):
        level = [child for element in level for child in element]
    return bool(level)


def _part(part: Element) -> object:
    """What a child of the event holds."""
    return _event_data(part) if _name(part) == "EventData" else _value(part)


def _event_data(part: Element) -> dict[str, object] | None:
    """Names and texts; `None` if there are none."""
    named: list[tuple[str, object]] = []
    nameless: list[str] = []
    for element in part:
        name = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "Name"), "")
        if _name(element) != "Data" or len(element):
            named.append((_name(element), _value(element)))
        elif name:
            named.append((name, _text(element)))
        else:
            nameless.append(_text(element))
    if nameless:
        named.append(("Data", {"#text": nameless[0] if len(nameless) == 1 else nameless}))
    return (_attributes(part) | _object(named)) or None


def _value(element: Element, parent: str = "") -> object:
    """The text of an element, or an object of its attributes, text and elements; `None` if it has none of them."""
    text: object = _text(element)
    if parent == "System" and _name(element) in _NUMBERS and _WHOLE.fullmatch(_text(element)):
        text = int(_text(element))
    made = _attributes(element) | _object([(_name(child), _value(child, _name(element))) for child in element])
    if not made:
        return None if text == "" else text
    return made if text == "" else {**made, "#text": text}


def _attributes(element: Element) -> dict[str, object]:
    """The attributes of an element as what they become; nothing if it has none."""
    found = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    return {"#attributes": found} if found else {}


def _text(element: Element) -> str:
    """The text of an element; white space alone, which pretty-printing puts there, is none."""
    text = element.text or ""
    return "" if text.isspace() else text


def _object(named: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Values by name; names that come again become `NAME_1`, `NAME_2` and so on."""
    made: dict[str, object] = {}
    times: dict[str, int] = {}
    for name, value in named:
        key = name
        while key in made:
            times[name] = times.get(name, 0) + 1
            key = f"{name}_{times[name]}"
        made[key] = value
    return made
