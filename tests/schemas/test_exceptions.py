"""Files of exceptions: what is read, and what is wrong with those that are not."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path

import pytest

from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.exceptions import ExceptionEntry, load_exceptions

FIELDS = "process_name, origin, signer, service_id, host_id, user_name, process_path, parent_process_name, remote_host"


def load(folder: Path, text: str) -> tuple[ExceptionEntry, ...]:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return load_exceptions(str(path))


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_file_nothing_is_excepted(path: str | None) -> None:
    assert load_exceptions(path) == ()


@pytest.mark.parametrize("head", ["", "exceptions:\n"])
def test_a_list_or_a_mapping_with_one_is_read(tmp_path: Path, head: str) -> None:
    text = head + "- {service_id: ' Telegram ', process_name: Bot*.EXE, reason: ' known ', expires: 2026-05-01}\n"
    assert load(tmp_path, text) == (
        ExceptionEntry((("process_name", "bot*.exe"), ("service_id", "telegram")), "known", date(2026, 5, 1)),
    )


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2026-05-01", date(2026, 5, 1)),
        ("'2026-05-01'", date(2026, 5, 1)),
        ("2026-05-01T10:00:00", date(2026, 5, 1)),
        ("null", None),
    ],
)
def test_an_expiry_is_a_day_however_it_is_written(tmp_path: Path, expires: str, expected: date | None) -> None:
    (entry,) = load(tmp_path, f"- {{host_id: h1, reason: r, expires: {expires}}}")
    assert entry.expires == expected


def test_numbers_serve_as_globs_and_missing_values_are_no_globs(tmp_path: Path) -> None:
    (entry,) = load(tmp_path, "- {host_id: 17, signer: null, reason: r}")
    assert entry.globs == (("host_id", "17"),)


def test_entries_are_the_same_after_a_journey_to_other_processes_and_are_unpacked_once(tmp_path: Path) -> None:
    entries = load(tmp_path, "- {host_id: 'h*', reason: r, expires: 2026-05-01}\n- {signer: ü, reason: r}")
    packed = pickle.dumps(entries)
    assert pickle.loads(packed) == entries
    assert pickle.loads(packed) is pickle.loads(packed)
    assert pickle.dumps(pickle.loads(packed)) == packed


def test_an_empty_list_is_no_exceptions(tmp_path: Path) -> None:
    assert load(tmp_path, "[]") == load(tmp_path, "exceptions: []") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "own.yaml: expected a list of exceptions (or a mapping with `exceptions`)"),
        ("exception: []", "own.yaml: expected a list of exceptions (or a mapping with `exceptions`)"),
        ("exceptions: {host_id: h1}", "own.yaml: expected a list of exceptions (or a mapping with `exceptions`)"),
        ("- h1", f"own.yaml: exceptions[0]: expected a mapping with {FIELDS}, reason, expires, not 'h1'"),
        (
            "- {host_id: h1, reason: r}\n- {host: h1, when: x, reason: r}",
            f"own.yaml: exceptions[1]: unknown key host: did you mean host_id? known are {FIELDS}, reason, expires",
        ),
        ("- {1: x, reason: r}", f"own.yaml: exceptions[0]: unknown key 1: known are {FIELDS}, reason, expires"),
        ("- {reason: r}", f"own.yaml: exceptions[0]: matches everything: give at least one of {FIELDS}"),
        ("- {host_id: null, reason: r}", f"own.yaml: exceptions[0]: matches everything: give at least one of {FIELDS}"),
        ("- {host_id: h1}", "own.yaml: exceptions[0]: needs a `reason`, so that others know why it is there"),
        (
            "- {host_id: h1, reason: '  '}",
            "own.yaml: exceptions[0]: needs a `reason`, so that others know why it is there",
        ),
        (
            "- {host_id: h1, reason: r, expires: 1.5.2026}",
            "own.yaml: exceptions[0]: expires is '1.5.2026': write it as YYYY-MM-DD",
        ),
        (
            "- {host_id: h1, reason: r, expires: soon}",
            "own.yaml: exceptions[0]: expires is 'soon': write it as YYYY-MM-DD",
        ),
        (
            "- {host_id: h1, reason: r, expires: [2026]}",
            "own.yaml: exceptions[0]: expires is [2026]: write it as YYYY-MM-DD",
        ),
    ],
)
def test_a_wrong_file_says_which_entry_and_how_to_mend_it(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path, text)
    assert str(error.value).replace(str(tmp_path / "own.yaml"), "own.yaml") == message
