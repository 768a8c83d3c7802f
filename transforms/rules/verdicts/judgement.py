"""From activities and what is known of their subjects to verdicts (specification, section 7).

The steps up to here are columns; only activities that are neither common nor excepted become Python objects.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from uncommon_im.schemas.detector import Limits
from uncommon_im.schemas.snapshot import SAID_SCHEMA
from uncommon_im.transforms.rules.activities.evidence import rare_activities
from uncommon_im.transforms.rules.alerts.alert import Alert, AlertWriter
from uncommon_im.transforms.rules.alerts.figures import ActivityFigures
from uncommon_im.transforms.rules.baseline import formula
from uncommon_im.transforms.rules.baseline.prevalence import measure
from uncommon_im.transforms.rules.baseline.sightings import Coverage
from uncommon_im.transforms.rules.baseline.subjects import KINDS, SubjectKind
from uncommon_im.transforms.rules.baseline.tables import with_codes
from uncommon_im.transforms.rules.verdicts.deduplication import EarlierAlert, deduplicate
from uncommon_im.transforms.rules.verdicts.verdict import (
    NOT_ACTIVE,
    UNDECIDED,
    VERDICT_COLUMNS,
    Activation,
    matched_variations,
    verdicts,
)

VerdictRow = dict[str, Any]
DeduplicationKey = tuple[str, ...]
DEDUPLICATION_KEY: Final = ("tenant", "host", "program", "origin", "reduced_script", "service")


@dataclass(frozen=True)
class Candidate:
    """A rare activity that repeats nothing; flood control decides whether its alert is raised."""

    alert: Alert
    key: DeduplicationKey
    group: tuple[str, str]
    time: int
    row: VerdictRow

    @property
    def order(self) -> tuple[int, str, str, str]:
        """The order in which flood control looks at a group."""
        return self.time, self.alert["event_id"], self.alert["host"]["id"], self.alert["alert_id"]

    @property
    def as_earlier(self) -> EarlierAlert:
        """What deduplication looks at."""
        return EarlierAlert(self.time, self.alert["severity"], self.alert["event_id"], self.alert["alert_id"])


@dataclass(frozen=True, eq=False)
class Judgement:
    """What became of the activities of some hosts.

    Args:
        counts: verdict -> activities, but for those that flood control decides.
        rows: one verdict row for each of these activities, if the run wants them.
        candidates: rare activities that repeat nothing; flood control decides.
        as_earlier: the candidates as later activities see them: alerts already raised or rolled up, of `SAID_SCHEMA`; a
            repeat of one is a duplicate.
        evidence: of `RARE_ACTIVITY_SCHEMA`, if the run wants it.
    """

    counts: Counter[str]
    rows: list[VerdictRow]
    candidates: list[Candidate]
    as_earlier: pa.Table
    evidence: pa.Table | None = None


@dataclass(frozen=True)
class JudgeSettings:
    """How activities are judged.

    Args:
        writer: writes the alerts.
        start: µs since 1970; earlier activities only train. `None`: none does.
        with_rows: also write a row for each verdict.
        learning_since: service -> day number from which it counts coverage.
        as_of: day number at which a snapshot is taken. `None`: none is.
        evidence: limits as far as evidence counts other hosts, not below the detector's; `None`: the run wants none.
    """

    writer: AlertWriter
    start: int | None
    with_rows: bool = False
    learning_since: Mapping[str, int] = field(default_factory=dict)
    as_of: int | None = None
    evidence: Limits | None = None

    @property
    def limits(self) -> Limits:
        """The detector's limits."""
        return self.writer.detector.limits


