"""Modules and functions are small enough to be read at a glance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT

MODULES: Final = sorted(path for room in ("pipeline", "transforms", "schemas") for path in (ROOT / room).rglob("*.py"))
LINES_OF_A_MODULE: Final = 300
LINES_OF_A_FUNCTION: Final = 50
PARAMETERS: Final = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(path: Path) -> Iterator[Function]:
    """The functions and methods of a module, nested ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def parameters_of(function: Function) -> list[str]:
    """The names of a function's parameters; the object or class of a method is none."""
    declared = function.args
    given = [*declared.posonlyargs, *declared.args, *declared.kwonlyargs, declared.vararg, declared.kwarg]
    names = [parameter.arg for parameter in given if parameter]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def lines_of(function: Function) -> int:
    """The lines from a function's name to its end, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_the_modules_are_there() -> None:
    assert len(MODULES) > 150


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_and_its_functions_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_OF_A_MODULE
    functions = list(functions_of(path))
    assert [(each.name, parameters_of(each)) for each in functions if len(parameters_of(each)) > PARAMETERS] == []
    assert [(each.name, lines_of(each)) for each in functions if lines_of(each) > LINES_OF_A_FUNCTION] == []


def test_parameters_and_lines_are_counted() -> None:
    source = "class A:\n    def f(self, a, /, b, *c, d, **e):\n        '''F.'''\n\n        return a\n"
    (function,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))
    assert (parameters_of(function), lines_of(function)) == (["a", "b", "d", "c", "e"], 4)
