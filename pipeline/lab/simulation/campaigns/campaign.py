"""What a campaign is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uncommon_im.pipeline.lab.simulation.campaigns.stage import Stage

    Act = Callable[[Stage], None]

CAMPAIGNS: list[tuple[Campaign, Act]] = []
"""Each with the function that acts it out. Their order decides who gets which host: a new one goes to the end."""


@dataclass(frozen=True)
class Campaign:
    """What happens, and what a detector should make of it. As a decorator it registers the function that acts it out.

    Args:
        name: in labels.
        title: says it in a few words.
        expected: a variation of the detector (`base`, `suspicious_process`, `uncommon_scripting_engine`) or `none`,
            for telemetry long enough for campaigns to begin on `parameters.CAMPAIGN_DAY`.
        why: it is expected.
        technique: an ATT&CK id; empty if it is harmless.
        source: what it is modelled on.
        malicious: whether a detector should find it.
    """

    name: str
    title: str
    expected: str
    why: str
    technique: str = ""
    source: str = ""
    malicious: bool = True

    def __call__(self, act: Act) -> Act:
        """Registers a function, and documents it by what the label says."""
        act.__doc__ = f"{self.title}: {self.why}. {self.source or self.technique}".strip()
        CAMPAIGNS.append((self, act))
        return act
