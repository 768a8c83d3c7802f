"""Every option of every command refuses values that nobody can mean: one line that names it, before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from uncommon_im.pipeline.cli.main import COMMANDS, main, parse
from uncommon_im.pipeline.options.declaration import Option, options_in
from uncommon_im.pipeline.options.parser import Parser, add_options
from uncommon_im.pipeline.options.values import Text, Whole, day
from uncommon_im.schemas.documents import ConfigurationError

NO_NUMBERS = ["", " ", "-1", "1e30", "1.5", "nan", "inf", "-inf", "0x10", "1_000", "\u0663", "9" * 5000, "1\n", "\0"]
NO_DAYS = ["", "0001-01-01", "1999-12-31", "2100-01-02", "9999-12-31", "2026-02-30", "1.3.2026", "today", "\0", "1e9"]
NO_TEXTS = ["", " ", "a\0b", "a\x1bb", "\udcff"]
LONG = "x" * 2_000_000


def every() -> Iterator[Any]:
    """(command, option) of all that take a value."""
    for name, command in COMMANDS.items():
        for option in options_in(command.options):
            if not option.is_switch:
                yield pytest.param(name, option, id=f"{name} {option.flag}")


def values_of(option: Option) -> list[str]:
    if option.choices:
        return ["", "nothing", "a\0b"]
    if isinstance(option.parse, Whole):
        beyond = [str(option.parse.most + 1), *([str(option.parse.least - 1)] if option.parse.least else [])]
        return NO_NUMBERS + beyond
    if option.parse is day:
        return NO_DAYS
    if option.metavar == "N,N,...":
        return ["", ",", "1,", "-1", "1e30", "1,nan", ",".join(map(str, range(101)))]
    several = isinstance(option.parse, Text) and option.parse.lines
    return [*NO_TEXTS, LONG, *([] if several else ["a\nb"])]


@pytest.mark.parametrize(("command", "option"), every())
def test_a_value_that_nobody_can_mean_is_refused_with_the_options_name(command: str, option: Option) -> None:
    parser = Parser(prog="test")
    add_options(parser, COMMANDS[command].options)
    named = (option.metavar or option.name) if option.positional else option.flag
    for value in values_of(option):
        with pytest.raises(ConfigurationError) as raised:
            parser.parse_known_args([value] if option.positional else [f"{option.flag}={value}"])
        said = str(raised.value)
        assert named in said.replace("action", option.metavar or option.name), value
        assert "\n" not in said


@pytest.mark.parametrize(("command", "option"), every())
def test_bounds_themselves_are_taken_and_what_is_left_out_too(command: str, option: Option) -> None:
    if isinstance(option.parse, Whole):
        assert option.parse(str(option.parse.least)) == option.parse.least
        assert option.parse(str(option.parse.most)) == option.parse.most
        if option.default is not None:
            assert option.parse(str(option.default)) == option.default


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backfill", "--max-other-hosts", "1e30"], "--max-other-hosts: '1e30' is no whole number: give one from 0 to"),
        (["backfill", "--start", "0001-01-01"], "--start: it must be 2000-01-01 to 2100-01-01: events have no other"),
        (["backfill", "--guard-days", "1000"], "--guard-days: it must be 0 to 62, not 1000"),
        (["backfill", "--input", "a", "--require-marker", ""], "--require-marker: it is empty: give a value"),
        (["backfill", "--require-marker", "../x"], "--require-marker: expected the name of a file, without a folder"),
        (["simulate", "--output", "x", "--days", "9999999"], "--days: it must be 1 to 3660, not 9999999"),
        (["stream", "--kafka-topic", "t", "--kafka-brokers", "k"], "--kafka-brokers: expected HOST:PORT,HOST:PORT"),
        (["stream", "--kafka-topic", "t", "--kafka-brokers", "k:99999"], "with ports of 1 to 65535"),
        (["stream", "--kafka-topic", "a b"], "--kafka-topic: expected the name of a topic"),
        (["tune", "run", "--max-host-days", "1,x"], "--max-host-days: 'x' is no whole number"),
        (["backfill", "--input", "x" * 300, "--output", "y"], "--input: it holds a name of more than 255 bytes"),
        (["schema", "bigquery", "--dataset", "p"], "--dataset: expected PROJECT.DATASET"),
        (["backfill", "--bigquery-endpoint", "http://[::1"], "--bigquery-endpoint: expected https://HOST"),
    ],
)
def test_what_is_allowed_is_said_in_one_line_with_exit_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize("value", ["a\0secret", "secret" * 1000])
def test_a_setting_that_may_be_a_password_is_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(["stream", "--kafka-topic", "t", "--kafka-consumer", value])
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--runner=DirectRuner", "--runner DirectRuner: Unexpected pipeline runner: DirectRuner. Valid values are"),
        ("--runner=no.such.Runner", "--runner no.such.Runner: "),
        ("--runner=DataflowRunner", "Missing required option: project"),
    ],
)
def test_an_engine_that_is_not_there_or_lacks_options_is_told_before_anything_is_touched(
    flag: str, said: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    files = ["--input", str(tmp_path / "a.jsonl"), "--output", str(tmp_path / "run")]
    assert main(["backfill", *files, flag]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "run").exists()
