"""The evidence of a run: every activity of a program that few hosts use, for `tune` and `review`.

It is a folder beside the run's alerts:

    evidence/activities-NNNNN.parquet  the activities that were judged and that at most so many other hosts showed
    evidence/said-NNNNN.parquet        alerts raised or rolled up before the run (`SAID_SCHEMA`)
    evidence/metadata.json             the detector of the run, and what the evidence reaches; written last

Command lines are no part of it: the script says what a scripting engine runs.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import pyarrow as pa

from uncommon_im.schemas.detector import Detector
from uncommon_im.schemas.metadata import VersionedDocument

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


class EvidenceMetadata(VersionedDocument, frozen=True, tag_field="schema_version", tag=SCHEMA_VERSION):
    """What the evidence of a run says of itself.

    Args:
        detector: the card with the run's limits.
        max_other_hosts: activities that more other hosts showed are not in it.
        days: on which the detector was active for a tenant that delivered, in order.
        run_id: of the run.
    """

    subject = "evidence"
    renewal = "run again with --evidence"

    detector: Detector
    max_other_hosts: int
    days: tuple[date, ...]
    run_id: str
