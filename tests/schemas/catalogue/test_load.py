"""Loading the user's own services, and what is wrong with files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from uncommon_im.schemas.catalogue import AddressRange, Host, Service, load_catalogue
from uncommon_im.schemas.catalogue.load import check_hosts, parse_services
from uncommon_im.schemas.documents import ConfigurationError

KEYS = "category, clients, hosts, id, name, publishers, ranges, secrets, self_hosted, sources, status"


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
        (None, "own.yaml: expected a mapping with a list `services` (or `exclusions`)"),
        ([], "own.yaml: expected a mapping with a list `services` (or `exclusions`)"),
        ({"service": []}, "own.yaml: expected a mapping with a list `services` (or `exclusions`)"),
        ({"format": 2, "exclusions": ["a.b"]}, "own.yaml: format must be 1"),
        ({"services": {"id": "x"}}, "own.yaml: services must be a list"),
        ({"services": ["x"]}, "own.yaml: service 1: needs an `id`"),
        ({"services": [{"id": "a"}, {"name": "x"}]}, "own.yaml: service 2: needs an `id`"),
        ({"services": [{"id": 5}]}, "own.yaml: service 1: needs an `id`"),
        (
            {"services": [{"id": "a"}, {"id": "a"}]},
            "own.yaml: service a is listed twice: join the two entries",
        ),
        ({"exclusions": [5]}, "own.yaml: exclusion 5 is not a host name"),
        (
            {"exclusions": ["*.com"]},
            "own.yaml: exclusions: host 'com' is a whole top-level domain: name the service's own host",
        ),
        (
            {"exclusions": ["a.*.example"]},
            "own.yaml: exclusions: host 'a.*.example' is not a host name: write it without scheme, port, path and *",
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
        ({"host": []}, f"unknown key host: known are {KEYS}"),
        ({1: []}, f"unknown key 1: known are {KEYS}"),
        ({"hosts": ["a.b"]}, "hosts must be a mapping of suffix, exact, cdn and api"),
        ({"hosts": {"suffixes": []}}, "unknown kind of hosts suffixes: known are suffix, exact, cdn, api"),
        ({"hosts": {"suffix": [5]}}, "host 5 is not a name"),
        ({"hosts": {"suffix": [" . "]}}, "host ' . ' is not a name"),
        ({"hosts": {"suffix": ["com"]}}, "host 'com' is a whole top-level domain: name the service's own host"),
        *(
            (
                {"hosts": {"exact": [name]}},
                f"host {name!r} is not a host name: write it without scheme, port, path and *",
            )
            for name in ("https://a.b", "a.b:443", "a.b/x", "*.a.b", "a..b", "a b.c")
        ),
        ({"hosts": {"suffix": ["ü..b"]}}, "host 'ü..b' is not a valid host name"),
        (
            {"hosts": {"api": ["a.b"]}},
            "hosts.api: 'a.b' needs `host` and `match: exact` or `match: suffix`",
        ),
        (
            {"hosts": {"api": [{"host": "a.b", "match": "any"}]}},
            "hosts.api: {'host': 'a.b', 'match': 'any'} needs `host` and `match: exact` or `match: suffix`",
        ),
        ({"hosts": {"api": [{"match": "exact"}]}}, "host None is not a name"),
        ({"ranges": ["10.0.0.0/8"]}, "range '10.0.0.0/8' needs a `cidr`"),
        ({"ranges": [{"cidr": "10.0.0.1/8"}]}, "range 10.0.0.1/8: 10.0.0.1/8 has host bits set"),
        ({"ranges": [{"cidr": [10]}]}, "range [10]: [10] does not appear to be an IPv4 or IPv6 network"),
        ({"ranges": [{"cidr": "x"}]}, "range x: 'x' does not appear to be an IPv4 or IPv6 network"),
        ({"ranges": [{"cidr": "0.0.0.0/0"}]}, "range 0.0.0.0/0 is the whole internet"),
        ({"ranges": [{"cidr": "::/0"}]}, "range ::/0 is the whole internet"),
        (
            {"ranges": [{"cidr": "10.0.0.0/8", "scope": "all"}]},
            "range 10.0.0.0/8: scope is service or operator",
        ),
        ({"clients": ["a.exe"]}, "clients must be a mapping of windows, macos, linux to lists of names"),
        ({"clients": {"win": ["a.exe"]}}, "clients: unknown system win: known are windows, macos, linux"),
        ({"publishers": ["X"]}, "publishers must be a mapping of windows and macos to lists"),
    ],
)
def test_a_wrong_service_says_which_and_how_to_mend_it(entry: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        services({"id": "first"}, {"id": "own", **entry})
    assert str(error.value) == f"own.yaml: service 2 (own): {message}"


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
    with pytest.raises(ConfigurationError, match=r"^own\.yaml: service 1 \(own\): .*list"):
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
