"""What SECURITY.md says of the code is so: nothing evaluates what it reads, and the bounds are those of the readers."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT
from uncommon_im.pipeline.sources.files.lines import BLOCK_BYTES, MAX_LINE_BYTES
from uncommon_im.pipeline.sources.files.parquet_file import MAX_COLUMN_BYTES, MAX_ROWS
from uncommon_im.pipeline.sources.queues.messages import MAX_MESSAGE_BYTES
from uncommon_im.schemas.documents import ConfigurationError, parse_yaml
from uncommon_im.transforms.rules.parsing.adapt import MOST_NESTED

MODULES: Final = [
    path for room in ("pipeline", "transforms", "schemas") for path in sorted((ROOT / room).rglob("*.py"))
]
FORBIDDEN_MODULES: Final = {
    "cloudpickle", "code", "dill", "imp", "jsonpickle", "marshal", "pickle", "runpy", "shelve", "subprocess",
}  # fmt: skip
FORBIDDEN_CALLS: Final = {
    "__import__", "compile", "eval", "exec", "importlib.import_module", "os.execv", "os.popen", "os.system",
    "yaml.full_load", "yaml.load", "yaml.unsafe_load",
}  # fmt: skip

ALLOWED: Final = {
    "pipeline/local/tied.py": {"subprocess"},
    "pipeline/sources/files/containers/event_log.py": {"subprocess"},
}
"""Prism, which options or `make runners` put there: it ends with the run that it belongs to. And this Python, which
reads a Windows event log with bounds on memory and time, because a damaged one may hold its reader for ever."""


def reached(source: str) -> set[str]:
    """The forbidden modules that a source imports, and the forbidden functions that it calls."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names} & FORBIDDEN_MODULES
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module.partition(".")[0]} & FORBIDDEN_MODULES
        elif isinstance(node, ast.Call):
            found |= {ast.unparse(node.func)} & FORBIDDEN_CALLS
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_evaluates_unpickles_and_starts_nothing_but_an_engine(path: Path) -> None:
    allowed = ALLOWED.get(path.relative_to(ROOT).as_posix(), set())
    assert reached(path.read_text(encoding="utf-8")) == allowed


@pytest.mark.parametrize(
    "source", ["import pickle", "from dill import loads", "eval(text)", "import yaml\nyaml.load(text)", "os.system(x)"]
)
def test_what_is_forbidden_is_seen(source: str) -> None:
    assert reached(source)


@pytest.mark.parametrize("source", ["import json", "re.compile(x)", "yaml.safe_load(x)", "self.eval(x)"])
def test_what_is_harmless_is_not_taken_for_it(source: str) -> None:
    assert reached(source) == set()


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:pathlib.Path.touch [{marker}]",
        "exceptions: !!python/object/new:pathlib.Path [{marker}]",
        "!!python/name:os.system",
        "!!python/module:os",
        "? !!python/tuple [1, 2]\n: 3",
    ],
)
def test_a_document_that_asks_for_an_object_of_python_is_refused_and_makes_none(text: str, tmp_path: Path) -> None:
    marker = tmp_path / "made"
    with pytest.raises(ConfigurationError, match=r"^own\.yaml, line 1, column \d+: not valid YAML: "):
        parse_yaml(text.format(marker=marker), "own.yaml")
    assert not marker.exists()


def test_the_bounds_are_those_of_the_readers() -> None:
    said = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    mib = 1 << 20
    for bound in (
        f"{BLOCK_BYTES // mib} MiB of decompressed lines",
        f"a line of {MAX_LINE_BYTES // mib} MiB",
        f"a message of {MAX_MESSAGE_BYTES // mib} MiB",
        f"{MOST_NESTED:,} records nested in a line",
        f"a column of {MAX_COLUMN_BYTES // mib // 1024} GiB",
        f"{MAX_ROWS:,} rows in a row group",
    ):
        assert bound in said


def test_a_report_goes_to_no_address_of_a_person() -> None:
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
