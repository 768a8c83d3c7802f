"""Loading the user's own services, and what is wrong with files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from uncommon_im.schemas.catalogue import AddressRange, Host, Service, load_catalogue
from uncommon_im.schemas.catalogue.load import check_hosts, parse_services
from uncommon_im.schemas.documents import ConfigurationError

KEYS = "id, name, category, status, self_hosted, hosts, ranges, clients, publishers, secrets, sources"
FILE = "format, services, exclusions, shared_hosts"


def services(*entries: Any, **document: Any) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    return parse_services({"services": list(entries), **document}, "own.yaml")


def own(folder: Path, document: Any) -> str:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(path)


def test_a_service_is_read_with_its_defaults() -> None:
    ((service,), exclusions) = services({"id": "own", "hosts": {"suffix": ["Chat.Example."]}})
    assert service == Service(
        id="own",
        name="own",
        category="own",
        status="active",
        self_hosted=False,
        hosts=(Host("chat.example", exact=False),),
        ranges=(),
        clients={"windows": frozenset(), "macos": frozenset(), "linux": frozenset()},
        publishers=frozenset(),
    )
    assert exclusions == ()


def test_everything_of_a_service_is_read() -> None:
    ((service,), _) = services(
        {
            "id": "own",
            "name": "Own",
            "category": "enterprise",
            "status": "discontinued",
            "self_hosted": True,
            "hosts": {
                "suffix": ["bücher.example"],
                "exact": ["a.example"],
                "cdn": ["cdn.example"],
                "api": [
                    {"host": "api.example", "match": "exact", "use": "bot-only"},
                    {"host": "hooks.example", "match": "suffix"},
                ],
            },
            "ranges": [{"cidr": "192.0.2.0/24"}, {"cidr": "2001:DB8::/32", "scope": "operator"}],
            "clients": {"windows": ["Own.exe"]},
            "publishers": {"windows": ["Own Inc."], "macos": ["AB12"]},
            "sources": ["x"],
        }
    )
    assert set(service.hosts) == {
        Host("xn--bcher-kva.example", exact=False),
        Host("a.example", exact=True),
        Host("cdn.example", exact=False, use="cdn"),
        Host("api.example", exact=True, use="bot-only"),
        Host("hooks.example", exact=False),
    }
    assert service.ranges == (AddressRange("192.0.2.0/24", False), AddressRange("2001:db8::/32", True))
    assert service.clients["windows"] == {"own.exe"}
    assert service.publishers == {"own inc.", "ab12"}
    assert (service.self_hosted, service.status) == (True, "discontinued")


def test_exclusions_are_read_alone_or_beside_services() -> None:
    document = {"exclusions": ["A.example.", "*.B.example", {"host": "c.example", "why": "x"}]}
    assert parse_services(document, "own.yaml") == ((), ("a.example", "*.b.example", "c.example"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, f"own.yaml: expected a mapping with {FILE}, not None"),
        ([], f"own.yaml: expected a mapping with {FILE}, not []"),
        ({}, "own.yaml: expected a mapping with a list `services` (or `exclusions`)"),
        ({"service": []}, f"own.yaml: unknown key service: did you mean services? known are {FILE}"),
        ({"format": 2, "exclusions": ["a.b"]}, "own.yaml: format: expected 1, not 2"),
        ({"services": {"id": "x"}}, "own.yaml: services: expected a list, not {'id': 'x'}"),
        ({"services": ["x"]}, f"own.yaml: services[0]: expected a mapping with {KEYS}, not 'x'"),
        ({"services": [{"id": "a"}, {"name": "x"}]}, "own.yaml: services[1]: `id` is missing"),
        ({"services": [{"id": 5}]}, "own.yaml: services[0].id: expected a text, not 5"),
        (
            {"services": [{"id": "a"}, {"id": "a"}]},
            "own.yaml: service a is listed twice: join the two entries",
        ),
        ({"exclusions": [5]}, "own.yaml: exclusions[0]: exclusion 5 is not a host name"),
        (
            {"exclusions": ["*.com"]},
            "own.yaml: exclusions[0]: host 'com' is a whole top-level domain: name the service's own host",
        ),
        (
            {"exclusions": ["a.*.example"]},
            "own.yaml: exclusions[0]: host 'a.*.example' is not a host name: write it without scheme, port, path and *",
        ),
    ],
)
def test_a_wrong_document_says_what_and_how_to_mend_it(document: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_services(document, "own.yaml")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"host": []}, f": unknown key host: did you mean hosts? known are {KEYS}"),
        ({1: []}, f": unknown key 1: known are {KEYS}"),
        ({"hosts": ["a.b"]}, ".hosts: expected a mapping with suffix, exact, cdn, api, not ['a.b']"),
        (
            {"hosts": {"suffixes": []}},
            ".hosts: unknown key suffixes: did you mean suffix? known are suffix, exact, cdn, api",
        ),
        ({"hosts": {"suffix": [5]}}, ".hosts.suffix[0]: host 5 is not a name"),
        ({"hosts": {"suffix": [" . "]}}, ".hosts.suffix[0]: host ' . ' is not a name"),
        (
            {"hosts": {"suffix": ["com"]}},
            ".hosts.suffix[0]: host 'com' is a whole top-level domain: name the service's own host",
        ),
        *(
            (
                {"hosts": {"exact": [name]}},
                f".hosts.exact[0]: host {name!r} is not a host name: write it without scheme, port, path and *",
            )
            for name in ("https://a.b", "a.b:443", "a.b/x", "*.a.b", "a..b", "a b.c")
        ),
        ({"hosts": {"suffix": ["ü..b"]}}, ".hosts.suffix[0]: host 'ü..b' is not a valid host name"),
        (
            {"hosts": {"api": ["a.b"]}},
            ".hosts.api[0]: expected a mapping with host, match, use, not 'a.b'",
        ),
        (
            {"hosts": {"api": [{"host": "a.b", "match": "any"}]}},
            ".hosts.api[0].match: expected one of exact, suffix, not 'any'",
        ),
        ({"hosts": {"api": [{"match": "exact"}]}}, ".hosts.api[0]: `host` is missing"),
        ({"ranges": ["10.0.0.0/8"]}, ".ranges[0]: expected a mapping with cidr, scope, not '10.0.0.0/8'"),
        ({"ranges": [{"cidr": "10.0.0.1/8"}]}, ".ranges[0]: 10.0.0.1/8 has host bits set"),
        ({"ranges": [{"cidr": [10]}]}, ".ranges[0].cidr: expected a text, not [10]"),
        ({"ranges": [{"cidr": "x"}]}, ".ranges[0]: 'x' does not appear to be an IPv4 or IPv6 network"),
        ({"ranges": [{"cidr": "0.0.0.0/0"}]}, ".ranges[0]: range 0.0.0.0/0 is the whole internet"),
        ({"ranges": [{"cidr": "::/0"}]}, ".ranges[0]: range ::/0 is the whole internet"),
        (
            {"ranges": [{"cidr": "10.0.0.0/8", "scope": "all"}]},
            ".ranges[0].scope: expected one of operator, service, not 'all'",
        ),
        ({"clients": ["a.exe"]}, ".clients: expected a mapping with windows, macos, linux, not ['a.exe']"),
        (
            {"clients": {"win": ["a.exe"]}},
            ".clients: unknown key win: did you mean windows? known are windows, macos, linux",
        ),
        ({"publishers": ["X"]}, ".publishers: expected a mapping with windows, macos, linux, not ['X']"),
    ],
)
def test_a_wrong_service_says_which_and_how_to_mend_it(entry: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        services({"id": "first"}, {"id": "own", **entry})
    assert str(error.value) == f"own.yaml: services[1] (own){message}"


@pytest.mark.parametrize(
    "entry",
    [
        {"hosts": {"suffix": "chat.example"}},
        {"hosts": {"suffix": 5}},
        {"hosts": {"api": 5}},
        {"ranges": 5},
        {"ranges": {"cidr": "10.0.0.0/8"}},
        {"clients": {"windows": 5}},
        {"clients": {"windows": "own.exe"}},
        {"publishers": {"windows": 5}},
        {"publishers": {"windows": "Own Inc."}},
    ],
)
def test_a_value_where_a_list_belongs_is_an_error_that_says_so(entry: dict[str, Any]) -> None:
    """Not a traceback, and not a list of the text's letters."""
    with pytest.raises(ConfigurationError, match=r"^own\.yaml: services\[0\] \(own\)\..*: expected a list"):
        services({"id": "own", **entry})


