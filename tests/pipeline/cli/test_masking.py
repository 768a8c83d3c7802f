"""No password and no token that a command is given comes back, not in errors, log or help. No engine is run."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.cli.masking import MaskingFormatter, masked

SECRET = "hunter2-AbC"
JAAS = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="{SECRET}";'
KAFKA = ("stream", "--output", "o", "--kafka-topic", "t", "--kafka-brokers", "k:9092")
FILES = ("backfill", "--output", "o", "--input")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*KAFKA, "--kafka-consumer", SECRET), "--kafka-consumer, number 1 of them: expected KEY=VALUE"),
        ((*KAFKA, "--kafka-consumer", f"sasl.jaas.config={JAAS}"), "Kafka is read by a Java step"),
        ((*KAFKA, f"--kafka-consumers=sasl.jaas.config={JAAS}", "--runner=X"), "unknown option --kafka-consumers "),
        ((*FILES, "{events}", f"--password={SECRET}"), "unknown option --password "),
        (("lookup", "slack.com", f"--token={SECRET}"), "unknown argument --token "),
        ((*FILES, f"https://user:{SECRET}@host/x.jsonl"), "--input https://***@host/x.jsonl: no file system is"),
        ((*FILES, f"https://host/x.jsonl?X-Goog-Signature={SECRET}&n=1"), "x.jsonl?X-Goog-Signature=***&n=1: no file"),
        (
            (*FILES, "bigquery://p.d.t", f"--bigquery-endpoint=https://{SECRET}@host/path"),
            "--bigquery-endpoint: expected https://HOST",
        ),
        (
            ("stream", "--output", "o", "--pubsub-subscription", f"https://{SECRET}@pubsub/projects/p"),
            "--pubsub-subscription https://***@pubsub/projects/p: expected projects/PROJECT/subscriptions/NAME",
        ),
    ],
)
def test_an_error_says_what_is_wrong_without_the_secret_in_it(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    events.touch()
    assert main([argument.replace("{events}", str(events)) for argument in arguments]) == 2
    shown = "".join(capsys.readouterr())
    assert said in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{JAAS} sasl.mechanism=PLAIN", JAAS.replace(f'"{SECRET}"', "***") + " sasl.mechanism=PLAIN"),
        (f"ssl.key.password={SECRET}, next", "ssl.key.password=***, next"),
        (f"sasl.oauthbearer.client.secret='{SECRET} x'", "sasl.oauthbearer.client.secret=***"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer ***"),
        ("the token ya29.a0-b_c has expired", "the token *** has expired"),
        (
            f"/upload/jobs?uploadType=resumable&upload_id={SECRET} (x)",
            "/upload/jobs?uploadType=resumable&upload_id=*** (x)",
        ),
    ],
)
def test_what_lets_others_in_is_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "--input gs://bucket/dt={date}/a@b.parquet: matches no file",
        "--input abfss://logs@acme.dfs.core.windows.net/x and abfs://l-1@acme.blob.core.windows.net: match no file",
        "bigquery://p.d.t: no column host_id: select native columns (schemas/event.py)",
        "unexpected token: line 3; key=value; design=new",
        "https://bigquery.googleapis.com/bigquery/v2?prettyPrint=false",
    ],
)
def test_what_is_no_secret_is_shown_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_a_traceback_in_the_log_is_masked_too() -> None:
    try:
        raise ValueError(f"cannot log in: password={SECRET}")
    except ValueError as error:
        record = logging.LogRecord("pipeline", logging.ERROR, "f", 1, "the run failed", (), (ValueError, error, None))
    shown = MaskingFormatter().format(record)
    assert "ValueError: cannot log in: password=***" in shown
    assert SECRET not in shown
