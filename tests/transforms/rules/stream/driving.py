"""Organisations through the stream's rules without an engine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.oracle.events import DeadLetterError, normalise
from tests.oracle.stream import Arrival, Waiting
from tests.organisations import Organisation
from tests.running import Record
from tests.transforms.rules.records import Batch
from tests.transforms.rules.stream.engine import Engine
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.local.replay_in_process import steps_of
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.transforms.rules.columns.coerce import coerce_values
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.stream.arrivals import Arrivals, BlockContent
from uncommon_im.transforms.rules.stream.lateness import Lateness
from uncommon_im.transforms.rules.stream.messages import Covered

SECOND_US = 1_000_000
BATCH = 40


@dataclass
class Driven:
    """What came of it."""

    engine: Engine
    counts: Tally
    dead: Counter[str]
    covered: list[Covered]


def on_time(organisation: Organisation, seed: int, allowed: int, times: int = 1) -> list[Arrival]:
    """Each record 1 to `times` times, arriving within the allowed lateness (µs), some on the last moment."""
    chooser = random.Random(seed)
    tenant = organisation.options.tenant
    arrivals = []
    for record in organisation.records:
        for _ in range(chooser.randint(1, times)):
            delay = chooser.choice((0, allowed, chooser.randint(0, allowed)))
            arrivals.append((record, time_of(record, tenant) + delay))
    return arrivals


def time_of(record: Record, tenant: str) -> int:
    """The event time of a record (µs); of one that has none some time."""
    try:
        return normalise(record, tenant).time
    except DeadLetterError:
        return 1_772_323_200 * SECOND_US


def engine_of(configuration: Configuration, lateness: Lateness, seed: int) -> Engine:
    """An engine with the steps of a configuration."""
    steps = vars(steps_of(configuration, lateness))
    return Engine(steps, Arrivals(configuration.scan, lateness).complete, seed)


def drive(
    arrivals: Sequence[Arrival],
    configuration: Configuration,
    lateness: Lateness,
    seed: int = 0,
    engine: Engine | None = None,
    batch: int = BATCH,
) -> Driven:
    """Arrivals through the rules, in blocks in the order of their arrival, under a random engine."""
    engine = engine or engine_of(configuration, lateness, seed)
    reader = Arrivals(configuration.scan, lateness)
    ordered = sorted(arrivals, key=lambda arrival: arrival[1])
    driven = Driven(engine, Tally(), Counter(), [])
    chooser = random.Random(seed)

    def feed(block: Sequence[Arrival], following: int) -> Callable[[Engine], None]:
        def give_block(engine: Engine) -> None:
            arrived = read_arrivals([record for record, _ in block], [at for _, at in block], reader)
            driven.counts.update(arrived.counts)
            driven.dead.update(letter.reason for letter in arrived.dead_letters)
            driven.covered += arrived.covered
            give(engine, arrived)
            engine.source = max(engine.source, following // 1000)

        return give_block

    steps = []
    place = 0
    while place < len(ordered):
        size = chooser.randint(1, batch)
        block = ordered[place : place + size]
        place += size
        steps.append(feed(block, ordered[place][1] if place < len(ordered) else block[-1][1]))
    engine.run(steps, laziness=chooser.choice((0.0, 0.5, 0.95)))
    driven.counts.update(engine.counted)
    return driven


def read_arrivals(records: Sequence[Record], times: Sequence[int], reader: Arrivals) -> BlockContent:
    """Records that arrived at given times (µs), as the parsing step has them."""
    return reader.read(batch_of(records), np.array(times, np.int64))


def give(engine: Engine, arrived: BlockContent) -> None:
    """Puts what arrived on its way."""
    for found in arrived.hosts:
        engine.give("hosts", found.key, found.records, found.instant)
    for instance in arrived.instances:
        engine.give("instances", instance.key, instance.message, instance.instant)
        if instance.to == "starts":
            engine.starts.append((instance.key, instance.message))
    for covered in arrived.covered:
        engine.give("baselines", covered.key, covered.sighting, covered.instant)
    for seen in arrived.hours:
        engine.sightings.append(seen.sighting)
        engine.give("baselines", seen.key, seen.sighting, seen.instant)


def batch_of(records: Sequence[Any]) -> Batch:
    """Native records as a batch, as JSON lines would give them."""
    columns, problems = {}, {}
    for name in EVENT_COLUMNS:
        values = [record.get(name) for record in records]
        if any(value is not None for value in values):
            columns[name], found = coerce_values(name, values)
            problems = found | problems
    return Batch(columns, len(records), problems)


def with_late_ones(organisation: Organisation, chooser: random.Random, waiting: Waiting) -> list[Arrival]:
    """Each record once or twice; half of them within the allowed lateness, others on and beyond every border."""
    lateness, horizon, hour = waiting.lateness, waiting.horizon, 3600 * SECOND_US
    arrivals = []
    for record in organisation.records:
        for _ in range(chooser.choice((1, 1, 2))):
            on_time = (0, lateness, chooser.randint(0, lateness))
            late = (lateness + 1, lateness + 1000, chooser.randint(lateness, lateness + 3 * hour), horizon)
            too_late = (horizon + 1, chooser.randint(horizon, 3 * horizon), chooser.randint(horizon, 40 * 24 * hour))
            ahead = (-hour - 1, -hour, 1 - hour)
            delays = chooser.choice((on_time, on_time, on_time, late, late, too_late))
            delay = chooser.choice(ahead) if chooser.random() < 0.02 else chooser.choice(delays)
            arrivals.append((record, time_of(record, organisation.options.tenant) + delay))
    return arrivals
