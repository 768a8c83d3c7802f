"""Digests of services: what changes when traffic moves from one service to another."""

from __future__ import annotations

from pathlib import Path

from uncommon_im.schemas.catalogue import load_catalogue


def changed(tmp_path: Path, services: str) -> set[str]:
    """Services whose digest differs once the user's own are added."""
    path = tmp_path / "own.yaml"
    path.write_text(services)
    before, after = load_catalogue().service_digests, load_catalogue(str(path)).service_digests
    return {service for service in {*before, *after} if before.get(service) != after.get(service)}


def test_a_service_of_its_own_domain_changes_no_other(tmp_path: Path) -> None:
    own = "services:\n- {id: corp, hosts: {exact: [chat.corp.example]}}\n"
    assert changed(tmp_path, own) == {"corp"}


def test_a_service_below_another_ones_domain_changes_both(tmp_path: Path) -> None:
    own = "services:\n- {id: corp, hosts: {suffix: [corp.slack.com]}}\n"
    assert changed(tmp_path, own) == {"corp", "slack"}


def test_a_host_added_to_a_known_service_changes_that_one(tmp_path: Path) -> None:
    own = "services:\n- {id: zulip, hosts: {exact: [zulip.corp.example]}}\n"
    assert changed(tmp_path, own) == {"zulip"}
