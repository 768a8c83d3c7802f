"""What is wrong with exceptions, seen from themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.running import catalogue
from uncommon_im.schemas.exceptions import ExceptionEntry, parse_exceptions
from uncommon_im.transforms.rules.advice.exception_findings import ALWAYS_THERE, Finding, static_findings
from uncommon_im.transforms.rules.columns.text import clean_process_name, clean_remote_host
from uncommon_im.transforms.rules.recognition.globs import covers
from uncommon_im.transforms.rules.recognition.identity import Identities
from uncommon_im.transforms.rules.recognition.suspicion import Process

TODAY = date(2026, 5, 1)
SERVICES = ("telegram", "slack", "slack-gov", "own-chat")


def findings(*entries: dict[str, Any]) -> list[Finding]:
    listed = parse_exceptions([entry | {"reason": "r"} for entry in entries], "exceptions")
    return list(static_findings(listed, TODAY, SERVICES))


def kinds(*entries: dict[str, Any]) -> list[tuple[int, str]]:
    return [(finding.number, finding.kind) for finding in findings(*entries)]


@pytest.mark.parametrize(
    ("expires", "expected"), [("2026-04-30", [(1, "expired")]), ("2026-05-01", []), ("2026-05-02", []), (None, [])]
)
def test_an_entry_has_expired_after_its_last_day(expires: str | None, expected: list[tuple[int, str]]) -> None:
    assert kinds({"process_name": "curl", "expires": expires}) == expected


@pytest.mark.parametrize(
    ("entry", "which"),
    [
        ({"process_name": "*"}, "every communication, malware's"),
        ({"process_name": "**", "service_id": "?*", "host_id": "*", "origin": "*"}, "every communication, malware's"),
        ({"user_name": "*"}, "every communication that has a user_name, malware's"),
        ({"host_id": "*", "signer": "*", "remote_host": "*"}, "that has a signer and a remote_host, malware's"),
    ],
)
def test_an_entry_of_nothing_but_stars_hides_everything(entry: dict[str, str], which: str) -> None:
    (finding,) = findings(entry)
    assert finding.kind == "hides_everything"
    assert which in finding.detail


@pytest.mark.parametrize("entry", [{"process_name": "a*"}, {"process_name": "*", "service_id": "slack"}])
def test_an_entry_that_asks_for_something_does_not_hide_everything(entry: dict[str, str]) -> None:
    assert findings(entry) == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({"process_name": "curl*"}, {"process_name": "curl.exe", "service_id": "slack"}),
        ({"process_name": "curl*", "host_id": "*"}, {"process_name": "curl.exe"}),
        ({"process_name": "curl"}, {"process_name": "CURL", "expires": "2026-06-01"}),
        ({"host_id": "h", "expires": "2026-06-01"}, {"host_id": "h", "expires": "2026-06-01", "signer": "acme"}),
    ],
)
def test_an_entry_is_shadowed_by_a_broader_one_wherever_that_stands(
    wide: dict[str, str], narrow: dict[str, str]
) -> None:
    assert kinds(wide, narrow) == [(2, "shadowed")]
    (finding,) = findings(narrow, wide)
    assert finding == Finding(1, "shadowed", "exception 2 matches all that it does: remove one of the two")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"process_name": "curl*"}, {"process_name": "*curl"}),
        ({"process_name": "curl", "service_id": "slack"}, {"process_name": "curl", "host_id": "h"}),
        ({"process_name": "curl", "user_name": "*"}, {"process_name": "curl", "host_id": "h"}),
        ({"process_name": "curl", "expires": "2026-06-01"}, {"process_name": "curl", "host_id": "h"}),
        (
            {"process_name": "curl", "expires": "2026-06-01"},
            {"process_name": "curl", "host_id": "h", "expires": "2026-06-02"},
        ),
    ],
)
def test_an_entry_that_matches_something_of_its_own_or_for_longer_is_not_shadowed(
    one: dict[str, str], other: dict[str, str]
) -> None:
    assert kinds(one, other) == kinds(other, one) == []


def test_of_equal_entries_the_first_stays() -> None:
    entry = {"process_name": "curl"}
    assert kinds(entry, entry, entry) == [(2, "shadowed"), (3, "shadowed")]


def test_an_entry_that_hides_everything_is_no_reason_to_remove_the_others() -> None:
    assert kinds({"process_name": "curl"}, {"process_name": "*"}) == [(2, "hides_everything")]


@pytest.mark.parametrize(
    ("field", "glob", "why"),
    [
        ("service_id", "telegramm", "the catalogue has no such service"),
        ("service_id", "discord*", "the catalogue has no such service"),
        ("process_name", "c:\\temp\\x.exe", "normalised it is 'x.exe'"),
        ("process_name", "c:\\temp\\*", "normalised values hold no '\\\\'"),
        ("process_name", "*/curl", "normalised values hold no '/'"),
        ("process_name", "", "that means a missing value"),
        ("user_name", "UNKNOWN", "that means a missing value"),
        ("signer", "n/a", "that means a missing value"),
        ("remote_host", "https://api.telegram.org/bot*", "normalised values hold no '/'"),
        ("remote_host", "https://API.telegram.org/", "normalised it is 'api.telegram.org'"),
        ("remote_host", "api.telegram.org:443", "normalised it is 'api.telegram.org'"),
        ("remote_host", "api.telegram.org.", "normalised it is 'api.telegram.org'"),
        ("remote_host", "149.154.167.220", "normalised it is 'address 149.154.167.220'"),
        ("remote_host", "bücher.example", "normalised it is 'xn--bcher-kva.example'"),
        ("origin", "unsigned:c:/users/bob/app", "this one to 'c:/users/*/app/'"),
        ("origin", "unsigned:c:/users/bob", "this one to 'c:/users/*/'"),
        ("origin", "unknown:/home/bob/*", "this one to '/home/*/'"),
        ("origin", "unknown:/opt/app-1.2", "this one to '/opt/app-*/'"),
        ("origin", "unknown:*/app-1.?", "normalised values hold no '1'"),
        ("origin", "unsigned:c:\\apps", "this one to 'c:/apps/'"),
        ("origin", "unsigned:*\\apps", "normalised values hold no '\\\\'"),
    ],
)
def test_a_glob_that_no_normalised_value_matches_is_told_with_the_mend(field: str, glob: str, why: str) -> None:
    (finding,) = findings({field: glob, "host_id": "h"})
    assert finding.kind == "impossible"
    assert finding.detail.startswith(f"{field} {glob.lower()!r} never matches: ")
    assert why in finding.detail


@pytest.mark.parametrize(
    ("field", "glob"),
    [
        ("service_id", "SLACK*"),
        ("service_id", "own-chat"),
        ("process_name", "null"),
        ("process_name", "[[]x].exe"),
        ("process_path", "C:\\Temp\\*"),
        ("user_name", "ACME\\bob"),
        ("host_id", "7"),
        ("signer", "7-Zip 24.01"),
        ("origin", "7-zip 24.01"),
        ("origin", "unsigned:*"),
        ("origin", "unsigned:"),
        ("origin", "unsigned:c:/users/*/app"),
        ("origin", "unsigned:c:/users/[*]/app"),
        ("origin", "unsigned:c:/users/public/app"),
        ("origin", "unsigned:c:/users/p*/app"),
        ("origin", "unknown:/opt/app-*"),
        ("remote_host", "*.telegram.org"),
        ("remote_host", "xn--bcher-kva.example"),
    ],
)
def test_a_glob_that_some_normalised_value_matches_is_no_finding(field: str, glob: str) -> None:
    assert findings({field: glob}) == []


def test_an_entry_that_matches_nothing_is_not_called_shadowed_too() -> None:
    assert kinds({"process_name": "a*"}, {"process_name": "a*", "service_id": "none"}) == [(2, "impossible")]


PIECES = st.sampled_from(
    (
        "c:",
        "users",
        "Users",
        "home",
        "public",
        "bob",
        "AppData/Local/Temp",
        "tmp",
        "app-1.2",
        "deadbeef00",
        "v3",
        "*",
        "",
    )
)
PATHS = st.builds(lambda slash, pieces: slash.join(pieces), st.sampled_from("/\\"), st.lists(PIECES, max_size=6))


@given(PATHS, st.sampled_from(("windows", "linux", None)), st.integers(0, 40))
def test_no_origin_that_occurs_is_called_impossible_nor_are_globs_that_match_it(path: str, os: str, cut: int) -> None:
    origin = Identities(catalogue()).origin(Process(os, "x", path, "unsigned", None, None))
    assert findings({"origin": origin, "host_id": "h"}) == []
    assert findings({"origin": origin[:cut] + "*", "host_id": "h"}) == []


@given(st.text("aA1./\\@#é-", min_size=1, max_size=12))
def test_no_name_that_occurs_is_called_impossible(raw: str) -> None:
    host, process = clean_remote_host(raw)[0], clean_process_name(raw)
    assume(host or process)
    for field, value in (("remote_host", host), ("process_name", process)):
        assert value is None or findings({field: value, "host_id": "h"}) == []


def wider(listed: Sequence[ExceptionEntry], number: int) -> int | None:
    """The first other entry that matches all that an entry does, from a look at all of them."""

    def takes_all(entry: ExceptionEntry) -> bool:
        return all(covers(glob, "?*") for _, glob in entry.globs)

    def includes(wide: ExceptionEntry, narrow: ExceptionEntry) -> bool:
        if wide.expires and (narrow.expires is None or narrow.expires > wide.expires):
            return False
        given = dict(narrow.globs)
        return all(
            covers(glob, given[name]) if name in given else name in ALWAYS_THERE and covers(glob, "?*")
            for name, glob in wide.globs
        )

    entry = listed[number - 1]
    for other, candidate in enumerate(listed, 1):
        if other == number or takes_all(candidate) or not includes(candidate, entry):
            continue
        if other < number or not includes(entry, candidate):
            return other
    return None


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(("host_id", "user_name", "process_path")),
            st.text("ab*?", min_size=1, max_size=6) | st.sampled_from(("[a]b", "a[ab]*", "*abab*", "abab", "?*")),
            min_size=1,
        ),
        max_size=12,
    ),
    st.lists(st.sampled_from((None, "2026-06-01", "2026-06-02")), min_size=12, max_size=12),
)
def test_what_shadows_an_entry_is_what_a_look_at_all_others_finds(
    globs: list[dict[str, str]], expiries: list[str | None]
) -> None:
    entries = [each | {"expires": expires, "reason": "r"} for each, expires in zip(globs, expiries, strict=False)]
    listed = parse_exceptions(entries, "exceptions")
    found = {each.number: each.detail for each in findings(*entries) if each.kind == "shadowed"}
    others = {each.number for each in findings(*entries) if each.kind != "shadowed"}
    expected = {number: other for number in range(1, len(listed) + 1) if (other := wider(listed, number))}
    assert found == {
        number: f"exception {other} matches all that it does: remove one of the two"
        for number, other in expected.items()
        if number not in others
    }
