"""The detector card: identity, limits, severities and titles (specification, first page and sections 5 to 7)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Final

from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml, read_yaml, require

DETECTOR_VERSION: Final = "1.0.0"


@dataclass(frozen=True)
class Limits:
    """Every number of the detector; periods in days unless the name says otherwise."""

    training_days: int = 30
    activation_days: int = 14
    guard_days: int = 3
    max_other_hosts: int = 3
    max_host_days: int = 2
    execution_max_other_hosts: int = 3
    execution_max_host_days: int = 2
    deduplication_hours: int = 24
    max_alerts_per_group: int = 25

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            require(
                isinstance(value, int) and not isinstance(value, bool) and value >= 0,
                f"limit {limit.name} is {value!r}: it must be a whole number, 0 or more",
            )
        require(1 <= self.training_days <= 62, f"training_days is {self.training_days}: it must be 1 to 62")
        require(
            self.activation_days <= self.training_days,
            f"activation_days is {self.activation_days}: it must not exceed training_days ({self.training_days}), "
            "or the detector never becomes active",
        )

    @property
    def hosts_kept(self) -> int:
        """Hosts a (subject, day) that suffice to count `other_hosts` exactly up to its limit (section 5)."""
        return max(self.max_other_hosts, self.execution_max_other_hosts) + 2


@dataclass(frozen=True)
class Variation:
    """One variation: its id, title and severity."""

    id: str
    title: str
    severity: str


@dataclass(frozen=True)
class Detector:
    """The card as data; `limits` is what a run may override."""

    id: str
    name: str
    tactic_id: str
    tactic: str
    technique_id: str
    technique: str
    variations: tuple[Variation, ...]
    limits: Limits = field(default_factory=Limits)

    def variation(self, variation_id: str) -> Variation:
        """The variation of that id."""
        return next(v for v in self.variations if v.id == variation_id)


VARIATION_IDS: Final = ("suspicious_process", "uncommon_scripting_engine", "base")
VERDICT_IDS: Final = (
    "training",
    "learning",
    "common_in_organisation",
    "common_on_host",
    "excepted",
    "duplicate",
    "rolled_up",
    "alert",
)
"""What becomes of an activity, in the order of `summary.json` (specification, section 7)."""
SEVERITIES: Final = ("Informational", "Low", "Medium", "High", "Critical")


def load_detector(path: str | None = None, **overrides: int | None) -> Detector:
    """The detector card: the shipped one, or the one at `path`, with the given limits replaced.

    Args:
        path: a file of the same form as `schemas/detector.yaml`; keys that it leaves out keep their shipped value.
        overrides: limits by name; `None` leaves the card's value.

    Raises:
        ConfigurationError: a key is unknown or a value is out of its bounds.
    """
    card = dict(_shipped())
    if path:
        document = read_yaml(path)
        found = "nothing" if document is None else type(document).__name__
        require(isinstance(document, dict), f"{path}: expected keys such as `limits`, found {found}")
        unknown = sorted(set(map(str, document)) - set(card))
        require(not unknown, f"{path}: unknown key {', '.join(unknown)}: known are {', '.join(card)}")
        limits = document.get("limits") or {}
        require(isinstance(limits, dict), f"{path}: limits must be a mapping of names to numbers")
        card = {**card, **document, "limits": {**card["limits"], **limits}}
    name = path or "detector.yaml"
    known = {limit.name for limit in fields(Limits)}
    unknown = sorted(set(map(str, card["limits"])) - known)
    require(not unknown, f"{name}: unknown limit {', '.join(unknown)}: known are {', '.join(sorted(known))}")
    detector = _detector(card, name)
    given = {key: value for key, value in overrides.items() if value is not None}
    return replace(detector, limits=replace(detector.limits, **given))


@cache
def _shipped() -> dict[str, Any]:
    card = packaged_yaml("uncommon_im.schemas", "detector.yaml")
    assert isinstance(card, dict)
    return card


def _detector(card: dict[str, Any], name: str) -> Detector:
    try:
        attack = card["attack"]
        variations = tuple(Variation(**{k: str(v) for k, v in row.items()}) for row in card["variations"])
        detector = Detector(
            id=str(card["id"]),
            name=str(card["name"]),
            tactic_id=str(attack["tactic_id"]),
            tactic=str(attack["tactic"]),
            technique_id=str(attack["technique_id"]),
            technique=str(attack["technique"]),
            variations=variations,
            limits=Limits(**card["limits"]),
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{name}: not a detector card: {error}") from None
    require(
        {v.id for v in detector.variations} == set(VARIATION_IDS),
        f"{name}: variations must be exactly {', '.join(VARIATION_IDS)}",
    )
    for variation in detector.variations:
        require(
            variation.severity in SEVERITIES,
            f"{name}: severity {variation.severity!r} of {variation.id}: expected one of {', '.join(SEVERITIES)}",
        )
    return detector
