"""From normalised events to communications and executions (specification, sections 1, 3 and 4).

Each distinct host, address and combination of process columns is looked at once per batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uncommon_im.schemas.event import PROCESS_GUID
from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask, Text, constant, group_rows, text_of
from uncommon_im.transforms.rules.columns.text import memoise, memoise_together
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.recognition.destination import Destinations, Match
from uncommon_im.transforms.rules.recognition.entries import Told, matched
from uncommon_im.transforms.rules.recognition.exceptions import NO_EXCEPTIONS, Exceptions
from uncommon_im.transforms.rules.recognition.identity import Actor, Identities, Identity
from uncommon_im.transforms.rules.recognition.suspicion import Process

_PROCESS_COLUMNS: Final = ("os", "process_name", "process_path")
_COMMAND_COLUMNS: Final = (
    "process_command_line",
    "causality_process_name",
    "causality_process_command_line",
)
EXECUTION_COLUMNS: Final = (*_PROCESS_COLUMNS, *_COMMAND_COLUMNS)
_KNOWN_EXECUTION: Final = "known execution"
"""The fingerprint of an execution of which only that is known: a snapshot kept it instead of a command line."""
_SIGNATURE_COLUMNS: Final = ("process_signature_status", "process_signer", "parent_process_name")
_REMEMBERED: Final = 1 << 17
"""Distinct values of each kind whose result is remembered: bounds memory, not correctness."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Rows of a batch that are communications if their process is known, and is none that speaks for others.

    Row `i` here is row `rows[i]` of the batch; its destination is `matches[match[i]]`.
    """

    rows: Longs
    matches: list[Match]
    match: Codes

    def take(self, kept: Mask) -> Candidates:
        """The candidates where `kept` is true."""
        return replace(self, rows=self.rows[kept], match=self.match[kept])


@dataclass(frozen=True, eq=False)
class Communications:
    """The communications of a batch; row `i` here is row `rows[i]` of the batch.

    Identities and matches repeat, so each row points to one of few: `identities[identity[i]]`,
    `matches[match[i]]`. What is `malicious` is no sighting.
    """

    rows: Longs
    matches: list[Match]
    match: Codes
    identities: list[Identity]
    identity: Codes
    excepted: Mask
    malicious: Mask

    def take(self, kept: Mask) -> Communications:
        """The communications where `kept` is true."""
        names = ("rows", "match", "identity", "excepted", "malicious")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def teaching(self, table: pa.Table) -> pa.Table:
        """The rows of a table, one per communication, of those that are sightings."""
        return table.filter(pa.array(~self.malicious)) if self.malicious.any() else table


class Recogniser:
    """Finds communications and executions in batches of events, and remembers what it has looked at."""

    def __init__(
        self,
        destinations: Destinations,
        identities: Identities,
        exceptions: Exceptions = NO_EXCEPTIONS,
        malicious: Exceptions = NO_EXCEPTIONS,
    ) -> None:
        """Asks the catalogue's hosts and ranges, its view of processes, the user's exceptions and what is malicious."""
        self.identities = identities
        self.exceptions = exceptions
        self.malicious = malicious
        self._malicious_anywhere = any("service_id" not in dict(entry.globs) for entry in malicious.entries)
        self._destinations = destinations
        self._service_ids = [service.id for service in identities.catalogue.services]
        self._match_host = memoise(destinations.match_host, _REMEMBERED)
        self._match_address = memoise(destinations.match_address, _REMEMBERED)
        self._identity = memoise_together(self._identify, _REMEMBERED)
        self._fingerprint = memoise_together(identities.engines.execution, _REMEMBERED)

    def candidates(self, events: Events, used: Mask) -> Candidates:
        """What of the `used` rows of a batch is a communication but for its process."""
        match, matches = self._matches(events)
        rows = np.flatnonzero((match >= 0) & used)
        rows = rows[~events.is_kind("process", rows)]
        rows = rows[~events.failed_at(rows)]
        inbound = events.text_at("direction", rows).lookup(lambda value: value.lower() == "inbound", False, np.bool_)
        rows = rows[~inbound]
        status = events.numbers_at("dns_status", rows)
        rows = rows[~(events.is_kind("dns", rows) & status.present & (status.values != 0))]
        return Candidates(rows, matches, match[rows])

    def communications(self, events: Events, candidates: Candidates) -> Communications:
        """The communications among the candidates of a batch."""
        candidates = candidates.take(events.text_at("process_name", candidates.rows).present)
        rows, match, matches = candidates.rows, candidates.match, candidates.matches
        service_code = {service_id: code for code, service_id in enumerate(self._service_ids)}
        service = np.array([service_code[m.service_id] for m in matches], np.int32)[match]
        identity, identities, resolver = self._identities(events, rows, service)
        none = np.zeros(len(rows), np.bool_)
        found = Communications(rows, matches, match, identities, identity, none, none)
        found = found.take(~(events.is_kind("dns", rows) & resolver))
        told: Told = {
            "origin": lambda: ([each.origin for each in found.identities], found.identity),
            "service_id": lambda: ([each.service_id for each in found.matches], found.match),
        }
        excepted, malicious = (matched(events, found.rows, each, told) for each in (self.exceptions, self.malicious))
        return replace(found, excepted=excepted, malicious=malicious)

    def executions(self, events: Events, used: Mask, communications: Communications) -> tuple[Longs, Codes, list[str]]:
        """Executions of scripting engines among the `used` rows, whatever their type or destination.

        A connection or lookup that only points to its process's start has none: its start has it (section 2a). What is
        malicious is left out: it is no sighting.

        Args:
            communications: those among the rows, whatever they lack.

        Returns:
            (rows, code of each row's fingerprint, fingerprints).
        """
        names, owners = events.text("process_name"), events.text("causality_process_name")
        own, owned = self._are_engines(names), self._are_engines(owners)
        rows = np.flatnonzero((own | owned) & used)
        rows = rows[~_points_to_start(events, rows) | np.isin(rows, communications.rows)]
        if self.malicious.entries:
            rows = rows[~self._malicious(events, rows, communications)]
        own = own[rows]
        columns = {name: events.text_at(name, rows) for name in _PROCESS_COLUMNS}
        columns |= self._command_lines(events, rows, own, ~own)
        columns["process_path"] = _masked(columns["process_path"], own)
        group, first = group_rows([column.codes for column in columns.values()]) if len(rows) else (rows, rows)
        fingerprints: dict[str, int] = {}
        codes = [
            fingerprints.setdefault(known or self._fingerprint(*values) or "", len(fingerprints))
            for *values, known in _tuples(columns, (*EXECUTION_COLUMNS, _KNOWN_EXECUTION), first)
        ]
        return rows, np.array(codes, np.int32)[group] if len(rows) else group.astype(np.int32), list(fingerprints)

    def _are_engines(self, names: Text) -> Mask:
        engines = self.identities.engines
        return names.among(engines.pattern, lambda name: engines.find(name) is not None)

    def _identify(self, service_id: str, *actor: str | None) -> tuple[Identity, bool]:
        """(identity, whether the process is a resolver without suspicion)."""
        os, name, path, command_line, owner, owner_command_line, known, status, signer, parent = actor
        process = Process(os, name or "", path, status, signer, parent)
        identity = self.identities.identify(Actor(process, command_line, owner, owner_command_line, known), service_id)
        return identity, not identity.reasons and self.identities.suspicions.is_resolver(process)

    def _matches(self, events: Events) -> tuple[Codes, list[Match]]:
        """Code of each row's match, -1 for none: by name, else by address."""
        matches: dict[Match, int] = {}

        def code(match: Match | None) -> int:
            return -1 if match is None else matches.setdefault(match, len(matches))

        by_name = events.text("remote_host").lookup_some(
            self._destinations.may_be_name, lambda host: code(self._match_host(host)), -1, np.int32
        )
        by_address = events.text("remote_ip").lookup_some(
            self._destinations.may_be_address, lambda address: code(self._match_address(address)), -1, np.int32
        )
        return np.where(by_name >= 0, by_name, by_address), list(matches)

    def _identities(self, events: Events, rows: Longs, service: Codes) -> tuple[Codes, list[Identity], Mask]:
        """(code of each row's identity, identities, rows whose process is a resolver without suspicion)."""
        if not len(rows):
            return rows.astype(np.int32), [], np.zeros(0, np.bool_)
        columns = {name: events.text_at(name, rows) for name in (*_PROCESS_COLUMNS, *_SIGNATURE_COLUMNS)}
        own = self._are_engines(columns["process_name"])
        columns |= self._command_lines(events, rows, own, ~own)
        group, first = group_rows([service, *(column.codes for column in columns.values())])
        identities: dict[Identity, int] = {}
        codes, resolvers = [], []
        actors = _tuples(columns, (*EXECUTION_COLUMNS, _KNOWN_EXECUTION, *_SIGNATURE_COLUMNS), first)
        for code, actor in zip(service[first], actors, strict=True):
            identity, resolver = self._identity(self._service_ids[code], *actor)
            codes.append(identities.setdefault(identity, len(identities)))
            resolvers.append(resolver)
        return np.array(codes, np.int32)[group], list(identities), np.array(resolvers, np.bool_)[group]

    def _command_lines(self, events: Events, rows: Longs, own: Mask, other: Mask) -> dict[str, Text]:
        """The columns that decide about an execution, missing where they do not."""
        owner = events.text_at("causality_process_name", rows)
        owned = other & self._are_engines(owner)
        return {
            "process_command_line": _text_where(events, "process_command_line", rows, own),
            "causality_process_name": _masked(owner, owned),
            "causality_process_command_line": _text_where(events, "causality_process_command_line", rows, owned),
            _KNOWN_EXECUTION: _known_executions(events, rows, own, owned),
        }

    def _malicious(self, events: Events, rows: Longs, communications: Communications) -> Mask:
        """Which of some rows are malicious, be they communications or not: others have no service."""
        found = np.isin(rows, communications.rows[communications.malicious])
        if self._malicious_anywhere:
            others = np.flatnonzero(~np.isin(rows, communications.rows))
            nowhere = np.zeros(len(others), np.int32)

            def origins() -> tuple[list[str], Codes]:
                codes, identities, _ = self._identities(events, rows[others], nowhere)
                return [each.origin for each in identities], codes

            told: Told = {"origin": origins, "service_id": lambda: ([None], nowhere)}
            found[others] = matched(events, rows[others], self.malicious, told)
        return found


def _points_to_start(events: Events, rows: Longs) -> Mask:
    """Which connections and lookups name their process's instance, and lack its name or command line."""
    found = ~events.is_kind("process", rows)
    if found.any():
        found[found] = events.text_at(PROCESS_GUID, rows[found]).present
    if found.any():  # else nobody asks for command lines
        named, described = (events.text_at(name, rows[found]) for name in ("process_name", "process_command_line"))
        found[found] = ~(named.present & described.present)
    return found


def _tuples(columns: dict[str, Text], names: tuple[str, ...], rows: Longs) -> Iterator[tuple[str | None, ...]]:
    """The named columns' values of some rows."""
    return zip(*(columns[name].at_rows(rows) for name in names), strict=True)


def _masked(text: Text, kept: Mask) -> Text:
    """The column with other rows missing."""
    return Text(np.where(kept, text.codes, np.int32(-1)), text.dictionary)


def _known_executions(events: Events, rows: Longs, own: Mask, owned: Mask) -> Text:
    """What a snapshot kept of the executions of some rows."""
    if events.completed is None:
        return constant(None, len(rows))
    kept = {name: events.completed_at(name, rows) for name in ("process_execution", "causality_execution")}
    of_owner = pc.if_else(pa.array(owned), kept["causality_execution"], None)
    return text_of(pc.if_else(pa.array(own), kept["process_execution"], of_owner))


def _text_where(events: Events, name: str, rows: Longs, kept: Mask) -> Text:
    """A column at some rows, missing (and not read) where it is not wanted."""
    if not kept.any():
        return constant(None, len(rows))
    wanted = events.text_at(name, rows[kept])
    codes = np.full(len(rows), -1, np.int32)
    codes[kept] = wanted.codes
    return Text(codes, wanted.dictionary)
