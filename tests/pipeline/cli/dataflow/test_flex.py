"""Flex Templates: metadata that is the options of the code, and the command line that parameters become. No engine."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from google.cloud.dataflow_v1beta3 import TemplateMetadata

from tests import ROOT
from uncommon_im.pipeline.cli.dataflow.launch import arguments_of, run
from uncommon_im.pipeline.cli.dataflow.metadata import TEMPLATES, metadata_of, options_of, text_of
from uncommon_im.pipeline.cli.main import parser

COMMITTED = ROOT / "deploy" / "dataflow"
SUBSCRIPTION = "projects/project-1/subscriptions/events"
STREAM = ("--command=stream", f"--pubsub_subscription={SUBSCRIPTION}")
OF_THE_IMAGE = {"command", "sdk_container_image"}


def parameters(command: str) -> dict[str, dict[str, Any]]:
    """The parameters of a committed template by name."""
    listed = json.loads((COMMITTED / f"{command}.json").read_text())["parameters"]
    by_name = {parameter["name"]: parameter for parameter in listed}
    assert len(by_name) == len(listed), "a parameter is there twice"
    return by_name


@pytest.mark.parametrize("command", TEMPLATES)
def test_the_committed_metadata_is_what_the_options_of_the_code_give(command: str) -> None:
    committed = (COMMITTED / f"{command}.json").read_text()
    assert committed == text_of(command), "run python -m uncommon_im.pipeline.cli.dataflow.metadata deploy/dataflow"


@pytest.mark.parametrize("command", TEMPLATES)
def test_every_option_that_help_shows_is_a_parameter_and_nothing_else_is(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # so that no text is wrapped
    with pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])
    shown = set(re.findall(r"^  --([a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert {name.replace("-", "_") for name in shown} == parameters(command).keys() - OF_THE_IMAGE


@pytest.mark.parametrize("command", TEMPLATES)
def test_dataflows_own_message_takes_the_metadata_and_keeps_all_of_it(command: str) -> None:
    text = (COMMITTED / f"{command}.json").read_text()
    message = TemplateMetadata.from_json(text, ignore_unknown_fields=False)
    back = json.loads(TemplateMetadata.to_json(message, always_print_fields_with_no_presence=False))
    assert back["name"] == f"uncommon-im {command}"
    assert [parameter["name"] for parameter in back["parameters"]] == list(parameters(command))


def test_dataflows_own_message_refuses_a_field_that_it_does_not_have() -> None:
    with pytest.raises(Exception, match="groupname"):
        TemplateMetadata.from_json('{"name": "x", "parameters": [{"name": "a", "groupname": "b"}]}')


@pytest.mark.parametrize("command", TEMPLATES)
def test_every_parameter_has_words_a_place_and_a_regex_that_its_own_values_match(command: str) -> None:
    known = parameters(command)
    for name, parameter in known.items():
        assert re.fullmatch("[a-z][a-z0-9_]*", name)
        assert parameter["label"]
        assert parameter["helpText"]
        assert ("groupName" in parameter) != ("parentName" in parameter)
        assert parameter.get("parentName", "command") in known
        (regex,) = parameter["regexes"]
        values = [option["value"] for option in parameter.get("enumOptions", [])]
        for value in (*values, parameter.get("defaultValue", "")):
            assert not value or re.fullmatch(regex, value), f"{name}: {regex} does not match {value}"
        assert not re.fullmatch(regex, ""), f"{name}: {regex} matches nothing at all"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("pubsub_subscription", SUBSCRIPTION, "events"),
        ("alerts_topic", "projects/p/topics/t", SUBSCRIPTION),
        ("output", "gs://bucket/folder", "/tmp/folder"),
        ("exceptions", "gs://bucket/exceptions.yaml", "exceptions.yaml"),
        ("start", "2026-03-01", "yesterday"),
        ("lateness", "600", "ten"),
        ("format", "xdr", "csv"),
        ("verdicts", "true", "yes"),
        ("kafka_brokers", "a:9092,b:9092", "a"),
        ("kafka_consumer", "a=b;;c=d", "a"),
    ],
)
def test_a_regex_takes_what_the_option_takes_and_refuses_what_it_refuses(name: str, good: str, bad: str) -> None:
    (regex,) = parameters("stream")[name]["regexes"]
    assert re.fullmatch(regex, good)
    assert not re.fullmatch(regex, bad)


def test_backfills_input_takes_globs_of_a_file_system_and_tables() -> None:
    (regex,) = parameters("backfill")["input"]["regexes"]
    assert re.fullmatch(regex, "gs://lake/dt={date}/*.parquet;;bigquery://p.d.t")
    assert not re.fullmatch(regex, "lake/*.parquet")


def test_parameters_become_the_options_that_they_are() -> None:
    given = (
        *("--verdicts=true", "--keep_host_domain=false", "--operator_ranges=", "--lateness=60", "--tenant="),
        *("--kafka_topic=a;;b", "--project=p", "--temp_location=gs://b/t", "--job_name=j", "--streaming"),
    )
    assert arguments_of(("--command=stream", *given)) == [
        *("stream", "--verdicts", "--lateness=60", "--kafka-topic=a", "--kafka-topic=b"),
        *("--project=p", "--temp_location=gs://b/t", "--job_name=j", "--streaming"),
    ]


@pytest.mark.parametrize("command", TEMPLATES)
def test_each_parameter_reaches_its_option(command: str) -> None:
    samples = {"NUMBER": "7", "BOOLEAN": "true"}
    forms = {"HOST:PORT": "a:9092", "HOST:PORT,...": "a:9092", "URL": "https://a", "PROJECT.DATASET": "p.d"}
    for name, option in options_of(command).items():
        parameter = parameters(command)[name]
        value = (
            forms.get(option.metavar or "")
            or samples.get(parameter["paramType"])
            or parameter.get("enumOptions", [{"value": "2026-01-01"}])[-1]["value"]
        )
        needed = ("--input=gs://a/b", "--output=gs://a/b") if command == "backfill" else STREAM[1:]
        others = [other for other in needed if other.partition("=")[0] != f"--{name}"]
        if name in ("kafka_topic", "notifications_subscription"):
            others = []
        arguments, rest = parser().parse_known_args(
            arguments_of((f"--command={command}", *others, f"--{name}={value}"))
        )
        assert rest == []
        expected = [value] if option.is_repeatable else True if option.is_switch else value
        assert str(getattr(arguments, option.name)) == str(expected)


def test_what_sql_is_made_of_does_not_cut_a_query() -> None:
    given = ("--command=backfill", "--input_query=SELECT a || 'x=;' FROM t WHERE b | 1 = 1;;SELECT 2")
    queries = ["--input-query=SELECT a || 'x=;' FROM t WHERE b | 1 = 1", "--input-query=SELECT 2"]
    assert arguments_of(given) == ["backfill", *queries]


def test_an_option_that_beam_does_not_know_is_left_out_and_said_without_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = (*STREAM, "--launcher_token=abc123", "--region=europe-west1")
    assert arguments_of(given)[2:] == ["--region=europe-west1"]
    assert "--launcher_token" in caplog.text
    assert "abc123" not in caplog.text


def test_what_cannot_be_run_is_said_in_a_line_with_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for given, said in (
        (("--command=report",), "--command=report: expected one of stream, backfill"),
        ((), "--command=: expected one of stream, backfill"),
        ((*STREAM, "--verdicts=yes"), "--verdicts=yes: expected true or false"),
        ((*STREAM, "--exceptions=/no/such.yaml"), "uncommon-im: /no/such.yaml: cannot be read: No such file"),
        (STREAM, "alerts go nowhere: give --output"),
    ):
        assert run(given) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line


def test_metadata_says_which_template_streams() -> None:
    assert metadata_of("stream")["streaming"] is True
    assert metadata_of("backfill")["streaming"] is False
