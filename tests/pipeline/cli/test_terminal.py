"""What telemetry holds is shown on a terminal, and never obeyed by it."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from uncommon_im.pipeline.cli.commands.review import show
from uncommon_im.pipeline.cli.masking import MaskingFormatter
from uncommon_im.pipeline.cli.terminal import complain, plain

ORDER = "\x1b]0;all is well\x07\x9b2J"
"""Sets a terminal's title, then clears it."""
SEEN = "⟨U+001B⟩]0;all is well⟨U+0007⟩⟨U+009B⟩2J"


def printed(text: str) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(plain(text))
    return console.file.getvalue().rstrip("\n")  # type: ignore[attr-defined]


def test_orders_to_a_terminal_and_to_rich_are_shown_as_text() -> None:
    assert printed(f"{ORDER}[red]evil[/red].exe") == f"{SEEN}[red]evil[/red].exe"


@pytest.mark.parametrize("text", ["Zürich\\プログラム.exe", "two\nlines", 'cmd.exe /c "a" & b'])
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert printed(text) == text


def test_a_complaint_and_a_line_of_the_log_give_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    complain(f"{ORDER}.jsonl: cannot be read")
    assert capsys.readouterr().err == f"uncommon-im: {SEEN}.jsonl: cannot be read\n"
    record = logging.LogRecord("uncommon_im", logging.WARNING, "f", 1, "host %s", (ORDER,), None)
    assert MaskingFormatter().format(record) == f"host {SEEN}"


def test_the_review_shows_a_programs_name_whatever_it_holds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    program = {"program": f"{ORDER}[bold]x[/bold]", "origin": "unsigned", "script": None, "service": "telegram"}
    days = {"host_days": 9, "first_day": "2026-03-01", "last_day": "2026-03-09"}
    rest = {"expected": False, "traits": [], "reasons": [], "hosts": 1, "example": {}}
    show({"programs": [program | days | rest], "max_other_hosts": 3, "min_host_days": 5, "training_days": 30}, top=1)
    said = capsys.readouterr().out
    assert f"{SEEN}[bold]x[/bold]" in said
    assert "\x1b" not in said
