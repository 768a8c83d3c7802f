"""Emulators as processes of their own, on free ports, that end with the tests."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str], ports: Sequence[int], environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A server, from when it answers on all of its ports until the end of the block."""
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(ports, server, command[0])
        yield
    finally:
        server.terminate()
        server.wait()


def _wait_for(ports: Sequence[int], server: subprocess.Popen[bytes], name: str) -> None:
    end = time.monotonic() + SECONDS
    silent = list(ports)
    while silent:
        assert server.poll() is None, f"{name} ended with status {server.returncode}"
        assert time.monotonic() < end, f"{name} does not answer within {SECONDS} s"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", silent[0])) == 0:
                silent.pop(0)
            else:
                time.sleep(0.1)
