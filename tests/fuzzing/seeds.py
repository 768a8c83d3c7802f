"""Makes the first inputs of the kept corpus: `python -m tests.fuzzing.seeds`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzzing.container_mutation import CONTAINERS
from tests.fuzzing.mutators import MUTATORS
from tests.fuzzing.run import CORPUS
from tests.fuzzing.targets import TARGETS
from tests.fuzzing.vocabulary import ODD

_SEEDS: Final = {"parquet": 16, **dict.fromkeys(CONTAINERS, 4), "event_log": 1}
_OTHERWISE: Final = 12


def seeds(target: str) -> list[bytes]:
    """The same inputs for a target each time: random ones, and for lines every odd value once."""
    made = [MUTATORS[target].seed(Random(number)) for number in range(_SEEDS.get(target, _OTHERWISE))]
    if target == "native":
        made += [b"".join(_odd_line(name, value) for value in ODD) for name in ("host_id", "event_time", "remote_host")]
    return made


def save(target: str, data: bytes, folder: Path = CORPUS) -> Path:
    """Keeps an input under the name that the fuzzer would give it."""
    path = folder / target / hashlib.sha1(data, usedforsecurity=False).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _odd_line(name: str, value: str) -> bytes:
    return (
        f'{{"event_time":1772359200000,"host_id":"h","process_name":"a","remote_ip":"::1","{name}":{value}}}\n'.encode()
    )


if __name__ == "__main__":
    for target in TARGETS:
        for data in seeds(target):
            save(target, data)
