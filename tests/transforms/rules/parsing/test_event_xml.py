"""Event XML becomes records as a dump of the event log gives them."""

from __future__ import annotations

import pytest

from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.parsing.event_xml import MOST_CHARACTERS, data_in_xml, event_record

NAMESPACE = "xmlns='http://schemas.microsoft.com/win/2004/08/events/event'"
CONNECTION = f"""
<Event {NAMESPACE}>
  <System>
    <Provider Name='Microsoft-Windows-Sysmon' Guid='{{00000000-0000-0000-0000-0000000000aa}}'/>
    <EventID>3</EventID>
    <TimeCreated SystemTime='2026-03-03T10:00:00.1234567Z'/>
    <Correlation/>
    <Channel>Microsoft-Windows-Sysmon/Operational</Channel>
    <Computer>0042</Computer>
  </System>
  <EventData>
    <Data Name='Image'>C:\\Odd &amp; Sons\\a.exe</Data>
    <Data Name='DestinationHostname'></Data>
    <Data Name='DestinationPort'>443</Data>
  </EventData>
</Event>"""


def test_a_connection_has_the_shape_of_a_dump() -> None:
    assert event_record(CONNECTION) == {
        "Event": {
            "System": {
                "Provider": {
                    "#attributes": {
                        "Name": "Microsoft-Windows-Sysmon",
                        "Guid": "{00000000-0000-0000-0000-0000000000aa}",
                    }
                },
                "EventID": 3,
                "TimeCreated": {"#attributes": {"SystemTime": "2026-03-03T10:00:00.1234567Z"}},
                "Correlation": None,
                "Channel": "Microsoft-Windows-Sysmon/Operational",
                "Computer": "0042",
            },
            "EventData": {"Image": "C:\\Odd & Sons\\a.exe", "DestinationHostname": "", "DestinationPort": "443"},
        }
    }


@pytest.mark.parametrize(
    "text",
    [
        f"<?xml version='1.0' encoding='utf-16'?>\n{CONNECTION}",
        f"\ufeff{CONNECTION}",
        CONNECTION.replace("<", "<e:")
        .replace("<e:/", "</e:")
        .replace(NAMESPACE, NAMESPACE.replace("xmlns", "xmlns:e")),
        CONNECTION.replace("<System>", "<!-- seen --><System>"),
    ],
)
def test_declarations_marks_and_prefixes_change_nothing(text: str) -> None:
    assert event_record(text) == event_record(CONNECTION)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<System><EventID Qualifiers='0'>7</EventID></System>", {"#attributes": {"Qualifiers": "0"}, "#text": 7}),
        ("<System><EventID> 7 </EventID></System>", 7),
        ("<System><EventID>x</EventID></System>", "x"),
        ("<System><EventID>٣</EventID></System>", "٣"),
        (f"<System><EventID>{'9' * 30}</EventID></System>", "9" * 30),
        ("<System><EventID/></System>", None),
    ],
)
def test_event_ids_are_numbers_where_they_can_be(inner: str, expected: object) -> None:
    assert event_record(f"<Event>{inner}</Event>") == {"Event": {"System": {"EventID": expected}}}


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<Data>a</Data>", {"Data": {"#text": "a"}}),
        ("<Data>a</Data><Data></Data><Binary>00</Binary>", {"Binary": "00", "Data": {"#text": ["a", ""]}}),
        ("<Data Name='x'>1</Data><Data Name='x'>2</Data><Data Name='x'>3</Data>", {"x": "1", "x_1": "2", "x_2": "3"}),
        ("<Data Name='x'>1</Data><Data Name='x_1'>2</Data><Data Name='x'>3</Data>", {"x": "1", "x_1": "2", "x_2": "3"}),
        ("<Data Name=''>a</Data>", {"Data": {"#text": "a"}}),
        ("", None),
    ],
)
def test_event_data_without_names_or_with_the_same_ones_is_kept(inner: str, expected: object) -> None:
    assert event_record(f"<Event><EventData>{inner}</EventData></Event>") == {"Event": {"EventData": expected}}


def test_user_data_is_an_object_of_its_elements() -> None:
    text = "<Event><UserData><Started xmlns='x'><Name a='1'>n</Name><Empty/></Started></UserData></Event>"
    started = {"Name": {"#attributes": {"a": "1"}, "#text": "n"}, "Empty": None}
    assert event_record(text) == {"Event": {"UserData": {"Started": started}}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no element found"),
        ("<Event>", "no element found"),
        ("<Event></Other>", "mismatched tag"),
        ("<Events/>", "its element is Events, not Event"),
        ("<Event>\x00</Event>", "not well-formed"),
        ("<Event>\ud800</Event>", "surrogates"),
        ("<!DOCTYPE a><Event/>", "it has a document type"),
        ("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><Event>&c;</Event>", "it has a document type"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><Event>&b;</Event>", "it has a document type"),
        ("<Event>&unknown;</Event>", "undefined entity"),
        (f"<Event>{'<a>' * 70}{'</a>' * 70}</Event>", "more than 64 elements lie in each other"),
        (f"<Event>{'<a>' * 100_000}{'</a>' * 100_000}</Event>", "more than 64 elements lie in each other"),
    ],
)
def test_what_is_no_event_is_refused_in_one_line(text: str, said: str) -> None:
    found = event_record(text)
    assert isinstance(found, Rejection)
    assert found.reason == "malformed"
    assert said in found.detail
    assert "\n" not in found.detail


def test_many_elements_of_one_name_take_no_more_than_their_number() -> None:
    found = event_record(f"<Event><UserData>{'<a/>' * 200_000}</UserData></Event>")
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    "text",
    [
        "<EventData xmlns='urn:x'><Data Name='Image'>a.exe</Data><Data Name='User'>CORP\\m &amp; n</Data></EventData>",
        "<DataItem type='System.XmlData' time='2026-03-03T10:00:00Z'><EventData xmlns='urn:x'><Data Name='Image'>a.exe"
        "</Data><Data Name='User'>CORP\\m &amp; n</Data></EventData></DataItem>",
        " <Data Name='Image'>a.exe</Data>\n<Data Name='User'>CORP\\m &amp; n</Data> ",
    ],
)
def test_data_alone_gives_names_and_texts_whatever_is_around_it(text: str) -> None:
    assert data_in_xml(text) == {"Image": "a.exe", "User": "CORP\\m & n"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<EventData><Data Name='a'>b</Data>", "no element found"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><EventData><Data Name='a'>&b;</Data></EventData>", "it has a document type"),
        ("<a>" * 70 + "</a>" * 70, "more than 64 elements lie in each other"),
    ],
)
def test_data_alone_that_is_no_xml_says_why(text: str, problem: str) -> None:
    found = data_in_xml(text)
    assert isinstance(found, Rejection)
    assert problem in found.detail


def test_data_alone_may_be_empty() -> None:
    assert data_in_xml("<EventData/>") == {}


def test_an_event_longer_than_any_is_refused_before_it_costs_memory() -> None:
    found = event_record("<Event><EventData>" + "<a/>" * (MOST_CHARACTERS // 4) + "</EventData></Event>")
    assert isinstance(found, Rejection)
    assert found.detail == "no XML of an event: it is longer than 1,048,576 characters"
