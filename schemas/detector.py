"""The detector card: identity, limits, severities and texts (specification, first page and sections 5 to 7)."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, Literal

from msgspec import Meta
from msgspec.structs import asdict, replace

from uncommon_im.schemas.decoding import Entry, NonEmpty, Text, decode
from uncommon_im.schemas.documents import packaged_yaml, read_yaml, require

DETECTOR_VERSION: Final = "1.0.0"
VERDICT_IDS: Final = (
    "training",
    "too_late",
    "learning",
    "common_in_organisation",
    "common_on_host",
    "excepted",
    "duplicate",
    "rolled_up",
    "alert",
)
"""What becomes of an activity, in the order of `summary.json` (specification, section 10).

A backfill never gives `too_late`: nothing is late there.
"""
VARIATION_IDS: Final = ("suspicious_process", "uncommon_scripting_engine", "base")
SUSPICION_REASONS: Final = (
    *("unsigned", "lolbin-network", "gtfobin-network", "transfer-tool", "office", "pdf-reader", "shell"),
    *("untrusted_path", "masquerading", "double_extension", "office_child"),
)
"""Reasons why a process is suspicious (specification, section 4)."""
SUBTECHNIQUE_REASONS: Final = (*SUSPICION_REASONS, "uncommon_scripting_engine")
"""What of an alert may say a sub-technique."""
BYTE_PARTS: Final = ("bytes_sent", "bytes_received")
PRIORITY_PARTS: Final = (
    *(f"reason:{reason}" for reason in SUSPICION_REASONS),
    *("uncommon_execution", "never_seen", "unused_service", "rare_service", "new_binary", "new_parentage"),
    *("quiet_hour", "bot_host", *BYTE_PARTS, "own_client", "own_publisher", "known_binary", "known_parentage"),
)
"""What may count for or against an alert (specification, section 8)."""
SEVERITIES: Final = ("Informational", "Low", "Medium", "High", "Critical")

MOST_DAYS: Final = 62
"""Of a baseline: days are bits of one number."""
MOST_COUNT: Final = 1_000_000
"""More hosts and alerts than there are; counting so many takes memory."""
BOUNDS: Final = {
    "training_days": (1, MOST_DAYS),
    "activation_days": (0, MOST_DAYS),
    "guard_days": (0, MOST_DAYS),
    "max_other_hosts": (0, MOST_COUNT),
    "max_host_days": (0, MOST_DAYS),
    "execution_max_other_hosts": (0, MOST_COUNT),
    "execution_max_host_days": (0, MOST_DAYS),
    "deduplication_hours": (0, MOST_DAYS * 24),
    "max_alerts_per_group": (0, MOST_COUNT),
    "process_lookback": (0, MOST_DAYS),
}
"""Limit -> the least and the most that it may be."""

_Number = Annotated[int, Meta(ge=0, description="a whole number, 0 or more")]


class Limits(Entry, frozen=True):
    """Every number of the detector; periods in days unless the name says otherwise.

    Raises:
        ConfigurationError: a limit is out of its bounds.
    """

    training_days: _Number = 30
    activation_days: _Number = 14
    guard_days: _Number = 3
    max_other_hosts: _Number = 3
    max_host_days: _Number = 2
    execution_max_other_hosts: _Number = 3
    execution_max_host_days: _Number = 2
    deduplication_hours: _Number = 24
    max_alerts_per_group: _Number = 25
    process_lookback: _Number = 7

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value, (least, most) = getattr(self, name), BOUNDS[name]
            require(least <= value <= most, f"{name} is {value!r}: it must be {least} to {most}")
        require(
            self.activation_days <= self.training_days,
            f"activation_days is {self.activation_days}: it must not exceed training_days ({self.training_days}), "
            "or the detector never becomes active",
        )

    @property
    def countable_other_hosts(self) -> int:
        """The number of other hosts that is still counted exactly: the largest limit of any subject (section 5)."""
        return max(self.max_other_hosts, self.execution_max_other_hosts)

    @property
    def hosts_kept(self) -> int:
        """Hosts to keep per (subject, day) to count so many: two more, for the own host and one beyond the limit."""
        return self.countable_other_hosts + 2


class Variation(Entry, frozen=True):
    """One variation: its id, title and severity."""

    id: Literal["suspicious_process", "uncommon_scripting_engine", "base"]
    title: Text
    severity: Literal["Informational", "Low", "Medium", "High", "Critical"]


class PriorityPart(Entry, frozen=True):
    """What counts for or against an alert, and how much.

    Args:
        part: one of `PRIORITY_PARTS`.
        points: are added to the priority if it holds.
        at_least: bytes that the first event sent or received; of no other part.
    """

    part: str
    points: Annotated[int, Meta(ge=-100, le=100, description="a whole number from -100 to 100")]
    at_least: _Number = 0

    def __post_init__(self) -> None:
        """Raises `ValueError`: there is no such part, or bytes are missing or out of place."""
        if self.part not in PRIORITY_PARTS:
            raise ValueError(f"there is no part {self.part!r:.60}: expected one of {', '.join(PRIORITY_PARTS)}")
        if self.part in BYTE_PARTS and not self.at_least:
            raise ValueError(f"{self.part} needs `at_least`, a number of bytes above 0")
        if self.part not in BYTE_PARTS and self.at_least:
            raise ValueError(f"{self.part} takes no `at_least`: only {' and '.join(BYTE_PARTS)} do")


class Subtechnique(Entry, frozen=True):
    """A sub-technique of ATT&CK that the reasons of an alert say, and what says so.

    Args:
        id: such as T1059.001.
        name: as ATT&CK has it.
        because: a reason of suspicion, or the variation `uncommon_scripting_engine`.
        programs: which engine or process it is, without `.exe`, case and version; without them any.
        scripts: how the file ends that the engine runs; without them however.
    """

    id: Annotated[str, Meta(pattern=r"\AT\d{4}\.\d{3}\Z", description="an id of ATT&CK such as T1059.001")]
    name: Text
    because: str
    programs: tuple[Text, ...] = ()
    scripts: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError`: nothing of an alert is called so."""
        if self.because not in SUBTECHNIQUE_REASONS:
            raise ValueError(f"there is no {self.because!r:.60}: expected one of {', '.join(SUBTECHNIQUE_REASONS)}")


