"""Prism, Beam's engine for streams on this machine, as a process that ends when this one does."""

from __future__ import annotations

import atexit
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.prism_runner import PrismJobServer, PrismRunner

from uncommon_im.pipeline.local.tied import command_of


class LocalPrism(PrismRunner):
    """Prism of this process alone, for one job: it is stopped as this ends, or as this process does.

    Beam's own takes SIGINT for itself, forgets Prism if this process is killed, and shares it with other pipelines. Of
    a job that has ended nothing can be asked any more.
    """

    _server: PrismJobServer | None = None

    def default_job_server(self, options: PipelineOptions) -> PrismJobServer:
        """Starts Prism with the job."""
        self._server = _Tied(options)
        atexit.register(self._server.stop)
        return self._server

    def start_and_replace_loopback_environments(self, pipeline: Any, options: PipelineOptions) -> list[Any]:
        """What is to be done after the job; Beam calls it before the job."""
        return [*super().start_and_replace_loopback_environments(pipeline, options), self._stop]

    def _stop(self) -> None:
        if self._server:  # `--job_endpoint` names one that somebody else runs
            self._server.stop()
            atexit.unregister(self._server.stop)


class _Tied(PrismJobServer):
    def subprocess_cmd_and_endpoint(self) -> tuple[list[Any], str]:
        """The command line that starts it, and where it listens."""
        command, endpoint = super().subprocess_cmd_and_endpoint()
        return command_of([str(word) for word in command]), endpoint
