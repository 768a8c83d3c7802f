"""Which ordinary events detectors of messaging read: all that thinned telemetry keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.telemetry.delivery import uniform
from uncommon_im.pipeline.lab.simulation.traffic.destinations import MESSENGER_PROFILES
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import HabitTable
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.recognition.command_line import Engines

_SALT: Final = np.full(1, 7, dtype=np.uint64)


def fewer_starts(tables: Sequence[pa.Table], others: int) -> list[pa.Table]:
    """Tables of a day whose last one has lost so many starts that `parameters.start_share` of all events is left.

    Which are left follows from their numbers. A table that is alone is what detectors read, and stays.

    Args:
        tables: of `ROW_SCHEMA`; what detectors read, and the rest.
        others: starts beside them.
    """
    *read, rest = tables
    if not read:
        return [rest]
    is_start = [pc.equal(table.column("event_type"), "process").combine_chunks() for table in tables]
    starts = [pc.sum(each).as_py() or 0 for each in is_start]
    wanted = (sum(map(len, tables)) - sum(starts)) * p.start_share / (1 - p.start_share)
    share = (wanted - others - sum(starts[:-1])) / max(starts[-1], 1)
    lucky = pa.array(uniform(rest.column("number").to_numpy(), _SALT) < share)
    return [*read, rest.filter(pc.or_(pc.invert(is_start[-1]), lucky))]


def read_by_detectors(table: HabitTable, profiles: dict[str, int]) -> npt.NDArray[np.bool_]:
    """Habits that reach a messenger or look like it, all of scripting engines, daily signs of life, what is labelled.

    Engines are those of the catalogue, by the process or by the owner of its causality group (specification,
    section 4).
    """
    engines = Engines(load_catalogue())
    of_engine = np.array(
        [
            bool(engines.find(image["process_name"]) or engines.find(image["causality_process_name"]))
            for image in table.images
        ]
    )
    messengers = [profiles[name] for name in MESSENGER_PROFILES]
    kept = table.column("daily", bool) | (table.column("label") >= 0)
    return np.isin(table.column("profile"), messengers) | of_engine[table.column("image")] | kept
