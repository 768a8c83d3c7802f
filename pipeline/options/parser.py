"""Options <-> argparse: arguments of declared options, and the values that were given for them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, TypeVar

from uncommon_im.pipeline.options.declaration import Option, Options, members, options_in
from uncommon_im.schemas.documents import ConfigurationError

Group = TypeVar("Group", bound=Options)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raises instead of printing the usage.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(f"{message} (see {self.prog} --help)")


def add_options(parser: argparse.ArgumentParser, kind: type[Options]) -> None:
    """Adds the options of a group, and of the groups in it, under their titles."""
    by_title: dict[str, list[Option]] = {}
    for each in options_in(kind):
        by_title.setdefault(each.group.title, []).append(each)
    for title, options in by_title.items():
        about = next((each.group.about for each in options if each.group.about), None)
        group = parser.add_argument_group(title, about) if title else parser
        exclusive = [each for each in options if each.exclusive]
        if exclusive:
            one_of = group.add_mutually_exclusive_group(required=True)
            for each in exclusive:
                one_of.add_argument(each.flag, **_settings(each))
        for each in options:
            if not each.exclusive:
                group.add_argument(each.name if each.positional else each.flag, **_settings(each))


def _settings(option: Option) -> dict[str, Any]:
    """What argparse calls the same."""
    text = option.text.replace("%", "%%")
    if option.is_switch:
        return {"action": "store_true", "help": text}
    settings: dict[str, Any] = {
        "help": text,
        "metavar": option.metavar,
        "type": option.parse,
        "choices": option.choices,
    }
    if option.positional:
        return settings | ({"nargs": "+"} if option.is_repeatable else {})
    settings["dest"] = option.name
    if option.is_repeatable:
        return settings | {"action": "append", "default": [], "help": f"{text} Repeatable."}
    settings |= {"default": option.default, "required": option.required}
    return settings if option.const is None else settings | {"nargs": "?", "const": option.const}


def read_options(kind: type[Group], arguments: argparse.Namespace) -> Group:
    """The values that were given for the options of a group, and of the groups in it."""
    values: dict[str, Any] = {}
    for name, member in members(kind):
        if isinstance(member, Option):
            value = getattr(arguments, name)
            values[name] = tuple(value) if isinstance(value, list) else value
        else:
            values[name] = read_options(member, arguments)
    return kind(**values)


def paths_in(options: Options) -> Iterator[tuple[str, str]]:
    """(option, path) of each file or folder that is named."""
    for option, value in given(options):
        if option.is_path:
            yield option.metavar or option.name if option.positional else option.flag, value


def given(options: Options) -> Iterator[tuple[Option, Any]]:
    """(option, value) of all options of a group and of the groups in it that have a value, and of each of several."""
    for name, member in members(type(options)):
        value = getattr(options, name)
        if not isinstance(member, Option):
            yield from given(value)
        elif value is not None:
            for each in value if isinstance(value, tuple) else (value,):
                yield member, each


def no_more(rest: Sequence[str]) -> None:
    """Raises `ConfigurationError` if arguments are left over."""
    if rest:
        raise ConfigurationError(f"unknown argument {name_of(rest[0])} (see --help)")


def name_of(argument: str) -> str:
    """An argument without its value, for messages: what is misspelt may have been meant to hold a password."""
    return argument.partition("=")[0]
