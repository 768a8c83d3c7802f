"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import uncommon_im

MODULES = sorted(
    module.name
    for root in ("pipeline", "transforms", "schemas")
    for module in pkgutil.walk_packages(importlib.import_module(f"uncommon_im.{root}").__path__, f"uncommon_im.{root}.")
    if not module.name.endswith("__main__")
)


def test_all_modules_are_found() -> None:
    assert len(MODULES) > 150
    assert uncommon_im.__path__


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
