"""What is said of a process that died: how it ended and the likely cause, from the words of Beam's engines."""

from __future__ import annotations

import pytest

from uncommon_im.pipeline.local.deaths import death_of, death_told_by

KILLED = "was killed (signal 9): most likely the machine is short of memory"
GONE = "most likely it was killed, the machine being short of memory"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (-9, KILLED),
        (137, KILLED),
        (-11, "was ended by signal 11 before its work was done: run again, with --workers 1"),
        (139, "was ended by signal 11 before"),
        (1, "ended with status 1 before"),
        (0, "ended with status 0 before"),
    ],
)
def test_a_death_is_told_with_its_signal_or_status_as_python_or_a_shell_gives_it(status: int, said: str) -> None:
    assert f"a scan worker {said}" in str(death_of("a scan worker", status, "--workers"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Worker subprocess exited with return code 137", f"a worker of the engine {KILLED}"),
        ("Worker subprocess exited with return code -9", f"a worker of the engine {KILLED}"),
        ("Worker subprocess exited with return code 1", "a worker of the engine ended with status 1"),
        ("bundle inst2 failed:SDK worker disconnected: worker[job-001]", f"a worker of the engine is gone: {GONE}"),
        (
            "prism worker[job-001] didn't get control connection to localhost:1",
            f"a worker of the engine is gone: {GONE}",
        ),
        (
            "<_MultiThreadedRendezvous of RPC that terminated with:\n\tstatus = StatusCode.UNAVAILABLE",
            f"the engine is gone: {GONE}",
        ),
    ],
)
def test_the_words_of_an_engine_tell_a_death(words: str, said: str) -> None:
    assert said in str(death_told_by(RuntimeError(words)))


@pytest.mark.parametrize("words", ["", "no such file", "503 StatusCode.UNAVAILABLE: BigQuery is down", "exit code 137"])
def test_other_words_tell_none(words: str) -> None:
    assert death_told_by(RuntimeError(words)) is None
