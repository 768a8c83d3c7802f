"""Documents that cannot be read say where and why."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
import yaml
from apache_beam.io.filesystems import FileSystems
from hypothesis import given, settings
from hypothesis import strategies as st

from uncommon_im.schemas import documents
from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml, parse_yaml, read_yaml, require


@pytest.mark.parametrize(
    ("text", "expected"), [("a: 1", {"a": 1}), ("- x", ["x"]), ("", None), ("day: 2026-01-01x", {"day": "2026-01-01x"})]
)
def test_yaml_is_read(text: str, expected: object) -> None:
    assert parse_yaml(text, "x.yaml") == expected


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates() | st.text(max_size=8)


@settings(deadline=None)
@given(
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=4)
        ),
        max_leaves=20,
    )
)
def test_a_document_is_what_the_library_makes_of_it(document: object) -> None:
    text = yaml.safe_dump(document)
    assert parse_yaml(text, "x.yaml") == yaml.safe_load(text) == document


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]",
        "base: &x {a: 1, b: 2}\nmore: {<<: *x, b: 3}",
        "!!map {a: !!str 1, b: !!seq [x]}",
        "!!set {a, b}",
        "{1: a, true: b, ~: c, 2026-01-01: d, =: e}",
        "- !!binary aGk=\n- !!omap [a: 1]\n- 0x1F\n- 1:30\n- .inf",
    ],
)
def test_what_yaml_can_say_beside_texts_is_left_to_the_library(text: str) -> None:
    assert parse_yaml(text, "x.yaml") == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: !!str [1]", "a: !!map [1]", "a: !!seq {b: 1}", "? {a: 1}\n: b"])
def test_a_value_that_is_not_of_its_own_kind_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.yaml, line 1, column \d: not valid YAML"):
        parse_yaml(text, "x.yaml")


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3", "x.yaml, line 5, column 3: not valid YAML: key c is there twice"),
        ("- {a: 1, 'a': 2}", "x.yaml, line 1, column 10: not valid YAML: key a is there twice"),
        ("day: 2026-02-30", "x.yaml, line 1, column 6: not valid YAML: 2026-02-30: day is out of range for month"),
        ("[" * 101, "x.yaml: not valid YAML: nested too deeply"),
        ("[" * 900, "x.yaml: not valid YAML: nested too deeply"),
    ],
)
def test_what_yaml_takes_without_a_word_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_yaml(text + "]" * text.count("[") if text.startswith("[[") else text, "x.yaml")
    assert str(error.value) == message


def bomb(step: str) -> str:
    """Ten levels, each nine times as large as the one before."""
    levels = [f"a{n}: &a{n} {step.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 10)]
    return "\n".join(["a0: &a0 {k: v}", *levels])


@pytest.mark.parametrize("text", [bomb("[{}]"), bomb("{{<<: [{}]}}"), "a: &a [*a]", "a: &a {b: *a}"])
def test_aliases_that_repeat_much_or_never_end_are_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ConfigurationError, match=r"^x\.yaml: aliases repeat more than 100000 nodes"):
        parse_yaml(text, "x.yaml")
    assert time.process_time() - start < 1


def test_aliases_and_merged_mappings_are_read() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]"
    assert parse_yaml(text, "x.yaml") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": [{"x": 1, "y": 2}, {"x": 1, "y": 2}],
    }


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


def test_a_file_that_no_document_is_as_long_as_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    (tmp_path / "a.yaml").write_text("a: 123456\n")
    assert read_yaml(str(tmp_path / "a.yaml")) == {"a": 123456}
    (tmp_path / "b.yaml").write_text("a: 1234567\n")
    with pytest.raises(ConfigurationError, match=r"b\.yaml: more than 10 bytes: no document is that long$"):
        read_yaml(str(tmp_path / "b.yaml"))


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