@pytest.mark.parametrize("exclusions", [5, "a.example", {"host": "a.example"}])
def test_exclusions_that_are_no_list_are_an_error_that_says_so(exclusions: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^own\.yaml: exclusions: .*list"):
        parse_services({"exclusions": exclusions}, "own.yaml")


def test_no_host_may_belong_to_two_services() -> None:
    found, _ = services({"id": "a", "hosts": {"suffix": ["x.example"]}}, {"id": "b", "hosts": {"exact": ["x.example"]}})
    with pytest.raises(ConfigurationError) as error:
        check_hosts(found, "own.yaml")
    assert str(error.value) == "own.yaml: host x.example is listed for a and for b: keep it in one of them"


def test_a_service_may_list_a_host_in_two_ways() -> None:
    found, _ = services({"id": "a", "hosts": {"suffix": ["x.example"], "exact": ["x.example"]}})
    check_hosts(found, "own.yaml")
    assert len(found[0].hosts) == 2


def test_the_users_services_and_exclusions_are_added(tmp_path: Path) -> None:
    document = {
        "services": [{"id": "own", "hosts": {"suffix": ["chat.example"]}}],
        "exclusions": ["x.chat.example", "config.edge.skype.com"],
    }
    shipped, loaded = load_catalogue(), load_catalogue(own(tmp_path, document))
    assert [service.id for service in loaded.services] == [*(s.id for s in shipped.services), "own"]
    assert loaded.exclusions == (*shipped.exclusions, "x.chat.example")
    assert loaded.classes == shipped.classes
    assert loaded.digest != shipped.digest


def test_a_users_service_of_a_known_id_adds_to_the_shipped_one(tmp_path: Path) -> None:
    document = {
        "services": [
            {
                "id": "mattermost",
                "name": "Ours",
                "hosts": {"suffix": ["mm.example", "cloud.mattermost.com"]},
                "ranges": [{"cidr": "192.0.2.0/24"}],
                "clients": {"linux": ["mm"]},
                "publishers": {"windows": ["Ours Ltd"]},
            }
        ]
    }
    before = load_catalogue().services_by_id["mattermost"]
    after = load_catalogue(own(tmp_path, document)).services_by_id["mattermost"]
    assert after.name == before.name
    assert after.hosts == (*before.hosts, Host("mm.example", exact=False))
    assert after.ranges == (*before.ranges, AddressRange("192.0.2.0/24", False))
    assert after.clients["linux"] == before.clients["linux"] | {"mm"}
    assert after.publishers == before.publishers | {"ours ltd"}


def test_a_users_host_that_a_shipped_service_lists_is_an_error(tmp_path: Path) -> None:
    path = own(tmp_path, {"services": [{"id": "own", "hosts": {"exact": ["t.me"]}}]})
    with pytest.raises(ConfigurationError) as error:
        load_catalogue(path)
    assert str(error.value) == f"{path}: host t.me is listed for telegram and for own: keep it in one of them"
