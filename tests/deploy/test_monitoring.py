"""Alert policies and the dashboard: their queries parse, and read metrics that the stream really emits.

What it emits is what a small stream on Beam's in-process engine (`FnApiRunner`) counts.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from google.cloud.monitoring_dashboard_v1 import Dashboard
from google.cloud.monitoring_v3 import AlertPolicy

from tests.deploy.terraform import FOLDER, defaults, local, resources
from tests.oracle import Options
from tests.pipeline.sources.queues.test_notifications import notice, read
from tests.running import configuration_of
from tests.streaming import metrics_in_process
from uncommon_im.schemas.detector import VARIATION_IDS, VERDICT_IDS
from uncommon_im.transforms.rules.columns.days import rfc3339
from uncommon_im.transforms.rules.stream.lateness import Lateness

DEPLOY = FOLDER.parent
TOP = DEPLOY.parent
RUNBOOK = (TOP / "docs" / "operations" / "runbook.md").read_text()
USER_COUNTER = "dataflow_googleapis_com:job_user_counter"
OF_GOOGLE = {
    "dataflow_googleapis_com:job_current_num_vcpus",
    "dataflow_googleapis_com:job_data_watermark_age",
    "dataflow_googleapis_com:job_is_failed",
    "dataflow_googleapis_com:job_streaming_engine_persistent_state_stored_bytes",
    "dataflow_googleapis_com:job_system_lag",
    "pubsub_googleapis_com:subscription_num_undelivered_messages",
    "pubsub_googleapis_com:subscription_oldest_unacked_message_age",
}
"""Of https://cloud.google.com/monitoring/api/metrics_gcp, spelt as PromQL has them."""
HOUR, DAY, NOON = 3_600_000_000, 86_400_000_000, 20_500 * 86_400_000_000 + 12 * 3_600_000_000


def policies() -> dict[str, dict[str, str]]:
    """The policies by key; what their queries refer to is filled in."""
    filled = {f"var.{name}": value for name, value in defaults().items()}
    filled |= {"google_pubsub_subscription.undelivered.name": "uncommon-im-undelivered"}
    filled |= {"local.consumed": "uncommon-im-events|uncommon-im-notifications"}
    filled |= {"var.lateness_seconds + 1200": "1800"}
    for name in ("job", "counter"):
        filled[f"local.{name}"] = _fill(local(name), filled)
    found: dict[str, dict[str, str]] = local("policies")
    return {key: policy | {"query": _fill(policy["query"], filled)} for key, policy in found.items()}


def _fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], text).replace('\\"', '"')


def dashboard() -> dict[str, Any]:
    """The dashboard as it is for a job of that name."""
    text = (DEPLOY / "dashboard.json").read_text().replace("${job}", "uncommon-im")
    assert "${" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def queries_of_dashboard() -> list[str]:
    """Each query of each chart."""
    charts = [tile["widget"]["xyChart"] for tile in dashboard()["mosaicLayout"]["tiles"]]
    return [data["timeSeriesQuery"]["prometheusQuery"] for chart in charts for data in chart["dataSets"]]


