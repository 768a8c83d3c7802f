"""Failures of others whose message names no remedy get one, and no others."""

from __future__ import annotations

import pytest

from uncommon_im.pipeline.cli.main import _reason
from uncommon_im.pipeline.cli.remedies import remedy_of

JAR = "Unable to fetch remote job server jar at https://maven.example/{}.jar: HTTP Error 404: Not Found"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "java"), "install a Java"),
        (RuntimeError("Java must be installed on this system to use this"), "install a Java"),
        (RuntimeError(JAR.format("beam-sdks-java-io-expansion-service")), "--kafka-expansion-service HOST:PORT"),
        (RuntimeError(JAR.format("beam-runners-flink-2.2-job-server")), "--flink_job_server_jar"),
        (ValueError('Unable to parse jar URL "/none.jar". If using'), "check --flink_job_server_jar"),
    ],
)
def test_a_failure_that_is_known_says_what_to_do_in_one_line(error: Exception, said: str) -> None:
    assert said in _reason(error)
    assert "\n" not in _reason(error)


def test_other_failures_keep_their_own_message() -> None:
    error = FileNotFoundError(2, "No such file or directory", "javascript.js")
    assert remedy_of(error) is None
    assert _reason(error).startswith("FileNotFoundError: ")
