"""The container's set of packages: locked by hash, within the bounds of setup.py, and what the Dockerfile builds on."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONTAINER = Path(__file__).parents[2] / "deploy" / "container"
LOCKS = ("requirements.lock", "build.lock")


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


def test_the_lock_holds_every_requirement_of_the_project_within_its_bounds() -> None:
    pinned = locked("requirements.lock")
    needed = [Requirement(text) for text in requires("uncommon-im") or () if "extra ==" not in text]
    assert len(needed) > 5
    for requirement in needed:
        version, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked as {version}: run make lock"


def test_the_lock_for_building_is_what_pyproject_builds_with() -> None:
    bounds = re.search(r'"(setuptools[^"]*)"', (CONTAINER.parents[1] / "pyproject.toml").read_text())
    assert bounds
    version, _ = locked("build.lock")["setuptools"]
    assert Requirement(bounds[1]).specifier.contains(version)


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
