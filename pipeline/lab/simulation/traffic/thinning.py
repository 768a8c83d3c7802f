"""Which ordinary events detectors of messaging read: all that thinned telemetry keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from uncommon_im.pipeline.lab.simulation.traffic.destinations import MESSENGER_PROFILES
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import HabitTable
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.recognition.command_line import Engines


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
