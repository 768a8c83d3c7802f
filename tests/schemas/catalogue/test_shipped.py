"""The shipped data: sound, complete against the specification, and free of hosts that are everybody's."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Any

import pytest

from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.catalogue.files import ServiceEntry
from uncommon_im.schemas.documents import packaged_yaml
from uncommon_im.transforms.rules.recognition.command_line import Engines
from uncommon_im.transforms.rules.recognition.destination import Destinations
from uncommon_im.transforms.rules.recognition.suspicion import Process, Suspicions

CATALOGUE = load_catalogue()
DESTINATIONS = Destinations(CATALOGUE, operator_ranges=True)
SERVICES: dict[str, Any] = packaged_yaml("uncommon_im.schemas.catalogue", "services.yaml")
PROCESSES: dict[str, Any] = packaged_yaml("uncommon_im.schemas.catalogue", "processes.yaml")
SOURCES: dict[str, str] = packaged_yaml("uncommon_im.schemas.catalogue", "sources.yaml")["sources"]
NETWORKS = [
    (ipaddress.ip_network(r.cidr), service.id, r.operator) for service in CATALOGUE.services for r in service.ranges
]
EVERYBODYS = (
    *("com", "net", "org", "co.uk", "co.jp", "co.kr", "com.cn", "com.br", "com.au", "com.mx", "com.hk", "io", "me"),
    *("github.io", "githubusercontent.com", "gitlab.io", "pages.dev", "workers.dev", "vercel.app", "netlify.app"),
    *("googleapis.com", "storage.googleapis.com", "google.com", "googleusercontent.com", "appspot.com", "web.app"),
    *("firebaseapp.com", "blogspot.com", "amazonaws.com", "s3.amazonaws.com", "s3.eu-west-3.amazonaws.com"),
    *("cloudfront.net", "azure.com", "azurewebsites.net", "azureedge.net", "windows.net", "trafficmanager.net"),
    *("microsoft.com", "office.com", "office.net", "live.com", "live.net", "cdn.live.net", "cdn.office.net"),
    *("cloud.microsoft", "microsoftonline.com", "outlook.com", "akadns.net", "akamaihd.net", "akamaized.net"),
    *("edgekey.net", "msedge.net", "s-msedge.net", "fastly.net", "herokuapp.com", "onrender.com", "fly.dev"),
    *("ngrok.io", "facebook.com", "fbcdn.net", "apple.com", "icloud.com", "qq.com", "qpic.cn", "kakao.com"),
    *("naver.jp", "naver.com", "mail.ru", "vk.com", "yandex.ru", "zoho.com", "worksmobile.com", "gnome.org"),
    *("gimp.org", "lucky.net", "ccc.de", "zjiecode.com", "zendee.cn", "example.com"),
)
"""Public suffixes, clouds, content networks and portals: no service may own a name below them as a whole."""


@pytest.mark.parametrize("host", EVERYBODYS)
def test_no_service_owns_what_is_everybodys(host: str) -> None:
    assert DESTINATIONS.match_host(host) is None
    assert DESTINATIONS.match_host(f"somebody.{host}") is None


@pytest.mark.parametrize("host", [entry["host"] for entry in SERVICES["shared_hosts"]])
def test_a_host_shared_with_other_uses_matches_nothing(host: str) -> None:
    assert DESTINATIONS.match_host(host) is None
    assert host in CATALOGUE.shared_hosts


def test_every_host_that_is_listed_leads_to_its_service() -> None:
    for service in CATALOGUE.services:
        for host in service.hosts:
            match = DESTINATIONS.match_host(host.name)
            assert match is not None, host
            assert match.service_id == service.id, host
            below = DESTINATIONS.match_host(f"x.{host.name}")
            assert host.exact or (below is not None and below.service_id == service.id), host


def test_no_host_belongs_to_two_services() -> None:
    owners = Counter(name for service in CATALOGUE.services for name in {host.name for host in service.hosts})
    assert [name for name, count in owners.items() if count > 1] == []


def test_exclusions_lie_under_a_service_or_ward_one_off_and_win() -> None:
    assert set(CATALOGUE.exclusions) == {"config.edge.skype.com", "*.config.skype.com", "*.pipe.aria.microsoft.com"}
    for exclusion in CATALOGUE.exclusions:
        bare = exclusion.removeprefix("*.")
        assert DESTINATIONS.match_host(bare) is None
        assert not exclusion.startswith("*.") or DESTINATIONS.match_host(f"x.{bare}") is None
    skype = DESTINATIONS.match_host("edge.skype.com")
    assert skype is not None
    assert skype.service_id == "skype"


def test_every_range_is_a_public_network_of_one_service() -> None:
    assert len(NETWORKS) > 50
    for network, _, _ in NETWORKS:
        assert network.is_global, network
        assert network.prefixlen >= (14 if network.version == 4 else 32), network
    for network, owner, _ in NETWORKS:
        for other, other_owner, _ in NETWORKS:
            assert owner == other_owner or network.version != other.version or not network.overlaps(other)


def test_ranges_of_companies_with_other_products_are_marked_as_the_operators() -> None:
    operators = {owner for _, owner, operator in NETWORKS if operator}
    assert operators >= {"microsoft-teams", "line", "kakaotalk"}
    assert not operators & {"telegram"}


def test_about_eighty_services_are_listed() -> None:
    assert 75 <= len(CATALOGUE.services) <= 90
    assert {"telegram", "discord", "slack", "whatsapp", "signal", "microsoft-teams", "matrix"} <= set(
        CATALOGUE.services_by_id
    )


@pytest.mark.parametrize("entry", SERVICES["services"], ids=lambda entry: entry["id"])
def test_a_service_can_be_found_or_recognised_and_says_where_that_is_from(entry: dict[str, Any]) -> None:
    assert set(entry) <= {*ServiceEntry.__struct_fields__}
    assert entry["category"] in ("consumer", "enterprise", "federated-protocol", "chat-ops-api")
    assert entry.get("status", "active") in ("active", "discontinued")
    assert entry.get("hosts") or (entry.get("self_hosted") and entry.get("clients"))
    assert entry["sources"]


def test_every_source_is_listed_and_every_listed_one_is_used() -> None:
    used = {key for entry in (*SERVICES["services"], *PROCESSES["classes"]) for key in entry.get("sources", ())}
    used |= set(PROCESSES["suspicious_locations"]["sources"])
    assert used - set(SOURCES) == set()
    assert set(SOURCES) - used == set()


@pytest.mark.parametrize(
    "class_id", ["lolbin-network", "gtfobin-network", "transfer-tool", "office", "pdf-reader", "shell"]
)
def test_every_suspicious_class_of_the_specification_is_listed(class_id: str) -> None:
    process_class = CATALOGUE.process_class(class_id)
    assert process_class.role == "suspicious"
    assert any(process_class.names.values())
    assert class_id not in CATALOGUE.engine_classes


def test_no_other_class_is_suspicious() -> None:
    suspicious = {c.id for c in CATALOGUE.classes if c.role == "suspicious"} - set(CATALOGUE.engine_classes)
    assert suspicious == {"lolbin-network", "gtfobin-network", "transfer-tool", "office", "pdf-reader", "shell"}


def test_every_shell_of_the_specification_is_a_shell_and_no_engine() -> None:
    engines, suspicions = Engines(CATALOGUE), Suspicions(CATALOGUE)
    for name in ("bash", "sh", "dash", "zsh", "ksh", "fish", "busybox", "cmd.exe"):
        assert suspicions.in_class("shell", name, None), name
        assert engines.find(name) is None, name


@pytest.mark.parametrize(
    "name",
    [
        *("powershell.exe", "pwsh", "python", "python3.11", "pythonw.exe", "py.exe", "node", "nodejs", "deno", "bun"),
        *("perl", "ruby", "lua", "osascript", "julia", "R", "php", "mshta.exe", "wscript.exe", "cscript.exe"),
        *("java", "javaw.exe"),
    ],
)
def test_every_engine_of_the_specification_is_found_and_has_a_row(name: str) -> None:
    engine = Engines(CATALOGUE).find(name)
    assert engine is not None
    assert any(engine in row.names for row in CATALOGUE.engines)


def test_an_engine_has_one_row_at_most_and_every_row_an_engine() -> None:
    rows = Counter(name for row in CATALOGUE.engines for name in row.names)
    assert set(rows.values()) == {1}
    assert [name for name in rows if Engines(CATALOGUE).find(name) is None] == []


@pytest.mark.parametrize(
    ("os", "name"),
    [
        ("windows", "svchost.exe"),
        ("macos", "mDNSResponder"),
        *(("linux", name) for name in ("systemd-resolved", "dnsmasq", "unbound", "nscd", "NetworkManager")),
    ],
)
def test_every_resolver_of_the_specification_is_one(os: str, name: str) -> None:
    assert Suspicions(CATALOGUE).is_resolver(Process(os, name))


def test_names_of_classes_and_clients_are_base_names() -> None:
    listed = [*(c.names for c in CATALOGUE.classes), *(service.clients for service in CATALOGUE.services)]
    names = {name for by_system in listed for names in by_system.values() for name in names}
    assert [name for name in names if "/" in name or "\\" in name or name != name.strip().lower()] == []


def test_suspicious_locations_are_listed_for_every_system() -> None:
    assert {system: bool(listed) for system, listed in CATALOGUE.locations.items()} == {
        "windows": True,
        "macos": True,
        "linux": True,
    }
    assert all(location.startswith("/") and location.endswith("/") for location in CATALOGUE.locations["linux"])
