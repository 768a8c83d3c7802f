"""Times and texts of Microsoft's tables and portals."""

from __future__ import annotations

import pytest

from uncommon_im.transforms.rules.parsing.defender import DEFENDER


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("3/1/2026, 4:32:49.469 AM", "2026-03-01T04:32:49.469Z"),
        (" 12/31/2026, 12:00:00 AM ", "2026-12-31T00:00:00Z"),
        ("12/31/2026, 12:05:00.5 PM", "2026-12-31T12:05:00.5Z"),
        ("3/1/2026, 11:59:59.999\u202fPM", "2026-03-01T23:59:59.999Z"),
        ("31/12/2026, 16:32:49.469", None),
        ("1/3/2026, 4:32:49.469 am", None),
        ("2026-03-01T10:00:00Z", None),
        ("", None),
        (17, None),
    ],
)
def test_a_time_of_the_portal_is_read_as_it_is_written_in_the_united_states_and_not_guessed(
    written: object, expected: str | None
) -> None:
    assert DEFENDER["portal_time"](written) == expected  # type: ignore[arg-type]


def test_an_instant_is_the_same_with_any_number_of_digits() -> None:
    texts = ["2026-03-01T10:00:00.1234567Z", "2026-03-01T10:00:00.123456Z", "2026-03-01T11:00:00.1234569+01:00"]
    assert {DEFENDER["instant"](text) for text in texts} == {1772359200123456}
    assert DEFENDER["instant"](1772359200123) == 1772359200123000


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "2026-03-01T10:00:00", "soon", "-", 0]
)
def test_a_time_that_nobody_knows_is_no_instant(text: object) -> None:
    assert DEFENDER["instant"](text) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"direction": "In"}', "In"),
        ('{"direction": 1}', None),
        ('{"Direction": "In"}', None),
        ("[1]", None),
        ("{", None),
    ],
)
def test_a_direction_is_read_from_json_in_text(text: str, expected: str | None) -> None:
    assert DEFENDER["additional_direction"](text) == expected
