"""Options as fields: what argparse is told of them, and what comes back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pytest

from tests import ROOT
from uncommon_im.pipeline.cli.main import COMMANDS, main
from uncommon_im.pipeline.options.declaration import Options, option, options_in
from uncommon_im.pipeline.options.parser import Parser, add_options, read_options
from uncommon_im.schemas.detector import DETECTOR_VERSION
from uncommon_im.schemas.documents import ConfigurationError


@dataclass(frozen=True)
class Inner(Options, title="inner", about="A sentence."):
    many: tuple[str, ...] = option("Several.", (), "TEXT")
    day: date | None = option("A day.")


@dataclass(frozen=True, kw_only=True)
class Outer(Options):
    place: str = option("A place.", metavar="PLACE", positional=True)
    inner: Inner
    number: int = option("A number.", 7)
    kind: Literal["a", "b"] = option("100 % of kinds.", "a")
    switch: bool = option("A switch.", False)
    perhaps: int | None = option("A number or none.", const=3)


@dataclass(frozen=True)
class Narrow(Inner):
    day: None = None


def parsed(*arguments: str) -> Outer:
    parser = Parser(prog="test")
    add_options(parser, Outer)
    return read_options(Outer, parser.parse_args(arguments))


def test_values_come_back_typed_and_frozen() -> None:
    given = ("here", "--many", "x", "--many", "y", "--day", "2026-03-01", "--kind", "b", "--switch", "--perhaps")
    expected = Inner(many=("x", "y"), day=date(2026, 3, 1))
    assert parsed(*given) == Outer(place="here", inner=expected, number=7, kind="b", switch=True, perhaps=3)
    assert parsed("here") == Outer(place="here", inner=Inner())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: PLACE (see test --help)"),
        (("here", "--number", "x"), "argument --number: 'x' is no whole number"),
        (("here", "--day", "x"), "argument --day: 'x' is no date: write it as YYYY-MM-DD"),
        (("here", "--kind", "c"), "invalid choice: 'c'"),
    ],
)
def test_a_wrong_value_is_said_in_a_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parsed(*arguments)
    assert message in str(raised.value)


def test_help_shows_groups_with_their_titles_and_defaults() -> None:
    parser = Parser(prog="test")
    add_options(parser, Outer)
    text = " ".join(parser.format_help().split())
    assert "inner: A sentence. --many TEXT Several. Repeatable. --day DATE A day." in text
    assert "--number N A number. Default: 7. --kind {a,b} 100 % of kinds. Default: a." in text


def test_a_field_that_a_group_does_not_declare_again_is_no_option_of_it() -> None:
    assert [each.name for each in options_in(Narrow)] == ["many"]
    assert {each.group.title for each in options_in(Narrow)} == {"inner"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_does_in_sentences(command: str) -> None:
    for each in options_in(COMMANDS[command].options):
        assert each.help[0].isupper() or each.help.startswith("`")
        assert each.help.endswith(".")
    names = [each.name for each in options_in(COMMANDS[command].options)]
    assert len(names) == len(set(names))


def test_the_version_is_printed_and_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"uncommon-im {DETECTOR_VERSION}\n"
    built = subprocess.run([sys.executable, "setup.py", "--version"], cwd=ROOT, check=True, capture_output=True)
    assert built.stdout.decode().splitlines()[-1] == DETECTOR_VERSION


def test_commands_that_run_no_pipeline_import_no_beam() -> None:
    code = "import sys; from uncommon_im.pipeline.cli.main import main; main(['lookup', 't.me']); "
    code += "sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
