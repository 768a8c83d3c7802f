"""The same graph written the usual way, one element an event: what Beam's own documentation leads to.

`python -m tests.benchmarks.usual --input 'DIR/*.parquet' --output FILE.jsonl`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsDict
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.benchmarks import usual_events as events
from tests.benchmarks import usual_verdicts as verdicts


def detect(records: beam.PCollection[dict[str, Any]]) -> beam.PCollection[dict[str, Any]]:
    """Records as dictionaries -> alerts."""
    valid = records | "Normalise" >> beam.Map(events.normalise) | "Valid" >> beam.Filter(events.is_event)
    coverage = (
        valid
        | "CoveredDay" >> beam.Map(events.covered_day)
        | "CoveredDays" >> beam.Distinct()
        | "CoverageByTenant" >> beam.GroupByKey()
    )
    executions = valid | "Executions" >> beam.FlatMap(events.executions) | "ExecutionSightings" >> beam.Distinct()
    communications = valid | "Communications" >> beam.FlatMap(events.communications)
    sightings = communications | "Sighting" >> beam.Map(events.sighting) | "Sightings" >> beam.Distinct()
    activities = (
        communications
        | "ByActivity" >> beam.WithKeys(events.activity_key)
        | "FirstEvent" >> beam.CombinePerKey(verdicts.first_event)
        | "Activities" >> beam.Values()
        | "BySubject" >> beam.Map(lambda activity: ((activity["tenant"], activity["subject"]), activity))
    )
    rare = (
        {"sightings": sightings, "activities": activities}
        | "JoinSightings" >> beam.CoGroupByKey()
        | "Rare" >> beam.FlatMap(verdicts.rare_activities, AsDict(coverage))
        | "ByExecution" >> beam.Map(verdicts.by_execution)
    )
    return (
        {"sightings": executions, "activities": rare}
        | "JoinExecutions" >> beam.CoGroupByKey()
        | "Variation" >> beam.FlatMap(verdicts.with_variation)
        | "ByProgram" >> beam.WithKeys(verdicts.deduplication_key)
        | "GroupRepeats" >> beam.GroupByKey()
        | "Deduplicate" >> beam.FlatMap(verdicts.not_repeated)
        | "ByGroup" >> beam.WithKeys(verdicts.group_key)
        | "GroupFloods" >> beam.GroupByKey()
        | "ControlFloods" >> beam.FlatMap(verdicts.alerts)
    )


def run(files: str, output: Path) -> None:
    """Reads files, writes the alerts as JSON lines."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with beam.Pipeline(FnApiRunner()) as pipeline:
        records = pipeline | "Read" >> beam.io.ReadFromParquet(files)
        lines = detect(records) | "ToJson" >> beam.Map(json.dumps)
        _ = lines | "Write" >> beam.io.WriteToText(str(output), shard_name_template="", num_shards=1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", required=True, help="glob of Parquet files")
    parser.add_argument("--output", type=Path, required=True, help="file for the alerts, one JSON object a line")
    given = parser.parse_args()
    run(given.input, given.output)


if __name__ == "__main__":
    main()
