"""Remote hosts by the column are what each is by itself."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.transforms.rules.columns.column import Text, text_of
from uncommon_im.transforms.rules.columns.remote_hosts import split_remote_hosts
from uncommon_im.transforms.rules.columns.text import clean_remote_host

PLAIN = st.from_regex(r"[a-z0-9_-]{1,4}(\.[a-z0-9_-]{1,4}){0,3}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){1,4}", fullmatch=True)
ADDRESSES = st.ip_addresses().map(str)
DECORATED = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", " ", "https://", "HTTP://user@", "ftp://a:b@", "."]),
    PLAIN
    | NUMBERS
    | ADDRESSES
    | ADDRESSES.map("[{}]".format)
    | st.sampled_from(["TELEGRAM.ORG", "bücher.example", "t。me"]),
    st.sampled_from(["", ":443", ":", "/path?x#y", "\\share", "."]),
    st.sampled_from(["", ".", "..", " ", "\n", "\u2003"]),
)
MARKERS = st.sampled_from(["", "-", "null", "Unknown", "n/a", "N/A ", "unknown.", "null.", "-.", "--", "nulls"])
HOSTS = st.lists(st.none() | PLAIN | NUMBERS | ADDRESSES | DECORATED | MARKERS | st.text(max_size=9), max_size=12)


def both(text: Text) -> list[tuple[str | None, str | None]]:
    names, addresses = (column.arrow().to_pylist() for column in split_remote_hosts(text))
    return list(zip(names, addresses, strict=True))


@quick
@given(HOSTS)
def test_each_row_has_the_name_and_the_address_that_its_host_alone_would_have(hosts: list[str | None]) -> None:
    assert both(text_of(pa.array(hosts, pa.string()))) == [clean_remote_host(host) for host in hosts]


@quick
@given(HOSTS)
def test_a_dictionary_that_repeats_itself_makes_no_difference(hosts: list[str | None]) -> None:
    array = pa.array(hosts, pa.string())
    loose = Text(
        pa.array([-1 if h is None else n for n, h in enumerate(hosts)], pa.int32()).to_numpy(),
        array.fill_null(""),
        True,
    )
    assert both(loose) == [clean_remote_host(host) for host in hosts]


def test_most_hosts_are_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def clean(value: str) -> Any:
        asked.append(value)
        return clean_remote_host(value)

    monkeypatch.setattr("uncommon_im.transforms.rules.columns.remote_hosts._clean", clean)
    hosts = ["api.telegram.org", "7-zip.org", "149.154.167.220", "_spf.example.com", "t.me", "API.telegram.org", "::1"]
    names = [*hosts[:2], None, hosts[3], "t.me", "api.telegram.org", None]
    assert [name for name, _ in both(text_of(pa.array(hosts)))] == names
    assert set(asked) == {"t.me", "API.telegram.org", "::1"}
