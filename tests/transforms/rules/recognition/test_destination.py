"""Is this destination an instant messaging server, and whose?"""

from __future__ import annotations

import ipaddress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import CATALOGUE, catalogue_of, quick
from uncommon_im.transforms.rules.recognition.destination import Destinations, Match

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SHIPPED = Destinations(CATALOGUE)
ALL_RANGES = Destinations(CATALOGUE, operator_ranges=True)
NETWORKS: list[tuple[Network, str, bool]] = [
    (ipaddress.ip_network(r.cidr), service.id, r.operator) for service in CATALOGUE.services for r in service.ranges
]


def service_of(host: str) -> str | None:
    match = SHIPPED.match_host(host)
    return match.service_id if match else None


def is_candidate(destinations: Destinations, text: str) -> bool:
    (found,) = pc.match_substring_regex(pa.array([text]), destinations.candidate_pattern).to_pylist()
    return bool(found)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("telegram.org", Match("telegram", "domain", "telegram.org")),
        ("api.telegram.org", Match("telegram", "domain", "api.telegram.org")),
        ("a.b.telegram.org", Match("telegram", "domain", "telegram.org")),
        ("a.t.me", Match("telegram", "domain", "t.me")),
        ("cdn.discordapp.com", Match("discord", "domain", "cdn.discordapp.com")),
        ("x.cdn.discordapp.com", Match("discord", "domain", "cdn.discordapp.com")),
        ("chat.google.com", Match("google-chat", "domain", "chat.google.com")),
        ("tenant.webhook.office.com", Match("microsoft-teams", "domain", "webhook.office.com")),
    ],
)
def test_a_host_matches_its_service_and_says_what_matched(host: str, expected: Match) -> None:
    assert SHIPPED.match_host(host) == expected


@pytest.mark.parametrize(
    "host",
    ["xt.me", "mytelegram.org", "telegram.org.example", "org", "me", "", "telegram", "x.chat.google.com", "google.com"],
)
def test_a_host_matches_only_on_a_label_boundary_and_an_exact_one_only_itself(host: str) -> None:
    assert SHIPPED.match_host(host) is None


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("skype.com", "skype"),
        ("web.skype.com", "skype"),
        ("teams.skype.com", "microsoft-teams"),
        ("x.teams.skype.com", "microsoft-teams"),
        ("weixin.qq.com", "wechat"),
        ("work.weixin.qq.com", "wecom"),
        ("matrix.beeper.com", "beeper"),
    ],
)
def test_the_longest_suffix_wins_over_services(host: str, service: str) -> None:
    assert service_of(host) == service


def test_the_order_of_services_does_not_decide_between_suffixes() -> None:
    wide = {"id": "wide", "hosts": {"suffix": ["chat.example"]}}
    narrow = {"id": "narrow", "hosts": {"suffix": ["eu.chat.example"], "exact": ["a.chat.example"]}}
    for services in ((wide, narrow), (narrow, wide)):
        found = Destinations(catalogue_of(*services))
        matches = [
            found.match_host(h) for h in ("x.eu.chat.example", "a.chat.example", "b.a.chat.example", "us.chat.example")
        ]
        assert [match and match.service_id for match in matches] == ["narrow", "narrow", "wide", "wide"]


@pytest.mark.parametrize(
    ("host", "exclusion"),
    [
        ("config.edge.skype.com", "config.edge.skype.com"),
        ("config.skype.com", "*.config.skype.com"),
        ("a.config.skype.com", "*.config.skype.com"),
        ("a.b.config.skype.com", "*.config.skype.com"),
        ("mobile.pipe.aria.microsoft.com", "*.pipe.aria.microsoft.com"),
        ("pipe.aria.microsoft.com", "*.pipe.aria.microsoft.com"),
    ],
)
def test_an_excluded_host_is_no_server_by_name(host: str, exclusion: str) -> None:
    assert SHIPPED.exclusion(host) == exclusion
    assert SHIPPED.match_host(host) is None


@pytest.mark.parametrize("host", ["edge.skype.com", "xconfig.skype.com", "a.config.edge.skype.com"])
def test_a_neighbour_of_an_excluded_host_is_not_excluded(host: str) -> None:
    assert SHIPPED.exclusion(host) is None
    assert service_of(host) == "skype"


@pytest.mark.parametrize("host", ["config.edge.skype.com", "www.example.com", None])
def test_where_the_name_gives_no_match_the_address_may(host: str | None) -> None:
    by_address = Match("telegram", "ip_range", "149.154.160.0/20")
    assert SHIPPED.match(host, "149.154.167.99") == by_address
    assert SHIPPED.match(host, "192.0.2.1") is None
    assert SHIPPED.match(host, None) is None


def test_the_name_goes_before_the_address() -> None:
    assert SHIPPED.match("discord.com", "149.154.167.99") == Match("discord", "domain", "discord.com")


