"""Random organisations: small, deterministic by seed, and made of everything a detector may get wrong.

`python -m tests.organisations` prints how often each verdict and variation occurs over the first twenty seeds.
"""

from __future__ import annotations

import glob
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tests.oracle import Options, detect, scenes_identity, scenes_instances, scenes_records, scenes_starts, scenes_time
from tests.oracle.builder import DAYS, ELSEWHERE, FIRST_DAY, Builder, Record, chrome, plain
from tests.oracle.events import DeadLetterError, normalise
from tests.oracle.identity import origin_of

Scene = Callable[[Builder, str], None]
SCENES: tuple[Scene, ...] = (
    *scenes_time.SCENES,
    *scenes_identity.SCENES,
    *scenes_records.SCENES,
    *scenes_instances.SCENES,
    *scenes_starts.SCENES,
)
LOOKBACKS = (7, 1, 7, 7, 0, 7, 30, 7)
PARENTS = ("explorer.exe", "C:\\Windows\\Explorer.EXE", "systemd", "/usr/lib/systemd/systemd", "launchd", "C:\\")
IM_SERVICES = ("telegram", "discord", "slack")
ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Pacific/Chatham")
PAUSES = {
    "steady": range(DAYS),
    "late": range(28, DAYS),
    "paused": [*range(25), *range(44, DAYS)],
    "sparse": range(0, DAYS, 2),
    "border": [*range(14), *range(34, DAYS)],
}


@dataclass(frozen=True)
class Organisation:
    """Records, the limits to run them with, and what is in them."""

    records: list[Record]
    options: Options
    story: str


def random_organisation(seed: int) -> Organisation:
    """The organisation of this seed; the same seed gives the same organisation."""
    rng = random.Random(f"organisation {seed}")
    tenants = random_tenants(rng)
    builder = Builder(rng, {name: list(PAUSES[pause]) for name, pause in tenants.items()})
    for tenant in tenants:
        heartbeats(builder, tenant)
    story = []
    for number, scene in enumerate(SCENES):
        if (seed + number) % 3 == 0:
            continue
        tenant = "default" if rng.random() < 0.8 else rng.choice(list(tenants))
        scene(builder, tenant)
        story.append(f"{scene.__name__} in {tenant}")
    name_images_and_parents(builder.records, random.Random(f"images and parents {seed}"))
    deliver_again(builder)
    rng.shuffle(builder.records)
    options = replace(
        random_options(rng, seed, builder.exceptions),
        dispositions=random_dispositions(builder.records, random.Random(f"dispositions {seed}")),
    )
    about = ", ".join(f"{name} {pause}" for name, pause in tenants.items())
    return Organisation(builder.records, options, f"seed {seed}: {about}; {'; '.join(story)}; {options}")


def random_tenants(rng: random.Random) -> dict[str, str]:
    """Tenants by name with how they deliver; the default one never pauses for long."""
    others = ["late", "paused", "sparse", "border"]
    count = rng.choice((0, 1, 2, 2))
    names = ["globex", "initech"][:count]
    return {"default": "steady"} | dict(zip(names, rng.sample(others, count), strict=True))


def heartbeats(b: Builder, tenant: str) -> None:
    """Every day on which a tenant delivers has an event of little interest; some share hosts' names."""
    for day in b.tenants[tenant]:
        if b.rng.random() < 0.97:
            b.add(tenant, "shared-host", day, b.moment(), chrome(), ELSEWHERE)
        if b.rng.random() < 0.25:
            # A program that is rare in one tenant is no less rare because of another tenant.
            courier = plain("courier", "/opt/courier/")
            b.add(tenant, f"box{b.rng.randrange(6)}", day, b.moment(), courier, remote_host="chat.zulip.org")


def name_images_and_parents(records: list[Record], rng: random.Random) -> None:
    """Some events have the image's digest, a parent, a causality owner: few of each, so that they come again."""
    for record in records:
        name = record.get("process_name")
        if not name or not isinstance(name, str):
            continue
        if rng.random() < 0.6:
            digest = hashlib.sha256(f"{name} {rng.choice((1, 1, 1, 2))}".encode()).hexdigest()
            record.setdefault("process_sha256", rng.choice((digest, digest.upper())))
        if rng.random() < 0.5:
            record.setdefault("parent_process_name", rng.choice(PARENTS))
        if rng.random() < 0.3:
            record.setdefault("causality_process_name", rng.choice((*PARENTS, name)))