class Detector(Entry, frozen=True):
    """What a run needs of the card; `limits` is what it may override."""

    id: str
    name: str
    tactic_id: str
    tactic: str
    technique_id: str
    technique: str
    variations: tuple[Variation, ...]
    subtechniques: tuple[Subtechnique, ...] = ()
    priority: tuple[PriorityPart, ...] = ()
    limits: Limits = Limits()

    def variation(self, variation_id: str) -> Variation:
        """The variation of that id."""
        return next(v for v in self.variations if v.id == variation_id)


class Attack(Entry, frozen=True):
    """Where ATT&CK places what the detector finds."""

    tactic_id: Text
    tactic: Text
    technique_id: Text
    technique: Text
    subtechniques: tuple[Subtechnique, ...] = ()


class Reference(Entry, frozen=True):
    """A public page to read on."""

    title: Text
    url: Annotated[str, Meta(pattern=r"\Ahttps://\S+\Z", description="an address that begins with https://")]


class Card(Entry, frozen=True):
    """The card as it is written. Its texts are for people: no verdict and no digest depends on them.

    Args:
        description: what the detector finds.
        false_positives: what is known to raise alerts and to be harmless.
        triage: what to do with an alert, step by step.
        references: public pages.
        priority: points of what an alert says.
    """

    id: Text
    name: Text
    description: Text
    attack: Attack
    variations: tuple[Variation, ...]
    false_positives: NonEmpty[Text]
    triage: NonEmpty[Text]
    references: NonEmpty[Reference]
    priority: tuple[PriorityPart, ...] = ()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Raises `ValueError`: a variation is missing or there twice."""
        if sorted(variation.id for variation in self.variations) != sorted(VARIATION_IDS):
            raise ValueError(f"variations must be exactly {', '.join(VARIATION_IDS)}")


def load_card(path: str | None = None) -> Card:
    """The whole card: the shipped one, or the one at `path`.

    Args:
        path: a file of the same form as `schemas/detector.yaml`; keys that it leaves out keep their shipped value.

    Raises:
        ConfigurationError: a key is unknown or a value is out of its bounds.
    """
    if not path:
        return decode(_shipped(), Card, "detector.yaml")
    document = read_yaml(path)
    found = "nothing" if document is None else type(document).__name__
    require(isinstance(document, dict), f"{path}: expected keys such as `limits`, found {found}")
    limits = document.get("limits") or {}
    if isinstance(limits, dict):
        limits = _shipped()["limits"] | limits
    return decode(_shipped() | document | {"limits": limits}, Card, path)


def load_detector(path: str | None = None, **overrides: int | None) -> Detector:
    """The detector of a card, with the given limits replaced.

    Args:
        path: as for `load_card`.
        overrides: limits by name; `None` leaves the card's value.

    Raises:
        ConfigurationError: as `load_card`, or a limit is out of its bounds.
    """
    card = load_card(path)
    given = {name: value for name, value in overrides.items() if value is not None}
    return Detector(
        id=card.id,
        name=card.name,
        **asdict(card.attack),
        variations=card.variations,
        priority=card.priority,
        limits=replace(card.limits, **given),
    )


@cache
def _shipped() -> dict[str, Any]:
    return packaged_yaml("uncommon_im.schemas", "detector.yaml")
