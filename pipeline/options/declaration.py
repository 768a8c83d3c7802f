"""Options as fields of frozen dataclasses. One group may hold another; a field without `option()` is no option."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache
from typing import Any, ClassVar, Final, Literal, get_args, get_origin, get_type_hints

from uncommon_im.pipeline.options.values import MOST, Whole, day, path, text, whole

_DECLARED: Final = "option"
_BY_TYPE: Final[dict[type, dict[str, Any]]] = {
    int: {"parse": whole, "metavar": "N"},
    date: {"parse": day, "metavar": "DATE"},
    str: {"parse": text},
}
"""What a field's type says, unless the option says it itself."""
_PATHS: Final = ("DIR", "GLOB", "FILE", "FILE.yaml", "FILE.html")
"""What stands for files and folders in `--help`."""
_SERVED: Final = ("HOST:PORT", "PROJECT.DATASET", "URL", "projects/")
"""How begins what stands there for something that other machines serve."""
_type_hints: Final[Callable[[Any], dict[str, Any]]] = cache(get_type_hints)


class Options:
    """A group of options: `class FileOptions(Options, title="input", about="...")`.

    `--help` shows them under the title, with the sentence about all of them. Groups of one title are shown together.
    """

    title: ClassVar[str] = ""
    about: ClassVar[str] = ""

    def __init_subclass__(cls, title: str | None = None, about: str | None = None) -> None:
        cls.title = cls.title if title is None else title
        cls.about = cls.about if about is None else about


@dataclass(frozen=True)
class Option:
    """One option of the command line.

    Args:
        help: what it does, in sentences.
        default: without it. `False` makes it a switch, `()` an option that can be repeated.
        metavar: what stands for its value in `--help`.
        parse: makes the value of its text; raises `argparse.ArgumentTypeError`.
        choices: the values that there are.
        const: its value if it is given without one.
        required: it must be given.
        exclusive: exactly one of the options of its group that say so must be given.
        positional: it is given without its name.
        name: of the field; the option is called so, with dashes.
        group: that declares it.
    """

    help: str
    default: Any = None
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    choices: tuple[str, ...] | None = None
    const: Any = None
    required: bool = False
    exclusive: bool = False
    positional: bool = False
    name: str = ""
    group: type[Options] = Options

    @property
    def flag(self) -> str:
        """As it is given; a field whose name would be a word of Python has a `_` behind it."""
        return "--" + self.name.rstrip("_").replace("_", "-")

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return self.default is False

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be given again and again."""
        return self.default == ()

    @property
    def is_path(self) -> bool:
        """Whether its value names a file or a folder, on any file system."""
        return self.metavar in _PATHS

    @property
    def is_served(self) -> bool:
        """Whether its value names something that other machines serve: a table, a topic, an address."""
        return (self.metavar or "").startswith(_SERVED)

    @property
    def text(self) -> str:
        """What it does, and its default."""
        help, bounds = self.help, self.parse
        if isinstance(bounds, Whole) and bounds.most < MOST:
            help += f" From {bounds.least} to {bounds.most:,}."
        has_default = not (self.default is None or self.is_switch or self.is_repeatable)
        return f"{help} Default: {self.default}." if has_default else help


def option(help: str, default: Any = None, metavar: str | None = None, **settings: Any) -> Any:
    """A field that is an option, as `Option` describes it; its type says how a number, a date or a choice is read."""
    return field(default=default, metadata={_DECLARED: Option(help, default, metavar, **settings)})


def members(kind: type[Options]) -> Iterator[tuple[str, Option | type[Options]]]:
    """(name, the option or the group) of each field that is one."""
    kinds = _type_hints(kind)
    for each in fields(kind):  # type: ignore[arg-type]  # every group is a dataclass
        declared, held = each.metadata.get(_DECLARED), kinds[each.name]
        if declared:
            yield each.name, replace(declared, name=each.name, group=kind, **_implied(declared, held))
        elif isinstance(held, type) and issubclass(held, Options):
            yield each.name, held


def options_in(kind: type[Options]) -> Iterator[Option]:
    """The options of a group, and of the groups in it, in the order of their fields."""
    for _, member in members(kind):
        if isinstance(member, Option):
            yield member
        else:
            yield from options_in(member)


def _implied(declared: Option, held: Any) -> dict[str, Any]:
    """What the type of a field says beyond its option."""
    if get_origin(held) is Literal:
        return {"choices": get_args(held)}
    if declared.is_path and declared.parse is None:
        return {"parse": path}
    implied = next((_BY_TYPE[kind] for kind in (held, *get_args(held)) if kind in _BY_TYPE), {})
    return {name: value for name, value in implied.items() if getattr(declared, name) is None}
