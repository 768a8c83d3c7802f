"""The evidence of a run: every activity of a program that few hosts use, for `tune` and `review`.

It is a folder beside the run's alerts:

    evidence/activities-NNNNN.parquet  the activities that were judged and that at most so many other hosts showed
    evidence/said-NNNNN.parquet        what deduplication had let through before the run (`SAID_SCHEMA`)
    evidence/metadata.json             the detector of the run, and what the evidence reaches; written last

Command lines are no part of it: the script says what a scripting engine runs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa

from uncommon_im.schemas.detector import Detector, Limits, Variation
from uncommon_im.schemas.documents import ConfigurationError, require

SCHEMA_VERSION: Final = 1
FOLDER: Final = "evidence"
METADATA: Final = "metadata.json"
MAX_OTHER_HOSTS: Final = 10
"""How far evidence reaches unless another number is asked for."""

RARE_ACTIVITY_SCHEMA: Final = pa.schema(
    [
        ("tenant", pa.string()),
        ("host", pa.string()),
        ("program", pa.string()),
        ("origin", pa.string()),
        ("script", pa.string()),
        ("reduced_script", pa.string()),
        ("service", pa.string()),
        ("reasons", pa.string()),  # of suspicion; joined by commas, sorted
        ("excepted", pa.bool_()),
        ("hour", pa.int64()),  # hours since 1970
        ("event_time", pa.int64()),  # µs since 1970, of the first event
        ("event_id", pa.string()),
        ("other_hosts", pa.int64()),  # of the communication; exact, without the guard days if there is a reason
        ("host_days", pa.int64()),
        ("active_days", pa.int64()),
        ("first_day", pa.int64()),  # days since 1970; -1: no day of the window
        ("last_day", pa.int64()),
        ("execution_other_hosts", pa.int64()),  # null: no execution; one more than the evidence reaches: more
        ("execution_host_days", pa.int64()),
        ("known_as", pa.string()),  # `own_client` of the service, `browser`; null: neither
        ("host_name", pa.string()),
        ("os", pa.string()),
        ("user_name", pa.string()),
        ("process_path", pa.string()),
        ("process_signature_status", pa.string()),
        ("process_signer", pa.string()),
        ("parent_process_name", pa.string()),
        ("remote_host", pa.string()),
    ]
)
"""One row: an activity, the prevalence of its subjects, and what of its first event helps to recognise it."""


@dataclass(frozen=True)
class EvidenceMetadata:
    """What the evidence of a run says of itself.

    Args:
        detector: the card with the run's limits.
        max_other_hosts: activities that more other hosts showed are not in it.
        days: on which the detector was active for a tenant that delivered, in order.
        run_id: of the run.
    """

    detector: Detector
    max_other_hosts: int
    days: tuple[date, ...]
    run_id: str

    def to_json(self) -> str:
        """The text of `metadata.json`."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)}, indent=2, default=str) + "\n"


def parse_metadata(text: str, path: str) -> EvidenceMetadata:
    """The metadata in the file at `path`.

    Raises:
        ConfigurationError: it is none, or of another version.
    """
    try:
        document: dict[str, Any] = json.loads(text)
        version = document.pop("schema_version")
        require(
            version == SCHEMA_VERSION,
            f"{path}: evidence of version {version}, this program reads {SCHEMA_VERSION}: run again with --evidence",
        )
        card = document.pop("detector")
        limits = Limits(**card.pop("limits"))
        variations = tuple(Variation(**variation) for variation in card.pop("variations"))
        return EvidenceMetadata(
            detector=Detector(**card, limits=limits, variations=variations),
            days=tuple(map(date.fromisoformat, document.pop("days"))),
            **document,
        )
    except ConfigurationError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path}: no metadata of evidence: {error}") from None
