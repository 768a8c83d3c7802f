"""What the detector reads of a store: from the catalogue and from the mapping of the store's format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.schemas.event import EVENT_COLUMNS
from uncommon_im.schemas.mapping import VendorMapping, load_mappings
from uncommon_im.transforms.rules.exports.predicate import All, AnyOf, Condition, Is, Peers, Ran
from uncommon_im.transforms.rules.recognition.command_line import Engines
from uncommon_im.transforms.rules.recognition.destination import Destinations

NATIVE: Final = "native"
_IMAGES: Final = ("process_name", "process_path", "causality_process_name")


@dataclass(frozen=True)
class Source:
    """A store's records in one format.

    Args:
        format: as `--format` names it.
        table: where records are, unless the user says it.
        time: the field of the event's time.
        starts: what tells a start of a process.
        kinds: what of scripting engines is an event that can be used; `None`: all of the table.
        tops: how the names of the store's own fields begin; `()`: all that the mapping has.
        without: fields of the mapping that the store does not have.
        beside: fields that the reader needs and no column is made of.
    """

    format: str
    table: str
    time: str
    starts: Condition
    kinds: Condition | None = None
    tops: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every field of the store that the reader of the format looks at, once."""
        if self.format == NATIVE:
            return tuple(EVENT_COLUMNS)
        return self._own([*self.beside, *all_fields(_mapping(self.format))])

    def fields(self, *columns: str) -> tuple[str, ...]:
        """The fields that these native columns of connections and lookups are made of."""
        if self.format == NATIVE:
            return columns
        made = [
            field.field.removeprefix("$.")
            for _, name, column in _mapping(self.format).all_columns()
            if name in columns
            for field in column.all_fields
        ]
        return self._own(made)

    def _own(self, fields: Iterable[str]) -> tuple[str, ...]:
        own = dict.fromkeys(field for field in fields if not self.tops or field.startswith(self.tops))
        return tuple(field for field in own if field not in self.without)


def all_fields(mapping: VendorMapping) -> Iterator[str]:
    """Every field that a mapping looks at: of keys, columns, conditions."""
    for shape in mapping.shapes:
        for paths in shape.key.values():
            yield from map(".".join, paths)
    for _, _, column in mapping.all_columns():
        yield from (field.field.removeprefix("$.") for field in column.all_fields)
        yield from (".".join(path) for pair in column.differs for path in pair)
        yield from (".".join(path) for path, _ in column.unless)
    for skip in mapping.skips:
        yield from (".".join(path) for path, _ in skip.when)
        yield from map(".".join, skip.missing)
    for event in mapping.events:
        yield from (".".join(path) for group in event.needs for path in group)


def needed(source: Source, catalogue: Catalogue, operator_ranges: bool, without: Sequence[str] = ()) -> AnyOf:
    """The records that decide alerts: communications, executions of scripting engines, starts of processes.

    Args:
        source: whose fields are looked at.
        catalogue: whose hosts, ranges and engines.
        operator_ranges: ranges that carry their owner's other products count, too.
        without: fields that the store does not have.
    """
    peers = communicates(source, catalogue, operator_ranges, without)
    return AnyOf((peers, *executes(source, catalogue, without), source.starts))


def communicates(source: Source, catalogue: Catalogue, operator_ranges: bool, without: Sequence[str] = ()) -> Peers:
    """Connections to messengers and lookups of them."""
    names = tuple(field for field in source.fields("remote_host") if field not in without)
    addresses = tuple(field for field in source.fields("remote_ip") if field not in without)
    hosts = {host.name for service in catalogue.services for host in service.hosts if not host.exact}
    exact = {host.name for service in catalogue.services for host in service.hosts if host.exact}
    networks = {str(network) for network, _ in Destinations(catalogue, operator_ranges).networks}
    return Peers(
        names,
        addresses,
        tuple(sorted(host for host in hosts if not _covered(host, hosts))),
        tuple(sorted(host for host in exact if host not in hosts and not _covered(host, hosts))),
        catalogue.exclusions,
        tuple(sorted(networks)),
    )


def executes(source: Source, catalogue: Catalogue, without: Sequence[str] = ()) -> Iterator[Condition]:
    """Whatever a scripting engine does; nothing where only starts name an image."""
    images = tuple(field for field in source.fields(*_IMAGES) if field not in without)
    ran = Ran(images, tuple(sorted(Engines(catalogue).names)))
    if images:
        yield All((source.kinds, ran)) if source.kinds else ran


def _covered(host: str, hosts: set[str]) -> bool:
    """Whether a name above the host covers it."""
    while host := host.partition(".")[2]:
        if host in hosts:
            return True
    return False


def _mapping(format: str) -> VendorMapping:
    return next(mapping for mapping in load_mappings() if mapping.id == format)


NATIVE_COLUMNS: Final = Source(NATIVE, "events", "event_time", Is("event_type", ("process",)))
CORTEX: Final = Source(
    "xdr",
    "xdr_data",
    "_time",
    Is("event_sub_type", ("PROCESS_START", "ENUM.PROCESS_START")),
    kinds=Is("event_type", tuple(enum + kind for enum in ("", "ENUM.") for kind in ("NETWORK", "STORY", "PROCESS"))),
    tops=("_time", "event_", "agent_", "actor_", "action_", "causality_actor_", "os_actor_", "dst_action_", "dns_"),
    without=("action_process_command_line", "agent_install_type"),
)
DEFENDER: Final = Source(
    "m365",
    'union (DeviceNetworkEvents | extend Type = "DeviceNetworkEvents"), '
    '(DeviceProcessEvents | extend Type = "DeviceProcessEvents"), '
    '(DeviceEvents | where ActionType == "DnsQueryResponse" | extend Type = "DeviceEvents")',
    "Timestamp",
    Is("ActionType", ("ProcessCreated", "ProcessCreatedAggregatedReport")),
    without=(
        *("category", "properties.ActionType", "TimeGenerated", "Timestamp [UTC]", "TimeGenerated [UTC]"),
        *("AdditionalFields.DnsQueryString", "AdditionalFields.direction"),  # parts of a field that is there
    ),
)
ELASTIC: Final = Source(
    "ecs",
    "logs-*",
    "@timestamp",
    Is("event.category", ("process", "endpoint.event.procstart")),
    kinds=Is("event.category", ("network", "host", "process", "endpoint.event.netconn", "endpoint.event.procstart")),
    beside=("event.id", "ecs.version"),
)
SPLUNK: Final = Source(
    "sysmon",
    'index=* source="XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"',
    "_time",
    Is("EventCode", ("1",)),
    kinds=Is("EventCode", ("1", "3", "22")),
    tops=("EventCode", "Image", "QueryName", "Destination"),
)
FALCON: Final = Source(
    "crowdstrike",
    "*",
    "@timestamp",
    Is("#event_simpleName", ("ProcessRollup2", "SyntheticProcessRollup2")),
    kinds=Is("#event_simpleName", ("ProcessRollup2", "SyntheticProcessRollup2")),
)
