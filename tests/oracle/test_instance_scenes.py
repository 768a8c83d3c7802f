"""What section 2a can get wrong is in twenty random organisations, each of it more than once. No engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.oracle import Result, catalogue, detect
from tests.oracle.activities import communication_of, destination_of
from tests.oracle.command_lines import engine_of
from tests.oracle.detect import day_number, read_events
from tests.oracle.events import DeadLetterError, Event, normalise
from tests.oracle.instances import COLUMNS, DAY, SIGNER, STATUS, completed, in_reach, instance_of, is_start
from tests.organisations import Organisation, random_organisation

SEEDS = range(20)
EXPECTED = {
    "shape: whole", "shape: half", "shape: bare",
    "start: exactly as old as the lookback", "start: a microsecond older", "start: at the event's time",
    "start: a microsecond after", "start: none at all", "start: only after", "start: only too long before",
    "starts: of one time, other ids", "starts: of one time and id, other content", "starts: one twice",
    "starts: the last has gaps", "starts: weeks apart", "start: without id", "start: name from its path",
    "start: before the range of the event", "start: out of range", "start: dead letter",
    "guid: on two hosts", "guid: on one host of two tenants", "guid: another but for case", "guid: with spaces",
    "event: without id", "event: out of range", "event: of no range yet", "event: failed", "event: inbound",
    "event: elsewhere", "event: failed lookup",
    "says otherwise: process_name", "says otherwise: os", "says otherwise: process_signature_status",
    "says otherwise: user_name", "from start: script", "from start: script of the owner",
    "from start: signature, for a signer that was given", "from start: signature without signer",
    "from start: resolver", "from start: suspicion", "from start: exception",
    *(f"from start: {name}" for name in COLUMNS),
    *(
        f"verdict of a completed event: {verdict}"
        for verdict in ("training", "learning", "common_in_organisation", "common_on_host", "excepted", "duplicate")
    ),
    "verdict of a completed event: rolled_up", "verdict of a completed event: alert",
    *(f"lookback: {days}" for days in (0, 1, 7, 30)),
}  # fmt: skip


@dataclass
class Situations:
    """What an organisation holds of processes, their starts and their connections."""

    organisation: Organisation

    @cached_property
    def events(self) -> list[Event]:
        """Valid ones in the run's range."""
        return read_events(self.organisation.records, self.organisation.options, Result())

    @cached_property
    def starts(self) -> dict[Hashable, list[Event]]:
        """By instance."""
        found = defaultdict(list)
        for event in filter(is_start, self.events):
            found[instance_of(event)].append(event)
        return found

    def all(self) -> Counter[str]:
        """How often each occurs."""
        found = Counter([*self.of_records(), *self.of_guids(), *self.of_verdicts()])
        for event, done in zip(self.events, completed(self.events, self.organisation.options), strict=True):
            if "process_guid" not in event.columns or is_start(event):
                continue
            if destination_of(event, self.organisation.options) is None:
                found[self.of_no_communication(event)] += 1
                continue
            found.update(self.of_event(event))
            found.update(self.of_ages(event, self.starts[instance_of(event)]))
            if done.completed_from is not None:
                found.update(self.of_completed(event, done, done.completed_from))
        return found

    def of_records(self) -> Iterator[str]:
        """What is told by the records as they are."""
        options = self.organisation.options
        yield f"lookback: {options.process_lookback_days}"
        for record in self.organisation.records:
            guid = record.get("process_guid")
            kind = "start" if str(record.get("event_type")).strip().lower() == "process" else "event"
            if guid in (None, "-"):
                continue
            if guid != guid.strip():
                yield "guid: with spaces"
            try:
                event = normalise(record, options.tenant)
            except DeadLetterError:
                yield f"{kind}: dead letter"
                continue
            if kind == "start" and not (record.get("process_name") or "").strip():
                yield "start: name from its path"
            if options.end is not None and event.day >= day_number(options.end):
                yield f"{kind}: out of range"

    def of_guids(self) -> Iterator[str]:
        """One name of more than one instance, and one instance of more than one process."""
        places = defaultdict(set)
        for tenant, host, guid in self.starts:  # type: ignore[misc]
            places[guid].add((tenant, host))
        for found in places.values():
            if len({host for _, host in found}) > 1:
                yield "guid: on two hosts"
            if len({host for _, host in found}) < len(found):
                yield "guid: on one host of two tenants"
        guids = {event.text("process_guid") for event in self.events}
        for (_, _, guid), starts in self.starts.items():  # type: ignore[misc]
            if guid.lower() != guid and guid.lower() in guids:
                yield "guid: another but for case"
            if max(start.time for start in starts) - min(start.time for start in starts) > 14 * DAY:
                yield "starts: weeks apart"

    def of_verdicts(self) -> Iterator[str]:
        """What becomes of completed events."""
        options = self.organisation.options
        ids = {event.event_id for event in completed(self.events, options) if event.completed_from is not None}
        for row in detect(self.organisation.records, options).activities:
            if row["event_id"] in ids:
                yield f"verdict of a completed event: {row['verdict']}"

    @staticmethod
    def of_no_communication(event: Event) -> str:
        """Why it is none."""
        if event.failed or event.columns.get("dns_status"):
            return "event: failed" if event.failed else "event: failed lookup"
        return "event: inbound" if event.text("direction") == "inbound" else "event: elsewhere"

    def of_event(self, event: Event) -> Iterator[str]:
        """How much it says itself."""
        said = event.columns.keys() & COLUMNS
        whole = len(said) == len(COLUMNS) and STATUS in event.columns
        yield f"shape: {'whole' if whole else 'bare' if not event.name else 'half'}"
        if '"event_id"' not in event.document:
            yield "event: without id"
        begins = self.organisation.options.start
        if begins is not None and event.day < day_number(begins):
            yield "event: of no range yet"

    def of_ages(self, event: Event, starts: list[Event]) -> Iterator[str]:
        """When its process may have started."""
        options = self.organisation.options
        lookback = options.process_lookback_days * DAY
        borders = {
            lookback: "exactly as old as the lookback",
            lookback + 1: "a microsecond older",
            0: "at the event's time",
            -1: "a microsecond after",
        }
        ages = [event.time - start.time for start in starts]
        yield from (f"start: {borders[age]}" for age in ages if lookback and age in borders)
        if not starts:
            yield "start: none at all"
        elif max(ages) < 0:
            yield "start: only after"
        elif min(ages) > lookback > 0:
            yield "start: only too long before"
        yield from self.of_choice([start for start in starts if in_reach(start.time, event.time, options)])

    def of_choice(self, starts: list[Event]) -> Iterator[str]:
        """Between what a start must be chosen."""
        last = [start for start in starts if start.time == max(start.time for start in starts)]
        contents, ids = {start.document for start in last}, {start.event_id for start in last}
        if len(last) > len(contents):
            yield "starts: one twice"
        if len(ids) > 1:
            yield "starts: of one time, other ids"
        elif len(contents) > 1:
            yield "starts: of one time and id, other content"
        if any(start.columns.keys() - last[0].columns.keys() for start in starts):
            yield "starts: the last has gaps"

    def of_completed(self, event: Event, done: Event, start: Event) -> Iterator[str]:
        """What its start says."""
        yield from (f"from start: {name}" for name in COLUMNS if done.columns.get(name) != event.columns.get(name))
        for name in {*COLUMNS, STATUS} & event.columns.keys() & start.columns.keys():
            if event.columns[name] == done.columns[name] != start.columns[name]:
                yield f"says otherwise: {name}"
        lines = {"": done.text("process_name"), " of the owner": done.text("causality_process_name")}
        for whose, name in lines.items():
            line = "causality_process_command_line" if whose else "process_command_line"
            if engine_of(name) is not None and line not in event.columns and line in done.columns:
                yield f"from start: script{whose}"
        if event.text(STATUS) != done.text(STATUS):
            if SIGNER in event.columns:
                yield "from start: signature, for a signer that was given"
            if SIGNER not in done.columns:
                yield "from start: signature without signer"
        if '"event_id"' not in start.document:
            yield "start: without id"
        begins = self.organisation.options.start
        if begins is not None and start.day < day_number(begins) <= event.day:
            yield "start: before the range of the event"
        yield from self.of_communication(event, done)

    def of_communication(self, event: Event, done: Event) -> Iterator[str]:
        """What looks at completed values."""
        options = self.organisation.options
        before, after = communication_of(event, options), communication_of(done, options)
        if after is None:
            if catalogue.load().classes["resolver"].has(done.name, done.os):
                yield "from start: resolver"
        elif before is not None:
            if after.excepted and not before.excepted:
                yield "from start: exception"
            if set(after.reasons) - set(before.reasons):
                yield "from start: suspicion"


def test_what_section_2a_can_get_wrong_occurs_in_twenty_organisations() -> None:
    found: Counter[str] = Counter()
    for seed in SEEDS:
        found += Situations(random_organisation(seed)).all()
    assert not {name: found[name] for name in EXPECTED if found[name] < 2}
