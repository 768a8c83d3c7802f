"""The folder of a simulated organisation: replaced as a whole, on any file system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import join
from typing import Final

from uncommon_im.pipeline.configuration.configuration import new_run_id
from uncommon_im.pipeline.results.ownership import ResultKind
from uncommon_im.pipeline.results.result_folder import ResultFolder
from uncommon_im.pipeline.storage.changing import write_whole, writing_to
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.pipeline.storage.opening import is_remote
from uncommon_im.pipeline.storage.temporary import temporary_folder

_LABELS: Final = "labels.jsonl"


def is_labels(content: bytes) -> bool:
    """Whether a file holds the labels of a simulated organisation, of whatever version."""
    return content.startswith(b"{") and b'"expected_variation"' in content


SIMULATION: Final = ResultKind(
    name="simulation",
    folders=("events",),
    files=(_LABELS, "marginals.json"),
    own=re.compile(rf"events/dt=\d{{4}}-\d\d-\d\d\.parquet|{re.escape(_LABELS)}|marginals\.json"),
    seal=_LABELS,
    is_seal=is_labels,
)
"""What `simulate` leaves."""


@contextmanager
def simulation_folder(output: str, force: bool) -> Iterator[str]:
    """A folder of this machine for what is to be in `output`, where it takes the place of an earlier simulation.

    Raises:
        ConfigurationError: another process simulates there, something else lies there, or it cannot be written.
    """
    run_id, folder = new_run_id(), ResultFolder(output, SIMULATION)
    with folder.staged(run_id, force=force) as staging:
        if not is_remote(output):
            yield str(Path(staging).absolute())  # Arrow takes `a:b` for an address, and `~` for a home
        else:
            with temporary_folder() as temporary:
                local = join(temporary, "made")
                yield local
                with writing_to("--output", output):
                    for name in list_folder(local):
                        write_whole(join(staging, name), Path(local, name).read_bytes())
        folder.publish(run_id)
