"""What a catalogue holds, and its digest."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from uncommon_im.schemas.catalogue import Catalogue, load_catalogue

CATALOGUE = load_catalogue()


def changed(**changes: object) -> Catalogue:
    return replace(CATALOGUE, **changes)  # type: ignore[arg-type]


def test_the_digest_does_not_depend_on_the_order_of_the_files() -> None:
    services = tuple(
        replace(service, hosts=service.hosts[::-1], ranges=service.ranges[::-1])
        for service in reversed(CATALOGUE.services)
    )
    turned = changed(
        services=services,
        classes=CATALOGUE.classes[::-1],
        engines=CATALOGUE.engines[::-1],
        exclusions=CATALOGUE.exclusions[::-1],
    )
    assert turned.digest == CATALOGUE.digest == load_catalogue().digest


@pytest.mark.parametrize(
    "other",
    [
        changed(services=CATALOGUE.services[1:]),
        changed(services=(replace(CATALOGUE.services[0], hosts=()), *CATALOGUE.services[1:])),
        changed(exclusions=()),
        changed(classes=CATALOGUE.classes[1:]),
        changed(locations={}),
        changed(engine_classes=()),
        changed(not_engines=frozenset()),
        changed(engines=CATALOGUE.engines[1:]),
    ],
)
def test_the_digest_changes_with_everything_that_decides(other: Catalogue) -> None:
    assert other.digest != CATALOGUE.digest


def test_the_identity_digest_is_of_programs_and_exclusions_and_not_of_services() -> None:
    assert changed(services=CATALOGUE.services[1:], shared_hosts={}).identity_digest == CATALOGUE.identity_digest
    for other in (changed(classes=()), changed(locations={}), changed(engines=()), changed(exclusions=())):
        assert other.identity_digest != CATALOGUE.identity_digest


def test_a_services_digest_is_of_its_hosts_and_ranges_in_any_order() -> None:
    service = CATALOGUE.services_by_id["telegram"]

    def digest(**changes: object) -> str:
        other = replace(service, **changes)  # type: ignore[arg-type]
        return changed(services=(other,)).service_digests["telegram"]

    same = digest(hosts=service.hosts[::-1], ranges=service.ranges[::-1], name="x", publishers=frozenset())
    assert same == CATALOGUE.service_digests["telegram"]
    assert digest(hosts=service.hosts[1:]) != same
    assert digest(ranges=service.ranges[1:]) != same
    assert set(CATALOGUE.service_digests) == set(CATALOGUE.services_by_id)


def test_services_and_classes_are_found_by_id() -> None:
    assert CATALOGUE.services_by_id["telegram"].name == "Telegram"
    assert CATALOGUE.process_class("shell").role == "suspicious"
    with pytest.raises(KeyError, match="nothing"):
        CATALOGUE.process_class("nothing")
