"""What becomes of an event on its way: its id, when it arrives, whether it arrives twice.

All of it follows from the event's number alone, so it is the same whatever else is simulated beside it.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p

Numbers = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_PARTS = 4
"""Parts of a day that number their events by themselves."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOST = np.full(1, 5, dtype=np.uint64)
_HEX_PAIRS = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), dtype=np.uint16)


def event_numbers(seed: int, day: date, part: int, count: int) -> Numbers:
    """Numbers of the events of one of `MOST_PARTS` parts of a day; they do not tell the part.

    Seed, day, part and position are mixed by the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable
    pseudorandom number generators"), which is one to one: no two events of a seed share a number.
    """
    first = np.uint64((day.toordinal() * MOST_PARTS + part) << 38)
    return _mix((np.arange(count, dtype=np.uint64) + first) ^ _mix(np.array([seed], dtype=np.uint64)))


def event_ids(numbers: Numbers) -> pa.StringArray:
    """The numbers as 16 hex digits each."""
    digits = _HEX_PAIRS[numbers.astype(">u8").view(np.uint8)]
    offsets = np.arange(0, 16 * len(numbers) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(digits))


def instance_numbers(seed: int, image: Ints, turn: Ints) -> Numbers:
    """Numbers of the instances of images, each image's counted by turns; no two of a seed share one."""
    number = (image.astype(np.uint64) << np.uint64(20)) | turn.astype(np.uint64)
    return _mix(number ^ mixed(np.array([seed], dtype=np.uint64)))


def delays(numbers: Numbers, deliveries: Ints) -> Ints:
    """Time from the event to its arrival, µs; `deliveries` is 0 for the first delivery, 1 for the second."""
    salt = 2 * deliveries.astype(np.uint64)
    luck, more = uniform(numbers, salt + np.uint64(1)), uniform(numbers, salt + np.uint64(2))
    waited = -np.log1p(-more)
    seconds = np.where(luck < p.late_share, p.late_seconds + p.late_mean_seconds * waited, p.delivery_seconds * waited)
    seconds = np.where(luck < p.day_late_share, 86_400 * (1 + 2 * more), seconds)
    return np.floor(seconds * 1e6).astype(np.int64)


def delivered_twice(numbers: Numbers) -> Ints:
    """Positions of the events that are delivered twice."""
    return np.flatnonzero(uniform(numbers, np.zeros(1, dtype=np.uint64)) < p.duplicate_share)


def start_numbers(instances: Numbers) -> Numbers:
    """Numbers of the starts of instances."""
    return _mix(instances ^ _GOLDEN)


def is_lost(starts: Numbers) -> npt.NDArray[np.bool_]:
    """Whether the start of a process with this number never arrives."""
    return uniform(starts, _LOST) < p.start_lost_share


def mixed(numbers: Numbers) -> Numbers:
    """Other numbers, each of one of the given."""
    return _mix(numbers + _GOLDEN)


def uniform(numbers: Numbers, salt: Numbers) -> Floats:
    """A number from [0, 1) for each event, another one for another salt (0 to 4 are those of delivery)."""
    return (_mix(numbers + salt * _GOLDEN) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(x: Numbers) -> Numbers:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
