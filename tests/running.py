"""Running the backfill in tests: on Beam's in-process engine (`FnApiRunner`), over files in a temporary folder."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from tests.oracle import Options
from uncommon_im.pipeline import backfill
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.options.beam import beam_options
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.matching import match_files
from uncommon_im.pipeline.sources.inputs import Input
from uncommon_im.schemas.catalogue import Catalogue, load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.dispositions import parse_dispositions
from uncommon_im.schemas.event import EVENT_COLUMNS, EVENT_SCHEMA
from uncommon_im.schemas.exceptions import parse_exceptions
from uncommon_im.transforms.rules.columns.coerce import coerce_values

Record = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What a run wrote."""

    alerts: list[Record]
    verdicts: list[Record]
    dead_letters: list[Record]
    summary: Record

    @property
    def facts(self) -> Counter[str]:
        """Alerts without what differs from run to run: what "same alerts" compares (activity, run_id, late)."""
        return Counter(
            json.dumps({k: v for k, v in alert.items() if k not in ("activity", "run_id", "late")}, sort_keys=True)
            for alert in self.alerts
        )

    @property
    def verdict_rows(self) -> Counter[str]:
        """Verdict rows, comparable."""
        return Counter(json.dumps(row, sort_keys=True) for row in self.verdicts)


def run_backfill(
    patterns: Sequence[str],
    configuration: Configuration,
    format: str = "auto",
    workers: int = 1,
    engine: PipelineOptions | None = None,
) -> Found:
    """A backfill over files, in this process (`FnApiRunner`) unless Beam's options name another engine.

    With more workers than one it is scanned by processes of their own.
    """
    return run_inputs(match_files(list(patterns)), configuration, format, workers, engine)


def run_inputs(
    inputs: Sequence[Input],
    configuration: Configuration,
    format: str = "auto",
    workers: int = 1,
    engine: PipelineOptions | None = None,
) -> Found:
    """A backfill over files and tables, as `run_backfill`."""
    with tempfile.TemporaryDirectory() as output:
        return run_into(output, inputs, configuration, format, workers, engine)


def run_into(
    output: str,
    inputs: Sequence[Input],
    configuration: Configuration,
    format: str = "auto",
    workers: int = 1,
    engine: PipelineOptions | None = None,
) -> Found:
    """A backfill over files and tables, as `run_backfill`, that leaves its files in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        local = backfill.LocalScan(workers, folder) if workers > 1 else None
        with (
            backfill.claimed(output, configuration),
            beam.Pipeline(options=engine or beam_options([])) as pipeline,
        ):
            scanned = backfill.scan(pipeline, inputs, JsonOptions(format), configuration, local)
            backfill.write(backfill.detect(scanned, configuration), Sinks(output), configuration)
    return Found(
        alerts=read_rows(output, "alerts"),
        verdicts=read_rows(output, "verdicts"),
        dead_letters=read_rows(output, "dead_letter"),
        summary=json.loads(Path(output, "summary.json").read_text()),
    )


def run_records(records: Iterable[Record], configuration: Configuration) -> Found:
    """A backfill over native records in one file of JSON lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        write_lines(path, records)
        return run_backfill([str(path)], configuration)


def read_rows(output: str, name: str) -> list[Record]:
    """The JSON rows of one of a run's folders."""
    paths = sorted(Path(output, name).glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """Records as JSON lines, compressed if the name ends in .gz."""
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def arrow_of(records: Sequence[Record]) -> pa.Table:
    """Records as rows of native columns; a time that is no time becomes one before 2000."""
    arrays = [coerce_values(name, [record.get(name) for record in records])[0] for name in EVENT_COLUMNS]
    return pa.table(arrays, schema=EVENT_SCHEMA)


def write_parquet(path: Path, records: Sequence[Record], row_group_size: int = 1000) -> None:
    """Records as native Parquet."""
    pq.write_table(arrow_of(records), path, row_group_size=row_group_size)


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once."""
    return load_catalogue()


def configuration_of(options: Options, **changes: Any) -> Configuration:
    """The pipeline's configuration for the oracle's options."""
    limits = {
        name: getattr(options, name)
        for name in (
            "training_days",
            "activation_days",
            "guard_days",
            "max_other_hosts",
            "max_host_days",
            "execution_max_other_hosts",
            "execution_max_host_days",
            "deduplication_hours",
            "max_alerts_per_group",
        )
    }
    decided = parse_dispositions([dict(entry) for entry in options.dispositions], "dispositions")
    settings: dict[str, Any] = {
        "detector": load_detector(None, **limits, process_lookback=options.process_lookback_days),
        "catalogue": catalogue(),
        "exceptions": (
            *parse_exceptions([dict(entry) for entry in options.exceptions], "exceptions"),
            *decided.benign,
        ),
        "malicious": decided.malicious,
        "tenant": options.tenant,
        "operator_ranges": options.operator_ranges,
        "time_zone": options.time_zone,
        "start": options.start,
        "end": options.end,
        "verdicts": True,
        "shards": 3,
    }
    return Configuration(**(settings | changes))
