"""Normal forms of single texts."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.columns.text import (
    MISSING,
    UNMARKED,
    base_name,
    clean_process_name,
    clean_remote_host,
    clean_text,
    is_address,
    is_marker,
    memoise,
    memoise_together,
    parse_address,
    to_ascii,
)


@pytest.mark.parametrize("value", [None, "", "  ", "-", " - ", "N/A", "n/a", "UNKNOWN", "Unknown", "null", "\tNULL\n"])
def test_markers_of_missing_values_in_any_case_are_missing(value: str | None) -> None:
    assert clean_text(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Acme Corp\t", "Acme Corp"),
        ("--", "--"),
        ("none", "none"),
        ("nullable", "nullable"),
        ("unknown user", "unknown user"),
        ("\u00a0x\u3000", "x"),
    ],
)
def test_other_text_is_only_trimmed(value: str, expected: str) -> None:
    assert clean_text(value) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.exe", "a.exe"), ("C:\\x y\\a.exe", "a.exe"), ("/usr/bin/a", "a"), ("C:\\x/a", "a"), ("/usr/bin/", "")],
)
def test_the_base_name_follows_the_last_slash_of_either_kind(path: str, expected: str) -> None:
    assert base_name(path) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("null", "null"),
        ("-", "-"),
        ("UNKNOWN", "UNKNOWN"),
        (" C:\\x\\Null ", "Null"),
        ("", None),
        ("  ", None),
        ("/usr/bin/", None),
        (None, None),
    ],
)
def test_a_process_may_be_called_like_a_marker_but_not_like_nothing(value: str | None, expected: str | None) -> None:
    assert clean_process_name(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "t.me",
        "T.ME",
        "t.me.",
        " t.me ",
        "t.me:443",
        "t.me.:443",
        "t.me:",
        "https://t.me",
        "HTTPS://T.Me:8443/a/b?c#d",
        "t.me/path",
        "t.me?x=1",
        "wss://user:word@t.me:443/x",
        "t.me\\share",
    ],
)
def test_a_host_loses_case_scheme_user_port_path_and_trailing_dot(value: str) -> None:
    assert clean_remote_host(value) == ("t.me", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("149.154.160.1", "149.154.160.1"),
        ("149.154.160.1:443", "149.154.160.1"),
        ("http://149.154.160.1:80/x", "149.154.160.1"),
        ("149.154.160.1.", "149.154.160.1"),
        ("2001:67c:4e8::1", "2001:67c:4e8::1"),
        ("[2001:67c:4e8::1]", "2001:67c:4e8::1"),
        ("https://[2001:67c:4e8::1]:443/x", "2001:67c:4e8::1"),
        ("::ffff:149.154.160.1", "::ffff:149.154.160.1"),
    ],
)
def test_a_host_that_is_an_address_is_an_address(value: str, expected: str) -> None:
    assert clean_remote_host(value) == (None, expected)


@pytest.mark.parametrize("value", ["149.154.160", "149.154.160.1.example", "1.2.3.4.5", "256.1.1.1", "dead.beef"])
def test_a_host_that_only_resembles_an_address_stays_a_host(value: str) -> None:
    assert clean_remote_host(value) == (value, None)


@pytest.mark.parametrize("value", [None, "", "-", "n/a", "https://", "https://-/x", ".", ":443", "unknown.", "//"])
def test_a_host_without_a_name_is_missing(value: str | None) -> None:
    assert clean_remote_host(value) == (None, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("münchen.t.me", "xn--mnchen-3ya.t.me"),
        ("api。telegram。org", "api.telegram.org"),
        ("plain.example", "plain.example"),
        ("under_score.example", "under_score.example"),
        ("ü..example", "ü..example"),
        ("ü" * 64 + ".example", "ü" * 64 + ".example"),
    ],
)
def test_names_become_ascii_where_idna_has_a_form_for_them(name: str, expected: str) -> None:
    assert to_ascii(name) == expected


@quick
@given(st.one_of(st.text(max_size=40), st.from_regex(r"(https?://)?[a-zäöA-Z.。:/\[\]0-9@]{0,20}", fullmatch=True)))
@example("telegram.org。")
def test_a_cleaned_host_is_one_thing_without_trailing_dot(value: str) -> None:
    host, address = clean_remote_host(value)
    assert host is None or address is None
    assert host is None or (not host.endswith(".") and host == host.lower())
    assert address is None or is_address(address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::ffff:149.154.160.1", "149.154.160.1"),
        ("::FFFF:959A:A001", "149.154.160.1"),
        ("149.154.160.1", "149.154.160.1"),
        ("2001:067C:04E8:0000::1", "2001:67c:4e8::1"),
    ],
)
def test_an_address_reads_the_same_in_every_spelling(text: str, expected: str) -> None:
    assert parse_address(text) == ipaddress.ip_address(expected)


@pytest.mark.parametrize(
    "text", ["", "t.me", "149.154.160", "149.154.160.01", "149.154.160.1/32", ":", "1234", "۱.1.1.1"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None
    assert not is_address(text)


def test_long_texts_are_not_remembered_and_short_ones_are() -> None:
    asked: list[str | None] = []

    def length(text: str | None, other: str | None = None) -> int:
        asked.append(text)
        return len(text or "") + len(other or "")

    ask, ask_together = memoise(length, 10), memoise_together(length, 10)
    for text in ("a", "a", "x" * 3000, "x" * 3000):
        assert ask(text) == len(text)
    assert [len(text or "") for text in asked] == [1, 3000, 3000]
    asked.clear()
    for either in ("a", "a", None, None, "x" * 3000, "x" * 3000):
        assert ask_together(either, "b") == len(either or "") + 1
    assert [len(text or "") for text in asked] == [1, 0, 3000, 3000]


@given(st.text(max_size=9) | st.sampled_from(sorted(MISSING)).map(lambda text: f"\u2003{text.upper()}\n"))
def test_a_marker_is_told_by_its_first_letter_or_by_the_whole_text_alike(text: str) -> None:
    assert is_marker(text) == (text.strip().lower() in MISSING)
    assert text[:1] not in UNMARKED or text.strip().lower() not in MISSING
