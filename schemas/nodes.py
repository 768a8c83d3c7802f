"""Reading what a YAML document holds, node by node: what is not as expected is named with file and place."""

from __future__ import annotations

from typing import Any

from uncommon_im.schemas.documents import ConfigurationError

Path = tuple[str, ...]
"""Keys from the top of an object down to a value."""


class Nodes:
    """Checks nodes of a document; `where` is a node's place in it, for messages.

    What is not as expected raises the `ConfigurationError` that `fail` makes: one line with file, place and problem.
    """

    def __init__(self, file: str) -> None:
        """Of a document that is called `file`."""
        self.file = file

    def fail(self, where: str, problem: str) -> ConfigurationError:
        """The error that says what is wrong and where."""
        return ConfigurationError(f"{self.file}: {where}: {problem}")

    def node(self, value: object, where: str, required: str = "", optional: str = "") -> dict[str, Any]:
        """`value` as an object; if names are given, with all the required and no unknown keys."""
        if not isinstance(value, dict):
            raise self.fail(where, f"expected an object, not {value!r:.60}")
        needed, known = required.split(), f"{required} {optional}".split()
        for name in needed:
            if name not in value:
                raise self.fail(f"{where}.{name}", "is missing")
        for name in value if known else ():
            if name not in known:
                raise self.fail(f"{where}.{name}", f"unknown key (known: {', '.join(known)})")
        return value

    def items(self, value: object, where: str) -> list[Any]:
        """`value` as a list that is not empty."""
        if not isinstance(value, list) or not value:
            raise self.fail(where, f"expected a list that is not empty, not {value!r:.60}")
        return value

    def text(self, value: object, where: str) -> str:
        """`value` as a text that is not blank."""
        if not isinstance(value, str) or not value.strip():
            raise self.fail(where, f"expected a text, not {value!r:.60}")
        return value

    def path(self, value: object, where: str) -> Path:
        """`value`, keys with dots between them, as a path."""
        path = tuple(self.text(value, where).split("."))
        if not all(path):
            raise self.fail(where, f"not a path of keys: {value!r:.60}")
        return path

    def paths(self, value: object, where: str) -> tuple[Path, ...]:
        """`value` as a list of paths."""
        return tuple(self.path(item, f"{where}[{n}]") for n, item in enumerate(self.items(value, where)))

    def groups(self, value: object, where: str) -> tuple[tuple[Path, ...], ...]:
        """`value` as a list of lists of paths."""
        return tuple(self.paths(item, f"{where}[{n}]") for n, item in enumerate(self.items(value, where)))
