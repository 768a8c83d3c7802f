"""The verdict of each activity, once all answers about it are there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam

from uncommon_im.transforms.rules.stream.judging import Judging, JudgingRules
from uncommon_im.transforms.stream.keyed_step import Keyed, Row, Tallied, keyed_step

JudgeHostsFn = keyed_step("judge", __name__, "JudgeHostsFn")


@dataclass
class JudgeHosts(beam.PTransform):
    """Activities and answers by (tenant, host) -> "candidates" by group and variation, "said" by host, "verdicts".

    Each activity is judged once; activities of a host in the order of the instants at which they were due. The
    watermark guarantees that by then all answers have come.

    Args:
        rules: how.
    """

    rules: JudgingRules

    def expand(self, messages: beam.PCollection[tuple[str, bytes]]) -> Any:
        """One stateful step."""
        step = beam.ParDo(JudgeHostsFn(partial(Judging, self.rules)))
        types = {"candidates": Keyed, "said": Keyed, "verdicts": Row, "tallies": Tallied}
        return messages | "Judge" >> step.with_output_types(None, **types).with_outputs(*types)
