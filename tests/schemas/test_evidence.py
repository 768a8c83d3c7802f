"""The metadata of evidence."""

from __future__ import annotations

import json
from datetime import date

import pytest

from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.documents import ConfigurationError
from uncommon_im.schemas.evidence import EvidenceMetadata

METADATA = EvidenceMetadata(load_detector(max_other_hosts=1), 10, (date(2026, 3, 1), date(2026, 3, 2)), "run")


def test_what_is_written_is_read() -> None:
    assert EvidenceMetadata.parse(METADATA.to_json(), "m") == METADATA


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "m: evidence of version 2, this program reads 1: run again with --evidence"),
        ({"detector": {}}, "m: no metadata of evidence: "),
        ({"days": ["today"]}, "m: no metadata of evidence: "),
        ({"more": 1}, "m: no metadata of evidence: "),
    ],
)
def test_what_is_none_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        EvidenceMetadata.parse(json.dumps(json.loads(METADATA.to_json()) | change), "m")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_what_is_no_object_with_a_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="m: no metadata of evidence"):
        EvidenceMetadata.parse(text, "m")
