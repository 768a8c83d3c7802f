"""Options of Beam's Flink runner that its Python SDK does not know, although its job server does.

Source: the runner's own list, https://beam.apache.org/documentation/runners/flink/ ("Pipeline options for the Flink
Runner").
"""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction

from apache_beam.options.pipeline_options import PipelineOptions


class FlinkStreamOptions(PipelineOptions):  # type: ignore[misc]
    """What a stream on Flink is run with; the job server gets what is given."""

    @classmethod
    def _add_argparse_args(cls, parser: ArgumentParser) -> None:
        whole = {
            "--checkpointing_interval": "ms between checkpoints; without it there are none, and a failed job is over",
            "--checkpoint_timeout_millis": "ms after which a checkpoint is given up",
            "--min_pause_between_checkpoints": "ms",
            "--number_of_execution_retries": "how often a failed job is started again",
            "--execution_retry_delay": "ms",
            "--max_bundle_size": "elements of a bundle",
            "--max_bundle_time_mills": "ms that a bundle may take to fill",
            "--auto_watermark_interval": "ms",
            "--shutdown_sources_after_idle_ms": "ms after which a source that has ended is closed",
        }
        for flag, meaning in whole.items():
            parser.add_argument(flag, type=int, help=meaning)
        parser.add_argument("--checkpointing_mode", help="EXACTLY_ONCE or AT_LEAST_ONCE")
        parser.add_argument("--state_backend", help="rocksdb, filesystem or a factory class")
        parser.add_argument("--state_backend_storage_path", help="where checkpoints go")
        parser.add_argument("--savepoint_path", help="from which to go on")
        # Else what a bundle emits while a checkpoint is made is kept in it, and comes behind the watermark that it
        # should have preceded: verdicts are other ones then, after a recovery and even without a failure.
        parser.add_argument(
            "--finish_bundle_before_checkpointing",
            action=BooleanOptionalAction,
            default=True,
            help="what a bundle emits leaves before a checkpoint: needed for the same alerts",
        )
