"""Prism, Beam's engine for streams on this machine, as a process that ends when this one does."""

from __future__ import annotations

import atexit
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.prism_runner import PrismJobServer, PrismRunner

from uncommon_im.pipeline.local.tied import command_of


class LocalPrism(PrismRunner):
    """Prism of this process alone.

    Beam's own takes SIGINT for itself, forgets Prism if this process is killed, and shares it with other pipelines.
    """

    def default_job_server(self, options: PipelineOptions) -> PrismJobServer:
        """Starts Prism with the first job; it is stopped as this process exits."""
        server = _Tied(options)
        atexit.register(server.stop)
        return server


class _Tied(PrismJobServer):
    def subprocess_cmd_and_endpoint(self) -> tuple[list[Any], str]:
        """The command line that starts it, and where it listens."""
        command, endpoint = super().subprocess_cmd_and_endpoint()
        return command_of([str(word) for word in command]), endpoint
