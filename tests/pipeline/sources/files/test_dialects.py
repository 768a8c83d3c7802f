"""The same organisations as native Parquet, native JSON lines and Cortex XDR in all dialects: the same alerts."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import pytest

from tests.dialects import portable_organisation, write_xdr
from tests.organisations import Organisation
from tests.running import Found, configuration_of, run_backfill, write_lines, write_parquet

CASES = [(seed, False) for seed in (0, 3, 9)] + [(1, True)]


def split(folder: Path, records: Sequence[dict[str, Any]], rng: random.Random) -> str:
    """Records in files of lines, some compressed; the pattern that matches these."""
    parts: list[list[dict[str, Any]]] = [[] for _ in range(rng.randint(2, 5))]
    for record in records:
        rng.choice(parts).append(record)
    folder.mkdir()
    for number, part in enumerate(parts):
        write_lines(folder / f"part-{number}.{('jsonl', 'json.gz', 'ndjson')[number % 3]}", part)
    return f"{folder}/part-*"


def run(pattern: str, organisation: Organisation, format: str = "auto") -> Found:
    return run_backfill([pattern], configuration_of(organisation.options), format)


def alerts(found: Found) -> Counter[str]:
    """Alerts with every field but the run's id."""
    return Counter(
        json.dumps({name: value for name, value in alert.items() if name != "run_id"}, sort_keys=True)
        for alert in found.alerts
    )


def assert_same(found: Found, expected: Found, story: str, decoys: int = 0) -> None:
    """The same alerts, verdicts and counts, but for decoys, and for XDR's connections without a process."""
    assert alerts(found) == alerts(expected), story
    assert found.verdict_rows == expected.verdict_rows
    ours, theirs = dict(found.summary), dict(expected.summary)
    ours_events, events = ours.pop("events"), theirs.pop("events")
    assert ours == theirs
    assert ours_events["read"] - decoys == events["read"]
    assert {name: ours_events[name] for name in ("valid", "out_of_range")} == {
        name: events[name] for name in ("valid", "out_of_range")
    }
    assert dead(ours_events, decoys) == dead(events)


def dead(events: dict[str, Any], decoys: int = 0) -> Counter[str]:
    """Dead letters by reason; a connection of nobody is a firewall's to XDR."""
    counts = Counter(events["dead_letter"])
    counts["not_endpoint"] += counts.pop("missing_field:process_name", 0) - decoys
    return +counts


@pytest.mark.parametrize(("seed", "other_tenant"), CASES)
def test_native_parquet_native_lines_and_xdr_of_all_dialects_give_the_same_alerts(
    seed: int, other_tenant: bool, tmp_path: Path
) -> None:
    organisation = portable_organisation(seed, other_tenant)
    rng = random.Random(seed)
    write_parquet(tmp_path / "events.parquet", organisation.records)
    expected = run(f"{tmp_path}/events.parquet", organisation)
    assert_same(run(split(tmp_path / "lines", organisation.records, rng), organisation), expected, organisation.story)
    written = write_xdr(organisation.records, seed)
    found = run(split(tmp_path / "xdr", written.records, rng), organisation, "xdr")
    assert_same(found, expected, organisation.story, written.decoys)
    # Native lines and XDR's in the same files, told apart line by line.
    as_xdr = [rng.random() < 0.7 for _ in organisation.records]
    written = write_xdr(list(compress(organisation.records, as_xdr)), f"mixed {seed}")
    lines = written.records + [record for record, no in zip(organisation.records, as_xdr, strict=True) if not no]
    rng.shuffle(lines)
    found = run(split(tmp_path / "mixed", lines, rng), organisation, "auto")
    assert_same(found, expected, organisation.story, written.decoys)
