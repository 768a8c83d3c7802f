"""The configuration of a run: options and the files that they name, read and checked before anything runs."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from schemas.catalogue import Catalogue
from schemas.detector import DETECTOR_VERSION, Detector
from schemas.exceptions import ExceptionEntry
from transforms.rules.alert import AlertWriter
from transforms.rules.days import DAY_US, day_number
from transforms.rules.scan import ScanRange
from transforms.scan_events import ScanSettings


@dataclass(frozen=True)
class Configuration:
    """What a run computes; nothing of it names a source or a sink.

    Args:
        detector: the card with this run's limits.
        catalogue: shipped, and the user's services.
        exceptions: the user's.
        tenant: of records that name none.
        operator_ranges: match ranges that carry the owner's other products too.
        start: first day that is judged; earlier days only train. `None`: every day is judged.
        end: first day that is out of range. `None`: none is.
        verdicts: write a row for each verdict.
        shards: into how many shards of hosts and of subjects the work is cut.
        run_id: names the run in its alerts.
    """

    detector: Detector
    catalogue: Catalogue
    exceptions: tuple[ExceptionEntry, ...] = ()
    tenant: str = "default"
    operator_ranges: bool = False
    start: date | None = None
    end: date | None = None
    verdicts: bool = False
    shards: int = 8
    run_id: str = "run"

    @property
    def range(self) -> ScanRange:
        """The days that count, in µs."""
        return ScanRange(_micros(self.start), _micros(self.end))

    @property
    def digest(self) -> str:
        """First 32 hex digits of a sha256 over limits, catalogue and what else decides who is who."""
        identity = {
            "version": DETECTOR_VERSION,
            "detector": self.detector.id,
            "limits": asdict(self.detector.limits),
            "catalogue": self.catalogue.digest,
            "operator_ranges": self.operator_ranges,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def scan(self) -> ScanSettings:
        """What a scan looks for."""
        return ScanSettings(
            catalogue=self.catalogue,
            operator_ranges=self.operator_ranges,
            exceptions=self.exceptions,
            tenant=self.tenant,
            range=self.range,
            shards=self.shards,
            hosts_kept=self.detector.limits.hosts_kept,
        )

    @property
    def writer(self) -> AlertWriter:
        """Writes the run's alerts."""
        return AlertWriter(self.detector, self.catalogue, self.run_id, self.digest)


def new_run_id() -> str:
    """A name for a run: when it was started, and a few random digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _micros(day: date | None) -> int | None:
    return None if day is None else day_number(day) * DAY_US
