"""The Terraform files as data, read by `python-hcl2`: no Terraform, no provider, no Google Cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
from hcl2 import SerializationOptions

FOLDER = Path(__file__).parents[2] / "deploy" / "terraform"
_OPTIONS = SerializationOptions(with_comments=False, strip_string_quotes=True, explicit_blocks=False)


@cache
def blocks() -> dict[str, list[Any]]:
    """All blocks of all files by their kind (resource, variable, locals ...)."""
    found: dict[str, list[Any]] = {}
    for path in sorted(FOLDER.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for kind, listed in hcl2.load(file, serialization_options=_OPTIONS).items():
                found.setdefault(unquoted(kind), []).extend(listed)
    return found


def resources(kind: str, block: str = "resource") -> dict[str, dict[str, Any]]:
    """The resources of a type by name."""
    return {
        unquoted(name): body
        for listed in blocks()[block]
        for of, named in listed.items()
        if unquoted(of) == kind
        for name, body in named.items()
    }


def local(name: str) -> Any:
    """A local value, as it is written."""
    (found,) = (listed[name] for listed in blocks()["locals"] if name in listed)
    return found


def defaults() -> dict[str, str]:
    """Variables that have a default, as text."""
    variables = {unquoted(name): body for listed in blocks()["variable"] for name, body in listed.items()}
    return {name: str(body["default"]) for name, body in variables.items() if "default" in body}


def texts(value: Any) -> Iterator[str]:
    """All texts inside of a value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def listed(text: str) -> list[str]:
    """The string literals of an expression, in their order."""
    return re.findall(r'"([^"$]+)"', text)


def unquoted(text: str) -> str:
    """A label without its quotes."""
    return text.strip('"')
