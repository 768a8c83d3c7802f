"""The emulators that every test here runs on, and one subscription a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from drongo.services.pubsub.emulator import PubSubEmulator

from tests.cloud.queue import Queue

JARS = Path("/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib")
"""Where the Debian package google-cloud-cli-pubsub-emulator has Google's own."""
SECONDS = 30


@pytest.fixture(scope="session", params=["drongo", "official"])
def emulator(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of an emulator that runs; the client library finds it by PUBSUB_EMULATOR_HOST."""
    yield from (_drongo if request.param == "drongo" else _official)()


@pytest.fixture(autouse=True)
def large_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients take answers of any size, as they do from Google: for emulators they leave gRPC's limit of 4 MiB."""
    channel = grpc.insecure_channel
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    monkeypatch.setattr(grpc, "insecure_channel", lambda target: channel(target, unlimited))


@pytest.fixture
def queue(emulator: str) -> Iterator[Queue]:
    """A topic, and a subscription to it."""
    with Queue(emulator) as made:
        yield made


def _drongo() -> Iterator[str]:
    server = PubSubEmulator()
    server.start()
    yield "drongo"
    server.stop()


def _official() -> Iterator[str]:
    jars = sorted(JARS.glob("cloud-pubsub-emulator-*-all.jar"))
    if not jars or shutil.which("java") is None:
        pytest.skip("Google's emulator is not here: it takes java and google-cloud-cli-pubsub-emulator")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["java", "-Xmx256m", "-jar", str(jars[-1]), "--host=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
            _wait_for(port, server)
            yield "official"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, f"the emulator ended with status {server.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"the emulator does not answer within {SECONDS} s")