def deliver_again(b: Builder) -> None:
    """Some records come twice, a few of them with their time written otherwise or with more spaces."""
    for record in b.rng.sample(b.records, len(b.records) // 15):
        again = dict(record)
        if b.rng.random() < 0.3:
            again["host_id"] = f" {again['host_id']} "
            again["bytes_sent"] = again.get("bytes_sent")
        b.records.append(again)


def random_options(rng: random.Random, seed: int, exceptions: list[Record]) -> Options:
    """Defaults for most seeds; other limits, a start or an end for some."""
    changed: dict[str, Any] = {"max_alerts_per_group": rng.choice((25, 25, 3, 1, 0))}
    if seed % 4 == 1:
        changed["start"] = date(2026, 3, 1) + timedelta(days=rng.randint(20, 42))
    if seed % 4 == 2:
        changed["end"] = date(2026, 3, 1) + timedelta(days=rng.randint(48, 60))
    if seed % 4 == 3:
        changed |= {
            "training_days": rng.choice((30, 14, 21)),
            "activation_days": rng.choice((14, 7, 1)),
            "guard_days": rng.choice((0, 1, 5)),
            "max_other_hosts": rng.choice((0, 1, 5)),
            "max_host_days": rng.choice((0, 1, 4)),
            "execution_max_other_hosts": rng.choice((0, 3, 5)),
            "execution_max_host_days": rng.choice((0, 2, 3)),
            "deduplication_hours": rng.choice((24, 12, 48)),
        }
    changed["operator_ranges"] = rng.random() < 0.3
    changed["process_lookback_days"] = LOOKBACKS[seed % len(LOOKBACKS)]
    changed["time_zone"] = ZONES[seed % len(ZONES)]
    return Options(exceptions=tuple(exceptions), **changed)


def random_dispositions(records: list[Record], rng: random.Random) -> tuple[Record, ...]:
    """What analysts decided about some records: of a program, on a host or on all, about a service or anything."""
    decided = []
    for record in rng.sample(records, rng.choice((0, 2, 6))):
        try:
            event = normalise(record, "default")
        except DeadLetterError:
            continue
        values = {
            "process_name": event.name,
            "origin": glob.escape(origin_of(event)),
            "host_id": event.host.upper(),
            "service_id": rng.choice((*IM_SERVICES, "[a-z]*")),
            "signer": event.text("process_signer"),
            "user_name": event.text("user_name"),
            "remote_host": event.text("remote_host"),
        }
        chosen = [name for name in rng.sample(list(values), rng.choice((1, 2, 3))) if values[name]]
        entry: Record = {name: values[name] for name in chosen}
        days = sorted((FIRST_DAY + timedelta(days=rng.randrange(DAYS))).date().isoformat() for _ in range(2))
        entry |= rng.choice(({}, {"from": days[0]}, {"until": days[1]}, {"from": days[0], "until": days[1]}))
        if chosen:
            decided.append({**entry, "disposition": rng.choice(("malicious", "malicious", "benign")), "reason": "r"})
    return tuple(decided)


def totals(seeds: range) -> dict[str, Counter[str]]:
    """Verdicts, alerts by variation, reasons, dead letters and other counts over these seeds."""
    found: dict[str, Counter[str]] = {
        name: Counter() for name in ("verdicts", "alerts", "reasons", "attribution", "dead letters", "other")
    }
    for seed in seeds:
        organisation = random_organisation(seed)
        result = detect(organisation.records, organisation.options)
        found["verdicts"] += result.verdicts
        found["alerts"].update("+".join(alert["matched_variations"]) for alert in result.alerts)
        found["reasons"].update(reason for alert in result.alerts for reason in alert["suspicion_reasons"])
        found["attribution"].update(alert["destination"]["attribution"] for alert in result.alerts)
        found["dead letters"] += result.dead_letters
        found["other"]["records"] += result.read
        found["other"]["out of range"] += result.out_of_range
        found["other"]["communications"] += result.communications
        found["other"]["communications without process"] += result.communications_without_process
        found["other"]["completed alerts"] += sum(
            alert["process"]["completed_from"] is not None for alert in result.alerts
        )
        found["other"]["saturated"] += sum(alert["group_saturated"] for alert in result.alerts)
        found["other"]["most records"] = max(found["other"]["most records"], result.read)
    return found


if __name__ == "__main__":
    for title, counts in totals(range(20)).items():
        print(f"{title}: {dict(sorted(counts.items()))}")
