"""The options of files as a sink: a run's folder, a stream's folder, and the folder of what a stream learns."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import join
from typing import TYPE_CHECKING

from uncommon_im.pipeline.options.declaration import Options, option
from uncommon_im.schemas.documents import require

if TYPE_CHECKING:
    from uncommon_im.pipeline.configuration.configuration import Configuration


@dataclass(frozen=True)
class RunFolder(Options, title="output"):
    """The folder of a run that comes to an end."""

    output: str | None = option("The run's own folder. A rerun replaces it.", metavar="DIR")


@dataclass(frozen=True)
class ReplayFolder(RunFolder):
    """The folder of a run that writes nowhere else."""

    output: str = option("The run's own folder. A rerun replaces it.", metavar="DIR", required=True)


@dataclass(frozen=True)
class LockOptions(Options, title="output"):
    """What becomes of another run that writes to the same folder."""

    force: bool = option(
        "Take the folder over from a run that died where this one cannot see it: on another machine or in a cloud. A "
        "run that lives on this machine is never taken over.",
        False,
    )


@dataclass(frozen=True)
class StreamFolder(Options, title="output"):
    """The folder of a stream."""

    output: str | None = option("The stream's own folder. A restarted stream continues in it.", metavar="DIR")

    def check(self) -> None:
        """Makes sure that the folder can be written, and is no finished run's.

        Raises:
            ConfigurationError: it cannot, or it is.
        """
        from uncommon_im.pipeline.runs.folder import SUMMARY
        from uncommon_im.pipeline.storage.changing import require_writable
        from uncommon_im.pipeline.storage.listing import exists

        if self.output is None:
            return
        require_writable("--output", self.output)
        require(
            not exists(join(self.output, SUMMARY)),
            f"--output {self.output}: a backfill or a replay wrote there ({SUMMARY}): give the stream its own folder",
        )


@dataclass(frozen=True)
class LearnedFolder(Options, title="stream"):
    """The folder of what a stream learns."""

    sightings_out: str | None = option(
        "Write what the stream learns to this folder. You need it to restart the stream.", metavar="DIR"
    )

    def begin(self, configuration: Configuration) -> None:
        """Says in the folder what the stream is.

        Raises:
            ConfigurationError: another stream wrote there.
        """
        from uncommon_im.pipeline.baselines.write_learned import begin_learned

        if self.sightings_out:
            begin_learned(self.sightings_out, configuration.stream_metadata)
