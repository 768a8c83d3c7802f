"""The ways that read a file of the user's, each to its end; what comes out of them is counted and forgotten."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.fuzzing.checks import settings
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings, read_batches
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.queues.messages import SKIP, Message, blocks_of_messages
from uncommon_im.pipeline.sources.queues.objects import ReadObject
from uncommon_im.pipeline.sources.replay.spool import ArrivalTimes, read_block, spool
from uncommon_im.transforms.rules.activities.scan import Scan
from uncommon_im.transforms.rules.stream.arrivals import Arrivals
from uncommon_im.transforms.rules.stream.lateness import Lateness

_OPTIONS = JsonOptions(policy=SKIP)
_ARRIVAL = 1_772_400_000_000_000


def scan(path: Path) -> Counter[str]:
    """As a worker of the backfill does."""
    found = Scan(settings())
    count: Counter[str] = Counter()
    for reading in plan_readings(InputFile(str(path), path.stat().st_size, ""), _OPTIONS):
        for batch in read_batches(reading, _OPTIONS):
            for letter in found.add(batch):
                count[letter.reason] += bool(json.dumps(letter.row()))
            if found.full:
                count["blocks"] += len(list(found.blocks()))
    count["blocks"] += len(list(found.blocks()))
    return count


def _parsed(blocks: Iterable[bytes]) -> Counter[str]:
    count: Counter[str] = Counter()
    arrivals = Arrivals(settings(), Lateness())
    read = OpenArrivals(_OPTIONS)
    for block in blocks:
        count["blocks"] += 1
        for batch, arrival in read(block):
            for letter in arrivals.read(batch, arrival).dead_letters:
                count[letter.reason] += bool(json.dumps(letter.row()))
    return count


def bucket_object(path: Path) -> Counter[str]:
    """As a stream reads an object of a bucket."""
    return _parsed(ReadObject(str(path), "object", _ARRIVAL).blocks())


def message(path: Path) -> Counter[str]:
    """As a stream reads a message, however large a queue would let it be."""
    data = path.read_bytes() if path.suffix == ".gz" else gzip.compress(path.read_bytes())
    return _parsed(block for block, _ in blocks_of_messages([Message(data, _ARRIVAL, "message")]))


def replay(path: Path) -> Counter[str]:
    """As a replay sorts history."""
    with tempfile.TemporaryDirectory() as folder:
        file = InputFile(str(path), path.stat().st_size, "")
        places = spool([file], _OPTIONS, ArrivalTimes(), Path(folder))
        return _parsed(read_block(folder, place) for place in places)


READERS = {"scan": scan, "object": bucket_object, "message": message, "spool": replay}
