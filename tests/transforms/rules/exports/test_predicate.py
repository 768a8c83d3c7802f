"""What is exported is all that the detector reads: hosts, addresses, engines, starts, in each format's own fields."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapting import adapt
from tests.golden_records import golden, mapping_of
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.transforms.rules.columns.text import clean_remote_host
from uncommon_im.transforms.rules.exports.predicate import AnyOf, Peers, Ran, fields_of, holds
from uncommon_im.transforms.rules.exports.queries import DIALECTS
from uncommon_im.transforms.rules.exports.source import (
    NATIVE,
    NATIVE_COLUMNS,
    Source,
    all_fields,
    communicates,
    needed,
)
from uncommon_im.transforms.rules.recognition.command_line import Engines
from uncommon_im.transforms.rules.recognition.destination import Destinations

CATALOGUE = load_catalogue()
PEERS = communicates(NATIVE_COLUMNS, CATALOGUE, operator_ranges=False)
WIDER = communicates(NATIVE_COLUMNS, CATALOGUE, operator_ranges=True)
DESTINATIONS = {wide: Destinations(CATALOGUE, wide) for wide in (False, True)}
ENGINES = Engines(CATALOGUE)
RAN = Ran(("process_name",), tuple(ENGINES.names))
HOSTS = sorted({host.name for service in CATALOGUE.services for host in service.hosts})
EXCLUDED = [name.removeprefix("*.") for name in CATALOGUE.exclusions]
NETWORKS = [network for network, _ in DESTINATIONS[True].networks]
VENDORS = sorted({dialect.source.format for dialect in DIALECTS.values()} - {NATIVE})
SOURCES = {dialect.source.format: dialect.source for dialect in DIALECTS.values()}
FOREIGN = {  # records in other shapes than those that the store gives to its query
    "xdr": lambda record: not str(record.get("event_sub_type", "")).isupper(),
    "crowdstrike": lambda record: "event_simpleName" not in record,
    "sysmon": lambda record: "EventCode" not in record or int(record["EventCode"]) not in (1, 3, 22),
    "m365": lambda record: not record.keys() >= {"ActionType", "Timestamp"},
    "ecs": lambda record: "category" not in record.get("event", {}),
}

labels = st.sampled_from(["", "a.", "my-", "x.y.", "xn--a.", "_dns.", "ﬀ.", "www"])
heads = st.sampled_from(["", "https://", "HTTP://", "tcp://u:p@", " ", "//"])
tails = st.sampled_from(["", ".", "..", ":443", "/", "/bot1:x", "?q=t.me", "\\x", ".evil.example", "。", " ", "-cdn"])
names = st.builds("{}{}{}{}".format, heads, labels, st.sampled_from([*HOSTS, *EXCLUDED, "example.com"]), tails)


@given(host=names | st.text(max_size=40), upper=st.booleans())
def test_every_name_that_the_detector_matches_is_exported_however_it_is_written(host: str, upper: bool) -> None:
    host = host.upper() if upper else host
    if DESTINATIONS[False].match(*clean_remote_host(host)):
        assert holds(PEERS, {"remote_host": host})


@given(data=st.data(), network=st.sampled_from(NETWORKS), wide=st.booleans())
def test_every_address_of_a_range_is_exported_in_every_spelling(data: st.DataObject, network: Any, wide: bool) -> None:
    number = data.draw(st.integers(int(network[0]), int(network[-1])))
    address = ipaddress.ip_address(number) if network.version == 4 else ipaddress.IPv6Address(number)
    spelled = [str(address), address.exploded, str(address).upper()]
    if network.version == 4:
        spelled += [f"::ffff:{address}", str(ipaddress.IPv6Address(f"::ffff:{address}"))]
    text = data.draw(st.sampled_from(spelled))
    record = data.draw(st.sampled_from([{"remote_ip": text}, {"remote_host": f"https://[{text}]:443/"}]))
    if DESTINATIONS[wide].match_address(text):
        assert holds(WIDER if wide else PEERS, record)


@pytest.mark.parametrize(
    "record",
    [
        {"remote_host": "example.com"},
        {"remote_host": "nott.me"},
        {"remote_host": "telegram.org.example"},
        {"remote_host": "config.edge.skype.com"},
        {"remote_host": "eu.config.skype.com."},
        {"remote_ip": "192.0.2.1"},
        {"remote_ip": "2001:db8::1"},
        {"remote_host": None, "remote_ip": ""},
        {},
    ],
)
def test_what_reaches_no_messenger_is_not_exported(record: dict[str, Any]) -> None:
    assert not holds(PEERS, record)


def test_an_excluded_name_is_exported_for_its_address_alone() -> None:
    assert holds(PEERS, {"remote_host": "config.edge.skype.com", "remote_ip": "149.154.167.50"})


def test_ranges_that_carry_other_products_are_exported_only_if_they_count() -> None:
    address = next(str(each[1]) for each in NETWORKS if not DESTINATIONS[False].match_address(str(each[1])))
    assert holds(WIDER, {"remote_ip": address})
    assert not holds(PEERS, {"remote_ip": address})


@given(
    folder=st.sampled_from(["", "C:\\Program Files\\", "/usr/bin/", " "]),
    name=st.sampled_from([*sorted(ENGINES.names), "chrome", "bash", "mypython"]),
    version=st.sampled_from(["", "3", "3.11", "-5.36", "_18", "x"]),
    end=st.sampled_from(["", ".exe", ".EXE", " "]),
)
def test_every_engine_is_exported_with_its_versions(folder: str, name: str, version: str, end: str) -> None:
    image = folder + name + version + end
    if ENGINES.find(image.strip()):
        assert holds(RAN, {"process_name": image})
    if name in ("bash", "mypython", "chrome"):
        assert not holds(RAN, {"process_name": image})


@pytest.mark.parametrize("format", VENDORS)
def test_what_the_detector_reads_of_a_vendors_records_is_exported_and_read_alike(format: str) -> None:
    source, mapping = SOURCES[format], mapping_of(format)
    peers, *others = needed(source, CATALOGUE, operator_ranges=False).parts
    condition = AnyOf((replace(peers, hosts=("example.net",), networks=("203.0.113.0/24",)), *others))
    unknown = set(all_fields(mapping)) - {*source.columns, "event_simpleName"}
    tried = 0
    for each in golden(format):
        if FOREIGN[format](each.record) or (format != "sysmon" and each.record.keys() & unknown):
            continue
        record = dict(each.record)
        if format == "crowdstrike":  # as Next-Gen SIEM calls it
            record["#event_simpleName"] = record.pop("event_simpleName")
        for row in each.rows:
            if decides(row):
                tried += 1
                assert holds(condition, record), each.proves
        cut = only(record, source)
        if format != "sysmon":  # of which Splunk gives the whole event
            assert adapt(cut, mapping) == adapt(each.record, mapping), each.proves
    assert tried


def decides(row: dict[str, Any]) -> bool:
    """Whether a native event may be a communication with the made-up messenger, an execution or a start."""
    host, address = clean_remote_host(row.get("remote_host"))
    reaches = (host or "").endswith("example.net") or (row.get("remote_ip") or address or "").startswith("203.0.113.")
    runs = ENGINES.find(row.get("process_name")) or ENGINES.find(row.get("causality_process_name"))
    return bool(reaches or runs or row["event_type"] == "process")


def only(record: dict[str, Any], source: Source) -> dict[str, Any]:
    """A record with the exported columns alone; below a column all is left."""
    tops = {column.split(".")[0] for column in source.columns} | set(source.columns)
    return {name: value for name, value in record.items() if name in tops}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_condition_looks_only_at_columns_that_are_exported(dialect: Any) -> None:
    looked_at = fields_of(needed(dialect.source, CATALOGUE, operator_ranges=False))
    assert looked_at <= {*dialect.source.columns, dialect.source.time}


def test_every_host_and_range_of_the_catalogue_is_in_the_condition() -> None:
    for host in HOSTS:
        if not DESTINATIONS[False].exclusion(host):
            assert holds(PEERS, {"remote_host": host}), host
    for network in NETWORKS:
        assert holds(WIDER, {"remote_ip": str(network[0])}), network


def test_hosts_that_another_name_covers_are_not_repeated() -> None:
    assert "telegram.org" in PEERS.hosts
    assert "web.telegram.org" not in PEERS.exact


def test_a_field_without_value_and_one_of_another_type_are_no_match() -> None:
    assert not holds(PEERS, {"remote_host": 5, "remote_ip": None})
    assert holds(Peers(("a.b",), (), ("t.me",), (), (), ()), {"a": json.loads('{"b": ["x", "T.me"]}')})
