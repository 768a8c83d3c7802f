"""Beam's direct runner with processes (`--direct_running_mode multi_processing`): they end when this one does."""

from __future__ import annotations

import logging
import shlex

from apache_beam.portability import python_urns
from apache_beam.runners.portability.fn_api_runner.worker_handlers import SubprocessSdkWorkerHandler, WorkerHandler

from uncommon_im.pipeline.local.tied import command_of

log = logging.getLogger(__name__)


def tie_workers() -> None:
    """Ties processes that Beam's direct runner starts from now on to this one; its own outlive a run that is killed."""
    WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(_Tied)


class _Tied(SubprocessSdkWorkerHandler):
    _worker_command_line: bytes

    def start_worker(self) -> None:
        """Starts the process, by a shell that its guard replaces.

        What it logs comes as messages. Its standard error tells how it lost its engine when a run ends early, which
        nobody needs to read; `--verbose` shows it.
        """
        program = command_of(shlex.split(self._worker_command_line.decode()))
        quiet = "" if log.isEnabledFor(logging.DEBUG) else " 2>/dev/null"
        self._worker_command_line = f"exec {shlex.join(program)}{quiet}".encode()
        super().start_worker()
