"""Hours of the day in a time zone: whole and broken offsets, clocks that are set, names that are no zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.rules.records import quick
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.transforms.rules.columns.local_time import local_hours, local_moment, zone_of

ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")
FIRST, END = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2000, 2100))


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("zone", "moment", "hour"),
    [
        ("UTC", "2026-03-01T23:59:59Z", 23),
        ("Asia/Kolkata", "2026-03-01T18:29:59Z", 23),
        ("Asia/Kolkata", "2026-03-01T18:30:00Z", 0),
        ("Asia/Kathmandu", "2026-03-01T00:14:59Z", 5),
        ("Asia/Kathmandu", "2026-03-01T00:15:00Z", 6),
        ("Europe/Berlin", "2026-03-29T00:59:59Z", 1),  # an hour that is left out ...
        ("Europe/Berlin", "2026-03-29T01:00:00Z", 3),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", 2),  # ... and one that comes twice
        ("Europe/Berlin", "2026-10-25T01:30:00Z", 2),
        ("America/St_Johns", "2010-03-14T03:30:59Z", 0),  # set at one minute past midnight
        ("America/St_Johns", "2010-03-14T03:31:00Z", 1),
    ],
)
def test_the_hour_is_the_one_on_the_clocks_there_and_then(zone: str, moment: str, hour: int) -> None:
    assert local_hours(np.array([micros(moment)], np.int64), zone).tolist() == [hour]
    assert local_moment(micros(moment), zone).hour == hour


@quick
@given(zone=st.sampled_from(ZONES), seconds=st.lists(st.integers(FIRST, END - 1), max_size=20))
def test_many_moments_at_once_have_the_hour_that_each_has_alone(zone: str, seconds: list[int]) -> None:
    hours = local_hours(np.array(seconds, np.int64) * 1_000_000, zone)
    assert hours.tolist() == [datetime.fromtimestamp(second, ZoneInfo(zone)).hour for second in seconds]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "Europe", "UTC\x00"])
def test_a_name_of_no_zone_is_refused_and_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--time-zone .* is no time zone"):
        zone_of(name)
