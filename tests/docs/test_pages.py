"""What pages say of the repository is so: links, paths, generated parts, the size of the README."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.docs.blocks import PAGES, TOP
from tests.docs.generate import DOCS, PARTS, generated

_LINK: Final = re.compile(r"\[[^\]]*\]\((?!https?:)([^)\s]+)\)")
_FENCED: Final = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)
_PATH: Final = re.compile(r"`((?:pipeline|transforms|schemas|tests|deploy|docs)/[\w./-]+)`")
SPECIFICATION: Final = TOP.parent / "shared" / "SPEC.md"


@cache
def text_of(page: str) -> str:
    return (TOP / page).read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown's own makers give them."""
    heads = re.findall(r"^#+ (.*)$", _FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).lower()) for head in heads)
    return {re.sub(r"[\s]", "-", head.strip()) for head in plain}


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str) -> None:
    for link in _LINK.findall(_FENCED.sub("", text_of(page))):
        name, _, anchor = link.partition("#")
        target = (TOP / page).parent / name if name else TOP / page
        assert target.exists(), f"{page}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_paths_of_the_repository_exist(page: str) -> None:
    for path in _PATH.findall(text_of(page)):
        assert "FORMAT" in path or (TOP / path).exists(), f"{page}: {path}"


@pytest.mark.parametrize("page", [page for page in PAGES if "<!-- begin generated" in text_of(page)])
def test_a_generated_part_is_what_the_program_says_now(page: str) -> None:
    assert generated(text_of(page)) == text_of(page), "run `python -m tests.docs.generate`"


def test_every_generated_part_is_on_a_page() -> None:
    on_pages = {name for page in PAGES for name in re.findall(r"<!-- begin generated: (\S+) -->", text_of(page))}
    assert on_pages == set(PARTS)


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"[\w/-]+\.md", yaml.dump(yaml.safe_load((TOP / "mkdocs.yml").read_text())["nav"]))
    assert sorted(listed) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(text_of("README.md").splitlines()) <= 150
    assert all(path.stat().st_size < 300_000 for path in (DOCS / "images").iterdir())


def test_ci_runs_the_readmes_first_commands_and_builds_the_pages() -> None:
    for command in ("make demo", "make test", "make docs"):
        assert f"{command}\n" in (TOP / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/reading-an-alert.md"])
def test_an_alert_that_is_quoted_is_the_one_of_the_reference(page: str) -> None:
    (quoted,) = re.findall(r"(?:^> .*\n)+", text_of(page), re.MULTILINE)
    plain = " ".join(re.sub(r"^> |[*\\]", "", quoted, flags=re.MULTILINE).split())
    description = plain.rpartition(" (Low): ")[2]
    assert description in re.sub(r"[*\\]", "", text_of("docs/reference/alert.md"))


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification's own place is not beside this repository")
def test_the_specification_is_taken_over_whole() -> None:
    page = text_of("docs/reference/specification.md")
    page = re.sub(r'^!!! note "Not built yet"\n\n(?:    .*\n)+', "", page, flags=re.MULTILINE)
    lines = [line for line in page.splitlines() if line]
    assert lines[1:] == [line for line in SPECIFICATION.read_text(encoding="utf-8").splitlines() if line][1:]