def selectors(query: str) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """The series that a query reads: their metric, and by label the operator and the value asked for."""
    stack = [promql_parser.parse(query)]
    while stack:
        node = stack.pop()
        if isinstance(node, promql_parser.VectorSelector):
            matchers = {match.name: (str(match.op), match.value) for match in node.matchers.matchers}
            yield str(node.name), matchers
        inner = (getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector"))
        stack += [each for each in (*inner, *getattr(node, "args", [])) if isinstance(each, promql_parser.Expr)]


QUERIES = [policy["query"] for policy in policies().values()] + queries_of_dashboard()


@cache
def emitted() -> frozenset[str]:
    """Names of counters, and of distributions as Dataflow reports them, that the stream emits.

    What a few records cannot bring about all at once is completed by the code's own lists of verdicts and variations,
    and by the counters that it makes under a name of their own (those of sinks and of Kafka).
    """
    record = {"process_name": "courier", "remote_host": "api.telegram.org", "event_id": "e", "host_id": "h"}
    arrivals = [
        (record | {"event_time": rfc3339(NOON)}, NOON),
        (record | {"event_time": rfc3339(NOON), "host_id": "h2"}, NOON + HOUR),
        (record | {"event_time": rfc3339(NOON + 60_000_000), "event_id": "f"}, NOON + 60_000_000),
        (record | {"event_time": rfc3339(NOON - 3 * DAY), "host_id": "h3"}, NOON),
        (record | {"event_time": rfc3339(NOON), "host_id": "h4"}, NOON - 2 * HOUR),
    ]
    metrics = metrics_in_process(arrivals, configuration_of(Options(activation_days=0)), Lateness(600_000_000, DAY, 30))
    with tempfile.TemporaryDirectory() as folder:
        bucket = Path(folder, "bucket")
        bucket.mkdir()
        (bucket / "a.jsonl").write_text("{}")
        *_, counted = read(bucket, notice("gone.jsonl"), notice("a.jsonl"), notice("a.jsonl", overwroteGeneration="1"))
    metrics |= counted
    names = {name for name, value in metrics.items() if isinstance(value, int)}
    parts = ("MIN", "MAX", "MEAN", "COUNT")
    names |= {f"{name}_{part}" for name, value in metrics.items() if not isinstance(value, int) for part in parts}
    code = "".join(path.read_text() for part in ("pipeline", "transforms") for path in (TOP / part).rglob("*.py"))
    names |= set(re.findall(r'Metrics\.counter\(NAMESPACE, "([\w.]+)"\)', code))
    known = {f"verdicts.{verdict}" for verdict in VERDICT_IDS} | {f"alerts.{variation}" for variation in VARIATION_IDS}
    assert {"verdicts.alert", "alerts.base", "verdicts.too_late"} <= names
    return frozenset(names | known)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_reads_metrics_that_somebody_emits(query: str) -> None:
    found = list(selectors(query))
    assert found
    for metric, labels in found:
        if metric != USER_COUNTER:
            assert metric in OF_GOOGLE
            continue
        operator, asked = labels["metric_name"]
        assert operator in ("MatchOp.Equal", "MatchOp.Re")
        if operator == "MatchOp.Equal":
            assert asked in emitted()
        else:
            assert [name for name in emitted() if re.fullmatch(asked, name)], asked


@pytest.mark.parametrize("query", QUERIES)
def test_each_name_in_an_alternative_of_a_query_is_emitted(query: str) -> None:
    for _, labels in selectors(query):
        operator, asked = labels.get("metric_name", ("", ""))
        if operator == "MatchOp.Re":
            for alternative in alternatives(asked):
                assert [name for name in emitted() if re.fullmatch(alternative, name)], alternative


def alternatives(pattern: str) -> list[str]:
    """A pattern with one group of alternatives, or with alternatives only, as one pattern each."""
    grouped = re.fullmatch(r"(.*)\(([^)]+)\)(.*)", pattern)
    before, listed, after = grouped.groups() if grouped else ("", pattern, "")
    return [before + one + after for one in listed.split("|")]


@pytest.mark.parametrize("wrong", ['sum(x{metric_name="events.seen"}', "max by (x)", "rate(x)"])
def test_a_query_that_is_none_does_not_parse(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        promql_parser.parse(wrong)


def test_a_name_that_the_code_does_not_emit_would_be_found() -> None:
    with pytest.raises(AssertionError):
        test_a_query_reads_metrics_that_somebody_emits(f'sum({USER_COUNTER}{{metric_name="events.seen"}})')
    with pytest.raises(AssertionError):
        test_each_name_in_an_alternative_of_a_query_is_emitted(
            f'sum({USER_COUNTER}{{metric_name=~"events[.](read|seen)"}})'
        )


def test_there_is_a_policy_for_all_that_goes_wrong() -> None:
    assert set(policies()) >= {"freshness", "backlog", "failure", "dead-letters", "alert-flood", "silent-input"}
    assert {policy["severity"] for policy in policies().values()} <= {"CRITICAL", "ERROR", "WARNING"}


def test_every_policy_links_its_section_of_the_runbook_which_says_what_to_look_at_and_what_to_do() -> None:
    (documentation,) = resources("google_monitoring_alert_policy")["this"]["documentation"]
    assert documentation["content"].endswith("${var.runbook}#${each.key}")
    sections = {found[1]: found[2] for found in re.finditer(r"^## ([a-z-]+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.M | re.S)}
    assert list(sections) == list(policies())
    for key, text in sections.items():
        for part in ("**Means**", "**Look at**", "**Do**"):
            assert part in text, f"{key}: {part}"
        assert policies()[key]["title"] in text


def test_silence_is_an_alert_also_where_a_metric_is_not_there_at_all() -> None:
    for key in ("silent-input", "silent-verdicts"):
        assert "or vector(0)) < 1" in policies()[key]["query"]


def test_cloud_monitorings_own_messages_take_the_dashboard_and_the_policies() -> None:
    charts = Dashboard.from_json(json.dumps(dashboard()), ignore_unknown_fields=False).mosaic_layout.tiles
    assert len(charts) > 10
    assert len({(chart.x_pos, chart.y_pos) for chart in charts}) == len(charts), "charts lie on each other"
    for policy in policies().values():
        condition = {"query": policy["query"], "duration": policy["duration"], "evaluationInterval": "60s"}
        text = {"severity": policy["severity"], "conditions": [{"conditionPrometheusQueryLanguage": condition}]}
        AlertPolicy.from_json(json.dumps(text), ignore_unknown_fields=False)


def test_the_dashboard_is_that_of_terraform() -> None:
    assert "${path.module}/../dashboard.json" in resources("google_monitoring_dashboard")["this"]["dashboard_json"]
    assert Path(FOLDER, "../dashboard.json").exists()
