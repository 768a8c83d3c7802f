"""The container's set of packages: locked by hash, within the bounds of setup.py, and what the Dockerfile builds on."""

from __future__ import annotations

import json
import re
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONTAINER = Path(__file__).parents[2] / "deploy" / "container"
LOCKS = ("requirements.lock", "build.lock")
BILL = CONTAINER / "sbom.cdx.json"


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """What a lock pins: by name its version and the rest of its entry; anything else in the file fails."""
    text = "".join(
        line for line in (CONTAINER / name).read_text().splitlines(True) if not line.lstrip().startswith("#")
    )
    found = {}
    for entry in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split()
        package, version = requirement.split("==")
        found[canonicalize_name(package)] = (version, hashes)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_nothing_says_where_from(lock: str) -> None:
    for package, (version, hashes) in locked(lock).items():
        assert re.fullmatch(r"[0-9][0-9a-z.+]*", version), package
        assert hashes, f"{package} has no hash"
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", each) for each in hashes), package
    assert "://" not in (CONTAINER / lock).read_text()


def of_the_image() -> list[Requirement]:
    """What the project requires with its extra `gcp`, which is what the image has."""
    every = map(Requirement, requires("uncommon-im") or ())
    return [each for each in every if each.marker is None or each.marker.evaluate({"extra": "gcp"})]


def test_the_lock_holds_every_requirement_of_the_project_within_its_bounds() -> None:
    pinned = locked("requirements.lock")
    needed = of_the_image()
    assert len(needed) > 5
    for requirement in needed:
        version, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked as {version}: run make lock"


def test_the_lock_for_building_is_what_pyproject_builds_with() -> None:
    bounds = re.search(r'"(setuptools[^"]*)"', (CONTAINER.parents[1] / "pyproject.toml").read_text())
    assert bounds
    version, _ = locked("build.lock")["setuptools"]
    assert Requirement(bounds[1]).specifier.contains(version)


def billed(bill: dict[str, Any]) -> dict[str, str]:
    """The packages of a bill of materials: by name their version."""
    return {canonicalize_name(each["name"]): each["version"] for each in bill["components"]}


def test_the_bill_of_materials_names_every_locked_package_in_its_version_and_no_other() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    pinned = {name: version for lock in LOCKS for name, (version, _) in locked(lock).items()}
    assert billed(bill) == pinned, "run make sbom"
    assert len(bill["components"]) == len(pinned)
    for each in bill["components"]:
        name, _, version = each["purl"].removeprefix("pkg:pypi/").partition("@")
        assert (canonicalize_name(name), version) == (canonicalize_name(each["name"]), each["version"])


def test_a_package_that_is_missing_added_or_of_another_version_is_told_from_the_lock() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    whole, (first, *others) = billed(bill), bill["components"]
    for changed in (others, [*others, first | {"version": "0"}], [first, *others, first | {"name": "another"}]):
        assert billed({"components": changed}) != whole


def test_the_bill_of_materials_says_what_needs_what_from_the_project_down() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bill["dependencies"]}
    names = {each["bom-ref"]: canonicalize_name(each["name"]) for each in bill["components"]}
    asked = {requirement.name for requirement in of_the_image()}
    root = bill["metadata"]["component"]["bom-ref"]
    assert {names[ref] for ref in needs[root]} == set(map(canonicalize_name, asked))
    assert needs.keys() == {root, *names}
    assert set().union(*needs.values()) <= names.keys()


def test_the_bill_of_materials_knows_licences_and_nothing_of_when_and_where_it_was_made() -> None:
    text = BILL.read_text(encoding="utf-8")
    bill = json.loads(text)
    without = [each["name"] for each in bill["components"] if not each.get("licenses")]
    assert len(without) < 10, without
    assert re.findall("https?://(?!cyclonedx.org/schema/)", text) == []
    assert not {"timestamp", "serialNumber"} & (bill.keys() | bill["metadata"].keys())


def test_the_image_takes_the_program_that_starts_workers_from_the_locked_beam() -> None:
    text = (CONTAINER / "Dockerfile").read_text()
    beam = re.search(r"^ARG BEAM=(\S+)$", text, re.MULTILINE)
    assert beam
    assert beam[1] == locked("requirements.lock")["apache-beam"][0]


def test_all_that_the_dockerfile_copies_is_there_and_let_through(tmp_path: Path) -> None:
    top = CONTAINER.parents[1]
    ignored = (CONTAINER / "Dockerfile.dockerignore").read_text().splitlines()
    for copied in re.findall(r"^COPY (?!--from)(.*)$", (CONTAINER / "Dockerfile").read_text(), re.MULTILINE):
        for source in copied.split()[:-1]:
            assert (top / source).exists(), source
            assert any(source == let[1:] or source.startswith(f"{let[1:]}/") for let in ignored if let[0] == "!"), (
                source
            )