class Judge:
    """Judges all activities of some hosts."""

    def __init__(self, settings: JudgeSettings, coverage: Coverage) -> None:
        """Judges by `settings`; `coverage` is that of the tenants."""
        self._settings, self._limits = settings, settings.limits
        self._activation = Activation(coverage, self._limits, settings.learning_since)

    def judge(
        self,
        activities: pa.Table,
        own: pa.Table,
        answers: pa.Table,
        before: pa.Table,
        complete: Callable[[pa.Table], pa.Table] = lambda table: table,
    ) -> Judgement:
        """The verdicts of activities.

        Args:
            activities: merged, all there are of their hosts; of `ACTIVITY_SCHEMA`, or of those of its columns that
                verdicts need.
            own: sightings of these hosts, of `SIGHTING_SCHEMA`.
            answers: of `ANSWER_SCHEMA`, for every subject and day of the activities that are not training.
            before: earlier alerts, of `SAID_SCHEMA`.
            complete: gives some rows of `activities` all columns of `ACTIVITY_SCHEMA`.
        """
        if not activities.num_rows:
            return Judgement(Counter(), [], [], SAID_SCHEMA.empty_table())
        settings, wider = self._settings, self._settings.evidence
        coverage = self._activation.coverage_of(activities)
        own, answers = with_codes(own), with_codes(answers)
        common = measure(activities, "communication", answers, own, wider or self._limits)
        verdict = verdicts(activities, coverage, common, self._limits, settings.start)
        undecided = verdict == UNDECIDED
        counts = Counter(verdict[~undecided].tolist())
        rows: list[VerdictRow] = []
        if settings.with_rows:
            decided = activities.select(VERDICT_COLUMNS).filter(pa.array(~undecided)).to_pylist()
            rows = [
                row | {"verdict": v, "duplicate_of": None} for row, v in zip(decided, verdict[~undecided], strict=True)
            ]
        evidence = None
        if wider is not None:
            beyond = formula.is_common_in_organisation(common.other_hosts, "communication", wider)
            rare = complete(activities.filter(pa.array(~np.isin(verdict, NOT_ACTIVE) & ~beyond)))
            writer = settings.writer
            evidence = rare_activities(rare, answers, own, wider, writer.catalogue, writer.host_names)
        rest = complete(activities.filter(pa.array(undecided)))
        keyed = self._candidates(rest, own, answers, coverage[undecided]) if rest.num_rows else {}
        candidates, duplicates = without_repeats(keyed, earlier_alerts(before), self._limits)
        counts["duplicate"] += len(duplicates)
        rows += duplicates if settings.with_rows else []
        return Judgement(counts, rows, candidates, _alerts_table(candidates), evidence)

    def _candidates(
        self, rest: pa.Table, own: pa.Table, answers: pa.Table, coverage: np.ndarray[Any, Any]
    ) -> dict[DeduplicationKey, list[Candidate]]:
        """Candidates of the undecided activities, by what deduplication looks at together."""
        figures = {kind: measure(rest, kind, answers, own, self._limits) for kind in KINDS}
        found: defaultdict[DeduplicationKey, list[Candidate]] = defaultdict(list)
        for row, activity in enumerate(rest.to_pylist()):
            shown = {kind: figures[kind].at(row) for kind in KINDS if activity[kind] is not None}
            candidate = candidate_of(self._settings.writer, activity, shown, int(coverage[row]))
            found[candidate.key].append(candidate)
        return found


def candidate_of(
    writer: AlertWriter, activity: Mapping[str, Any], shown: Mapping[SubjectKind, Mapping[str, Any]], coverage: int
) -> Candidate:
    """The candidate that a rare activity is.

    Args:
        writer: writes its alert.
        activity: a row of `ACTIVITY_SCHEMA`.
        shown: the prevalence of each subject that it has, as `Prevalence.at` gives it.
        coverage: days with telemetry in its window.
    """
    execution = shown.get("execution")
    execution_rare = execution is not None and formula.is_rare(
        execution["other_hosts"], execution["host_days"], "execution", writer.detector.limits
    )
    variations = matched_variations(bool(activity["reasons"]), bool(execution_rare))
    figures = ActivityFigures(
        communication=shown["communication"],
        execution=execution,
        parentage=shown.get("parentage"),
        binary=shown.get("binary"),
        service_use=shown.get("service_use"),
        hour_of_day=shown.get("hour_of_day"),
        coverage_days=coverage,
    )
    alert = writer.write(activity, variations, figures)
    row = {name: activity[name] for name in VERDICT_COLUMNS} | {"alert_id": alert["alert_id"]}
    key = tuple(activity[name] for name in DEDUPLICATION_KEY)
    return Candidate(alert, key, (alert["group_id"], alert["variation"]), activity["event_time"], row)


def without_repeats(
    keyed: Mapping[DeduplicationKey, list[Candidate]],
    earlier: Mapping[DeduplicationKey, list[EarlierAlert]],
    limits: Limits,
) -> tuple[list[Candidate], list[VerdictRow]]:
    """(candidates that are no repeats, verdict rows of those that are).

    Args:
        keyed: candidates by what deduplication looks at together.
        earlier: alerts before them.
        limits: the period.
    """
    kept: list[Candidate] = []
    duplicates: list[VerdictRow] = []
    for key, candidates in keyed.items():
        twins: defaultdict[EarlierAlert, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            twins[candidate.as_earlier].append(candidate)
        items = [candidate.as_earlier for candidate in candidates]
        for item, original in deduplicate(items, limits, earlier.get(key, ())):
            candidate = twins[item].pop()
            if original is None:
                kept.append(candidate)
            else:
                duplicates.append(candidate.row | {"verdict": "duplicate", "duplicate_of": original.alert_id})
    return kept, duplicates


def earlier_alerts(table: pa.Table) -> dict[DeduplicationKey, list[EarlierAlert]]:
    """Rows of `SAID_SCHEMA` by what deduplication looks at together."""
    alerts: defaultdict[DeduplicationKey, list[EarlierAlert]] = defaultdict(list)
    for row in table.to_pylist():
        key = tuple(row[name] for name in DEDUPLICATION_KEY)
        alerts[key].append(EarlierAlert(row["time"], row["severity"], row["event_id"], row["alert_id"]))
    return alerts


def _alerts_table(candidates: list[Candidate]) -> pa.Table:
    rows = [
        dict(zip(DEDUPLICATION_KEY, candidate.key, strict=True)) | asdict(candidate.as_earlier)
        for candidate in candidates
    ]
    return pa.Table.from_pylist(rows, schema=SAID_SCHEMA)
