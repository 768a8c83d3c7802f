"""The configuration that options give, and whether a run may start from a snapshot (specification, section 9)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta

from uncommon_im.pipeline.baselines.read_snapshot import Snapshot, open_snapshot
from uncommon_im.pipeline.configuration.configuration import Configuration, new_run_id
from uncommon_im.pipeline.configuration.options import BaselineOptions, DayOptions, DetectorOptions, FindingOptions
from uncommon_im.schemas.dispositions import load_dispositions, not_left_out
from uncommon_im.schemas.documents import require
from uncommon_im.schemas.exceptions import Packed, load_exceptions
from uncommon_im.schemas.snapshot import check_limits
from uncommon_im.transforms.rules.baseline.unlearning import Unlearning
from uncommon_im.transforms.rules.columns.local_time import zone_of

log = logging.getLogger(__name__)
NO_FINDINGS = FindingOptions()


def configuration_of(
    detector: DetectorOptions, days: DayOptions, baseline: BaselineOptions, findings: FindingOptions = NO_FINDINGS
) -> Configuration:
    """The configuration that options and the files they name give.

    Raises:
        ConfigurationError: an option or a file is wrong.
    """
    days.check()
    decided = load_dispositions(detector.dispositions)
    configuration = Configuration(
        detector=detector.card(),
        catalogue=detector.known.catalogue(),
        exceptions=Packed((*load_exceptions(detector.exceptions), *decided.benign)),
        malicious=decided.malicious,
        tenant=detector.tenant.strip(),
        operator_ranges=detector.known.operator_ranges,
        time_zone=zone_of(detector.time_zone).key,
        start=days.start,
        end=days.end,
        verdicts=findings.verdicts,
        evidence=findings.evidence,
        run_id=new_run_id(),
        baseline_out=baseline.baseline_out,
        redact=not findings.no_redact,
        alert_format=findings.alert_format,
    )
    baseline.check(days.end)
    if baseline.baseline_in is None:
        return configuration
    return with_baseline(configuration, open_snapshot(baseline.baseline_in), baseline.learn_changed_services)


def with_baseline(configuration: Configuration, snapshot: Snapshot, learn_changed_services: bool) -> Configuration:
    """The configuration of a run that starts from a snapshot; it is judged from the snapshot's day on.

    Args:
        configuration: the run's; without a `start` the snapshot's `as_of` is taken.
        snapshot: what it starts from.
        learn_changed_services: services that are new or changed since learn instead of stopping the run.

    Raises:
        ConfigurationError: the snapshot does not fit; says why and what to do.
    """
    path, as_of = snapshot.path, snapshot.metadata.as_of
    start = configuration.start or as_of
    require(
        start == as_of,
        f"--baseline-in {path}: the snapshot was taken at {as_of}, the run starts at {start}: "
        + (
            f"run the days from {as_of} first, or leave --start out"
            if start > as_of
            else f"it knows days that the run is to judge: take the snapshot of {start}"
        ),
    )
    require(
        configuration.end is None or configuration.end > as_of,
        f"--baseline-in {path}: the snapshot was taken at {as_of}: --end must be later",
    )
    check_limits(snapshot.metadata.limits, configuration.detector.limits, path)
    kept = snapshot.metadata.limits.countable_other_hosts
    require(
        configuration.counting_limits.max_other_hosts <= kept,
        f"--baseline-in {path}: the snapshot tells up to {kept} other hosts, --evidence {configuration.evidence} needs "
        f"more: give --evidence {kept}, or start from the snapshot of a run with --evidence {configuration.evidence}",
    )
    zone = snapshot.metadata.time_zone
    require(
        zone == configuration.time_zone,
        f"--baseline-in {path}: the snapshot's hours of the day are those of {zone}, this run's those of "
        f"{configuration.time_zone}: run with --time-zone {zone}, or take a new snapshot from the events",
    )
    require(
        snapshot.metadata.identity_digest == configuration.identity_digest,
        f"--baseline-in {path}: process classes, engines, exclusions, --operator-ranges or folding rules differ from "
        "the snapshot's: programs would have other names; take a new snapshot from the events",
    )
    return replace(
        configuration,
        start=start,
        baseline=replace(snapshot, unlearning=_unlearning(configuration, snapshot)),
        learning_since=_learning_since(configuration, snapshot, start, learn_changed_services),
    )


def _unlearning(configuration: Configuration, snapshot: Snapshot) -> Unlearning:
    """What is left out of a snapshot: what it learned before analysts called it malicious. Says what may be missing."""
    metadata = snapshot.metadata
    known = [not_left_out(entry, metadata.left_out, metadata.as_of) for entry in configuration.malicious]
    oldest = metadata.as_of - timedelta(days=metadata.limits.training_days)
    entries = tuple(entry for entry in known if entry and (entry.expires or oldest) >= oldest)
    if entries:
        log.warning(
            "--baseline-in %s: the snapshot is older than %d malicious dispositions, and may have learned from what "
            "they match. This is left out as far as a snapshot tells program, service and host. What it does not tell "
            "stays for %d days: scripts, parents, binaries, and hosts that it did not keep. For exact figures take a "
            "new snapshot from the events, with --dispositions",
            snapshot.path,
            len(entries),
            metadata.limits.training_days,
        )
    return Unlearning(entries)


def _learning_since(
    configuration: Configuration, snapshot: Snapshot, start: date, learn_changed_services: bool
) -> dict[str, date]:
    known, current = snapshot.metadata.service_digests, configuration.catalogue.service_digests
    changed = sorted(service for service in {*known, *current} if known.get(service) != current.get(service))
    require(
        learn_changed_services or not changed,
        f"--baseline-in {snapshot.path}: services differ from the snapshot's: {', '.join(changed)}: "
        "--learn-changed-services lets them learn first, or take a new snapshot from the events",
    )
    oldest = start - timedelta(days=configuration.detector.limits.training_days)
    still = {service: day for service, day in snapshot.metadata.learning_since.items() if day > oldest}
    return {service: day for service, day in (still | dict.fromkeys(changed, start)).items() if service in current}
