"""A baseline snapshot of what a stream learned, to restart it from, or to go on from with a backfill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import apache_beam as beam

from uncommon_im.pipeline.baselines.read_learned import Learned, read_learned
from uncommon_im.pipeline.baselines.read_snapshot import Snapshot, read_snapshot
from uncommon_im.pipeline.baselines.write_snapshot import WriteSnapshot
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.snapshot import Metadata
from uncommon_im.transforms.batch.add_up import add_up
from uncommon_im.transforms.batch.keep_starts import KeepStarts
from uncommon_im.transforms.batch.measure_prevalence import MeasurePrevalence
from uncommon_im.transforms.batch.pack_history import PackHistory
from uncommon_im.transforms.rules.columns.days import day_number


@dataclass(frozen=True)
class SnapshotPlan:
    """What a snapshot is taken of.

    Args:
        learned: what the stream learned.
        baseline: the snapshot before; `None`: what the stream learned is all there is.
        as_of: the day boundary.
        path: its directory.
        run_id: names it.
        shards: files per table.
    """

    learned: Learned
    baseline: Snapshot | None
    as_of: date
    path: str
    run_id: str
    shards: int = 8

    @property
    def metadata(self) -> Metadata:
        """What the snapshot says of itself, but for what is counted while it is written."""
        stream = self.learned.metadata
        oldest = self.as_of - timedelta(days=stream.limits.training_days)
        return Metadata(
            as_of=self.as_of,
            limits=stream.limits,
            time_zone=stream.time_zone,
            identity_digest=stream.identity_digest,
            service_digests=stream.service_digests,
            learning_since={service: day for service, day in stream.learning_since.items() if day > oldest},
            tenants=[],
            rows={},
            files={},
            run_id=self.run_id,
            left_out=stream.left_out,
        )


def take_snapshot(pipeline: beam.Pipeline, plan: SnapshotPlan) -> beam.PCollection[str]:
    """Merges what a stream learned, and the snapshot before, into a snapshot; yields its path."""
    limits, as_of = plan.learned.metadata.limits, day_number(plan.as_of)
    learned = pipeline | "ReadLearned" >> read_learned(plan.learned, plan.as_of, plan.shards)
    earlier = pipeline | "ReadSnapshot" >> read_snapshot(plan.baseline, plan.shards)
    coverage = (
        (learned.coverage, earlier.coverage)
        | "AllCoverage" >> beam.Flatten()
        | "LearnCoverage" >> beam.CombineGlobally(add_up)
    )
    questions = pipeline | "NoQuestions" >> beam.Create([], reshuffle=False).with_output_types(tuple[int, bytes])
    measured = {
        "sightings": (learned.sightings, earlier.sightings) | "AllSightings" >> beam.Flatten(),
        "questions": questions,
    } | "MeasurePrevalence" >> MeasurePrevalence(limits, as_of)
    packed = {
        "own_sightings": (learned.own_sightings, earlier.own_sightings) | "AllOwnSightings" >> beam.Flatten(),
        "said": (learned.said, earlier.said) | "AllSaid" >> beam.Flatten(),
    } | "PackHistory" >> PackHistory(as_of, limits)
    history = {
        "sightings": measured.sightings,
        "host_sightings": packed.host_sightings,
        "said": packed.said,
        "instances": (learned.starts, earlier.starts)
        | "AllStarts" >> beam.Flatten()
        | "KeepStarts" >> KeepStarts(load_catalogue(), as_of, limits.process_lookback, plan.shards),
        "coverage": coverage,
    }
    return history | "WriteSnapshot" >> WriteSnapshot(plan.path, plan.metadata, [])
