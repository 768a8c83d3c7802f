"""The pages and their blocks of commands.

A block of `sh` is run as it stands (`test_commands.py`), in a folder with the telemetry of a small organisation, unless
an invisible line before it says why not: `<!-- not run: it needs Google Cloud -->`. A block with a title is a file:
it is put into that folder first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    path.relative_to(TOP).as_posix()
    for path in (*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), *TOP.glob("deploy/**/*.md"), *TOP.glob("tests/**/*.md"))
)
_BLOCK: Final = re.compile(
    r"(?:<!-- not run: (?P<why>[^\n]+) -->\n)?^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of a page.

    Args:
        page: its path.
        line: on which it begins.
        language: `sh`, `yaml` ...
        title: the name of the file that it is; empty: it is none.
        why: it is not run; empty: it is.
        text: without the indentation of a list.
    """

    page: str
    line: int
    language: str
    title: str
    why: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str) -> list[Block]:
    """All blocks of a page, in their order."""
    text = (TOP / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start()) + 1,
            found["language"],
            found["title"] or "",
            found["why"] or "",
            re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
        )
        for found in _BLOCK.finditer(text)
    ]


COMMANDS: Final = [block for page in PAGES for block in blocks_of(page) if block.language == "sh"]
