"""Documents that cannot be read say where and why."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems

from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml, parse_yaml, read_yaml, require


@pytest.mark.parametrize(
    ("text", "expected"), [("a: 1", {"a": 1}), ("- x", ["x"]), ("", None), ("day: 2026-01-01x", {"day": "2026-01-01x"})]
)
def test_yaml_is_read(text: str, expected: object) -> None:
    assert parse_yaml(text, "x.yaml") == expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: [1}", "line 1, column 6"),
        ("a: b: c", "line 1, column 5"),
        ("a: 1\n\t- b", "line 2, column 1"),
        ("a: !!python/object:os.system x", "line 1, column 4"),
    ],
)
def test_what_is_no_yaml_says_where_in_one_line(text: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_yaml(text, "x.yaml")
    assert str(error.value).startswith(f"x.yaml, {where}: not valid YAML: ")
    assert "\n" not in str(error.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: ü", encoding="utf-8")
    assert read_yaml(str(path)) == {"a": "ü"}


def test_a_file_that_is_missing_a_folder_or_no_text_says_so(tmp_path: Path) -> None:
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"a: \xff")
    for path, reason in (
        (tmp_path / "none.yaml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (binary, "it is not UTF-8 text"),
    ):
        with pytest.raises(ConfigurationError) as error:
            read_yaml(str(path))
        assert str(error.value) == f"{path}: cannot be read: {reason}"


def test_a_file_of_a_file_system_of_beams_is_read_and_what_that_says_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {"gs://b/x.yaml": b"a: \xc3\xbc", "gs://b/binary.yaml": b"a: \xff"}

    def opened(path: str) -> io.BytesIO:
        if path not in stored:
            raise LookupError("no such object")
        return io.BytesIO(stored[path])

    monkeypatch.setattr(FileSystems, "open", opened)
    assert read_yaml("gs://b/x.yaml") == {"a": "ü"}
    for name, reason in (("none", "LookupError: no such object"), ("binary", "it is not UTF-8 text")):
        with pytest.raises(ConfigurationError) as error:
            read_yaml(f"gs://b/{name}.yaml")
        assert str(error.value) == f"gs://b/{name}.yaml: cannot be read: {reason}"


def test_shipped_documents_are_found() -> None:
    assert packaged_yaml("uncommon_im.schemas", "detector.yaml")["id"] == "uncommon-im-communication"


def test_require_raises_only_if_the_condition_does_not_hold() -> None:
    require([1], "unused")
    with pytest.raises(ConfigurationError, match=r"^what is wrong$"):
        require([], "what is wrong")
