"""Documents of the user's that are no such thing: one line with the file, the entry, the key and what is allowed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.exceptions import load_exceptions

LOADERS: dict[str, Callable[[str], object]] = {
    "detector": load_detector,
    "services": load_catalogue,
    "exceptions": load_exceptions,
}
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
)


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected"),
        (b"x" * (1 << 20), "expected"),
        (bytes(range(128, 256)) * 32, "cannot be read: it is not UTF-8 text"),
        (b"\x1f\x8b\x08\x00", "cannot be read: it is not UTF-8 text"),
        (BOMB.encode(), "aliases repeat more than"),
        (b"a: 1\na: 2\n", "line 2, column 1: not valid YAML: key a is there twice"),
        (b"a: 2026-02-30", "line 1, column 4: not valid YAML: 2026-02-30: day is out of range for month"),
        (b"[" * 100_000, "nest"),
        (b"a: !!python/object/apply:os.system [id]", "not valid YAML: could not determine a constructor"),
        (b"17", "expected"),
    ],
)
def test_a_file_that_is_no_document_is_named_with_what_is_wrong(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as raised:
        LOADERS[name](str(path))
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("name", LOADERS)
def test_a_folder_or_a_file_that_nobody_may_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        LOADERS[name](str(tmp_path))
    closed = tmp_path / "closed.yaml"
    closed.touch(0)
    if not os.access(closed, os.R_OK):  # root may read everything
        with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
            LOADERS[name](str(closed))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "exceptions",
            "- {process_name: [a, b], reason: x}",
            "exceptions[0].process_name: expected a text, a number or true or false, not ['a', 'b']",
        ),
        ("exceptions", "- {process_name: {a: b}, reason: x}", "exceptions[0].process_name: expected a text, a number"),
        ("exceptions", "- {process_name: a, reason: x, expires: 2026-02-30}", "2026-02-30: day is out of range"),
        (
            "exceptions",
            "- {process_name: a, reason: x, expires: '2026-02-30'}",
            "exceptions[0]: expires is '2026-02-30': write it as YYYY-MM-DD",
        ),
        ("exceptions", "- {process_name: a, reason: x, expires: [1]}", "exceptions[0]: expires is [1]: write it as"),
        ("exceptions", "- {process_name: a, process_name: b, reason: x}", "key process_name is there twice"),
        ("exceptions", "- text", "exceptions[0]: expected a mapping"),
        ("detector", "limits: {guard_days: 1000}", "limits: guard_days is 1000: it must be 0 to 62"),
        ("detector", "limits: {max_other_hosts: 1e30}", "limits.max_other_hosts: expected a whole number"),
        ("detector", "limits: {max_other_hosts: .inf}", "limits.max_other_hosts: expected a whole number"),
        ("services", "services: {}", "services: expected a list"),
    ],
)
def test_an_entry_that_is_wrong_is_named_with_its_key_and_what_is_allowed(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        LOADERS[name](str(path))
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)