@pytest.mark.parametrize(
    ("text", "cidr"),
    [
        ("149.154.160.0", "149.154.160.0/20"),
        ("149.154.175.255", "149.154.160.0/20"),
        ("149.154.176.0", None),
        ("149.154.159.255", None),
        ("::ffff:149.154.160.0", "149.154.160.0/20"),
        ("::FFFF:959A:A000", "149.154.160.0/20"),
        ("2001:67c:4e8::1", "2001:67c:4e8::/48"),
        ("2001:067C:04E8:0000:0000:0000:0000:0001", "2001:67c:4e8::/48"),
        ("2001:67c:4e9::1", None),
        ("", None),
        ("telegram.org", None),
    ],
)
def test_an_address_matches_the_range_it_lies_in(text: str, cidr: str | None) -> None:
    assert SHIPPED.match_address(text) == (Match("telegram", "ip_range", cidr) if cidr else None)


@pytest.mark.parametrize(("address", "owner"), [("10.1.2.3", "narrow"), ("10.1.3.1", "middle"), ("10.2.0.1", "wide")])
def test_the_longest_prefix_wins(address: str, owner: str) -> None:
    found = Destinations(
        catalogue_of(
            {"id": "wide", "ranges": [{"cidr": "10.0.0.0/8"}]},
            {"id": "narrow", "ranges": [{"cidr": "10.1.2.0/24"}]},
            {"id": "middle", "ranges": [{"cidr": "10.1.0.0/16"}]},
        )
    )
    match = found.match_address(address)
    assert match is not None
    assert match.service_id == owner


@pytest.mark.parametrize("address", ["52.112.0.1", "2603:1063::1", "147.92.128.1"])
def test_operator_ranges_count_only_when_asked_for(address: str) -> None:
    assert SHIPPED.match_address(address) is None
    assert ALL_RANGES.match_address(address) is not None


@st.composite
def inside(draw: st.DrawFn) -> tuple[str, Network]:
    """An address inside a shipped range in one of its spellings, and the range."""
    network = draw(st.sampled_from([network for network, _, _ in NETWORKS]))
    number = draw(st.integers(int(network.network_address), int(network.broadcast_address)))
    if network.version == 4:
        plain = str(ipaddress.IPv4Address(number))
        mapped = ipaddress.IPv6Address((0xFFFF << 32) + number)
        spellings = [plain, f"::ffff:{plain}", f"::FFFF:{plain}", mapped.exploded, str(mapped)]
    else:
        address = ipaddress.IPv6Address(number)
        spellings = [str(address), address.exploded, str(address).upper(), address.exploded.upper()]
    return draw(st.sampled_from(spellings)), network


@quick
@given(inside())
def test_every_address_of_a_range_matches_and_is_a_candidate(drawn: tuple[str, Network]) -> None:
    text, network = drawn
    match = ALL_RANGES.match_address(text)
    assert match is not None
    assert ipaddress.ip_network(match.matched).prefixlen >= network.prefixlen
    assert is_candidate(ALL_RANGES, text)


@quick
@given(st.ip_addresses() | inside().map(lambda drawn: ipaddress.ip_address(drawn[0])), st.booleans())
def test_an_address_matches_as_a_look_at_every_range_says(address: Any, operator: bool) -> None:
    plain = getattr(address, "ipv4_mapped", None) or address
    holding = [
        (network.prefixlen, Match(owner, "ip_range", str(network)))
        for network, owner, carries_others in NETWORKS
        if plain in network and (operator or not carries_others)
    ]
    expected = max(holding, key=lambda pair: pair[0])[1] if holding else None
    assert Destinations(CATALOGUE, operator).match_address(str(address)) == expected
    assert expected is None or is_candidate(Destinations(CATALOGUE, operator), str(address))


@pytest.mark.parametrize("prefix", range(1, 33))
def test_addresses_of_a_range_of_any_length_are_candidates(prefix: int) -> None:
    network = ipaddress.ip_network(f"203.104.157.9/{prefix}", strict=False)
    found = Destinations(catalogue_of({"id": "own", "ranges": [{"cidr": str(network)}]}))
    for address in (network[0], network[-1]):
        assert found.match_address(str(address)) is not None
        assert is_candidate(found, str(address))


@pytest.mark.parametrize("text", ["192.0.2.1", "1.149.154.160", "", "telegram.org", "8.8.8.8"])
def test_most_addresses_are_no_candidates(text: str) -> None:
    assert not is_candidate(SHIPPED, text)


def test_without_ranges_no_address_matches() -> None:
    found = Destinations(catalogue_of({"id": "own", "hosts": {"suffix": ["chat.example"]}}))
    assert found.match_address("149.154.160.1") is None
    assert not is_candidate(found, "149.154.160.1")
