"""Inputs that a run would replace before somebody could read them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uncommon_im.pipeline.baselines.snapshot_folder import SnapshotFolder
from uncommon_im.pipeline.runs.folder import run_folder
from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.storage.places import first_inside
from uncommon_im.schemas.documents import require


def refuse_replaced_inputs(inputs: Sequence[Any], output: str | None, baseline_out: str | None = None) -> None:
    """Makes sure that no input lies where a run writes, by whatever name it is called.

    Args:
        inputs: of the run.
        output: the run's folder.
        baseline_out: the directory of the snapshot that it leaves.

    Raises:
        ConfigurationError: one does; names the first.
    """
    files = [each.path for each in inputs if isinstance(each, InputFile)]
    replaced = {
        "--output": (output, run_folder(output).places() if output else []),
        "--baseline-out": (baseline_out, SnapshotFolder(baseline_out).places() if baseline_out else []),
    }
    for option, (folder, places) in replaced.items():
        inside = first_inside(files, places)
        require(
            inside is None,
            f"--input {inside}: the run replaces that file, for it lies in {option} {folder}: "
            "write to another folder, or copy the file first",
        )
