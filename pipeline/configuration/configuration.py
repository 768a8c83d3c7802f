"""The configuration of a run: what it computes, whatever it reads and writes."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import structs

from uncommon_im.pipeline.baselines.read_snapshot import Snapshot
from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.detector import DETECTOR_VERSION, Detector, Limits
from uncommon_im.schemas.dispositions import digest_of
from uncommon_im.schemas.evidence import EvidenceMetadata
from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.schemas.learned import StreamMetadata
from uncommon_im.schemas.snapshot import Metadata
from uncommon_im.transforms.rules.activities.host_names import NO_NAMES, HostNames
from uncommon_im.transforms.rules.activities.scan import ScanRange, ScanSettings
from uncommon_im.transforms.rules.alerts.alert import AlertWriter
from uncommon_im.transforms.rules.alerts.formats import NATIVE
from uncommon_im.transforms.rules.columns.days import DAY_US, day_number
from uncommon_im.transforms.rules.columns.local_time import UTC_ZONE
from uncommon_im.transforms.rules.verdicts.judgement import JudgeSettings

IDENTITY_RULES: Final = 1
"""Version of the code that decides what a subject is (folding, fingerprints): a snapshot of another one is refused."""


@dataclass(frozen=True)
class Configuration:
    """What a run computes; nothing of it names a source or a sink.

    Args:
        detector: the card with this run's limits.
        catalogue: shipped, and the user's services.
        exceptions: the user's, and what analysts called benign.
        malicious: what analysts called so: it is no sighting.
        tenant: of records that name none.
        operator_ranges: match ranges that carry the owner's other products too.
        time_zone: in which hours of the day are counted, by its IANA name.
        start: first day that is judged; earlier days only train. `None`: every day is judged.
        end: first day that is out of range. `None`: none is.
        verdicts: write a row for each verdict.
        evidence: write activities that at most so many other hosts showed. `None`: none.
        shards: into how many shards of hosts and of subjects the work is cut.
        run_id: names the run in its alerts.
        baseline: the snapshot that the run starts from.
        baseline_out: directory of the snapshot that the run leaves, taken at `end`.
        learning_since: services that were new or changed on a day and still learn.
        redact: mask secrets in what is written.
        alert_format: one of `ALERT_FORMATS`, of alerts in files and messages.
        host_names: of hosts whose events do not tell their names, for alerts and evidence.
    """

    detector: Detector
    catalogue: Catalogue
    exceptions: tuple[ExceptionEntry, ...] = ()
    malicious: tuple[ExceptionEntry, ...] = ()
    tenant: str = "default"
    operator_ranges: bool = False
    time_zone: str = UTC_ZONE
    start: date | None = None
    end: date | None = None
    verdicts: bool = False
    evidence: int | None = None
    shards: int = 8
    run_id: str = "run"
    baseline: Snapshot | None = None
    baseline_out: str | None = None
    learning_since: Mapping[str, date] = field(default_factory=dict)
    redact: bool = True
    alert_format: str = NATIVE
    host_names: HostNames = NO_NAMES

    @property
    def counting_limits(self) -> Limits:
        """The detector's limits with `max_other_hosts` raised to what --evidence needs, of executions too."""
        limits, reach = self.detector.limits, self.evidence or 0
        return structs.replace(
            limits,
            max_other_hosts=max(limits.max_other_hosts, reach),
            execution_max_other_hosts=max(limits.execution_max_other_hosts, reach),
        )

    @property
    def range(self) -> ScanRange:
        """The days that count, in µs."""
        return ScanRange(_micros(self.start), _micros(self.end))

    @property
    def days_before(self) -> int:
        """Days before `start` that a run reads to train on: none if a snapshot knows them."""
        return 0 if self.baseline else self.detector.limits.training_days

    @property
    def needed(self) -> ScanRange:
        """The days that a run reads, in µs: those that count, and those before them that only train."""
        first = None if self.start is None else self.start - timedelta(days=self.days_before)
        return ScanRange(_micros(first), _micros(self.end))

    @property
    def input_days(self) -> tuple[date, date] | None:
        """The first day that a run reads, and the day after the last; `None`: the range is open."""
        if self.start is None or self.end is None:
            return None
        return self.start - timedelta(days=self.days_before), self.end

    @property
    def judged_days(self) -> tuple[int, int]:
        """Day numbers of the first judged day and of the day after the last; open ends are far away."""
        return day_number(self.start or date.min), day_number(self.end or date.max)

    @property
    def digest(self) -> str:
        """First 32 hex digits of a sha256 over limits, catalogue and what else decides who is who."""
        identity = {
            "version": DETECTOR_VERSION,
            "detector": self.detector.id,
            "limits": structs.asdict(self.detector.limits),
            "priority": [structs.asdict(part) for part in self.detector.priority],
            "catalogue": self.catalogue.digest,
            "operator_ranges": self.operator_ranges,
            "time_zone": self.time_zone,
            "identity_rules": IDENTITY_RULES,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def scan(self) -> ScanSettings:
        """What a scan looks for."""
        return ScanSettings(
            catalogue=self.catalogue,
            operator_ranges=self.operator_ranges,
            exceptions=self.exceptions,
            malicious=self.malicious,
            tenant=self.tenant,
            range=self.range,
            shards=self.shards,
            hosts_kept=self.counting_limits.hosts_kept,
            process_lookback=self.detector.limits.process_lookback * DAY_US,
            time_zone=self.time_zone,
        )

    @property
    def judge(self) -> JudgeSettings:
        """How activities are judged."""
        as_of = str(self.baseline.metadata.as_of) if self.baseline else None
        return JudgeSettings(
            writer=AlertWriter(
                self.detector, self.catalogue, self.run_id, self.digest, as_of, self.time_zone, self.host_names
            ),
            start=self.range.start,
            with_rows=self.verdicts,
            learning_since={service: day_number(day) for service, day in self.learning_since.items()},
            as_of=self.snapshot_day,
            evidence=None if self.evidence is None else self.counting_limits,
        )

    @property
    def snapshot_day(self) -> int | None:
        """The day number at which the run leaves a snapshot."""
        return day_number(self.end) if self.baseline_out and self.end else None

    @property
    def left_out(self) -> dict[str, date | None]:
        """Digest of a malicious disposition -> the first day from which on what it matches was no sighting.

        `None`: on all days. A snapshot that the run starts from may have learned of days before.
        """
        before = self.baseline.metadata.left_out if self.baseline else {}
        since = self.start if self.baseline else None
        return {digest: before.get(digest, since) for digest in map(digest_of, self.malicious)}

    @property
    def identity_digest(self) -> str:
        """Of everything but services that decides what a subject is."""
        parts = [IDENTITY_RULES, self.catalogue.identity_digest, self.operator_ranges, self.time_zone]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def snapshot_metadata(self) -> Metadata:
        """What the run's snapshot says of itself, but for what is counted while it is written."""
        if self.end is None:
            raise ValueError("a snapshot is taken at `end`")
        oldest = self.end - timedelta(days=self.detector.limits.training_days)
        return Metadata(
            as_of=self.end,
            limits=self.counting_limits,
            time_zone=self.time_zone,
            identity_digest=self.identity_digest,
            service_digests=self.catalogue.service_digests,
            learning_since={service: day for service, day in self.learning_since.items() if day > oldest},
            tenants=[],
            rows={},
            files={},
            run_id=self.run_id,
            left_out=self.left_out,
        )

    @property
    def evidence_metadata(self) -> EvidenceMetadata:
        """What the run's evidence says of itself, but for its days."""
        return EvidenceMetadata(self.detector, self.counting_limits.max_other_hosts, (), self.run_id)

    @property
    def stream_metadata(self) -> StreamMetadata:
        """What a stream of this configuration says of itself beside what it learns."""
        return StreamMetadata(
            limits=self.detector.limits,
            time_zone=self.time_zone,
            identity_digest=self.identity_digest,
            service_digests=self.catalogue.service_digests,
            learning_since=dict(self.learning_since),
            started_from=self.baseline.metadata.as_of if self.baseline else None,
            keeps_starts=True,
            left_out=self.left_out,
        )


def new_run_id() -> str:
    """A name for a run: when it was started, and a few random digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _micros(day: date | None) -> int | None:
    return None if day is None else day_number(day) * DAY_US
