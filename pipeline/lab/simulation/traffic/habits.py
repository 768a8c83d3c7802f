"""What every machine does, day by day: browse, update, scan, look up, serve."""

from __future__ import annotations

from collections.abc import Sequence

from uncommon_im.pipeline.lab.simulation.organisation.hosts import Host
from uncommon_im.pipeline.lab.simulation.organisation.software import local_program
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.lab.simulation.traffic.habit_table import DNS, Habit, HabitBuilder, HabitTable, process_starts
from uncommon_im.pipeline.lab.simulation.traffic.messaging import add_messaging

MICROSOFT_ELSEWHERE = {"macos": "apple", "linux": "linux"}
"""What the maker of the system is called there."""


def build_habits(builder: HabitBuilder, vendors: Sequence[str]) -> HabitTable:
    """The habits of all hosts; `vendors` are the makers of programs that few hosts have."""
    for host in builder.organisation.hosts:
        _everyday(builder, host)
        _managed(builder, host)
        _local(builder, host, vendors)
        if host.is_server:
            _server(builder, host)
    add_messaging(builder)
    return builder.table


def _everyday(builder: HabitBuilder, host: Host) -> None:
    """Rates are relative to one another."""
    lively = float(builder.rng.lognormal(0.0, p.liveliness))
    connections = 0.0
    for key, where, rate in p.everyday_connections:
        if where == "microsoft":
            where = MICROSOFT_ELSEWHERE.get(host.os, where)
        if not (host.is_server and where in ("web", "internal")):
            builder.add(host, key, Habit(where, rate * lively, ordinary=True))
            connections += rate
    missing = connections * lively * p.lookup_before_connection * p.failed_lookup_share
    builder.add(host, "resolver", Habit("missing", missing, ordinary=True, event_type=DNS))
    builder.table.resolver_of[host.index] = builder.table.rows[-1].image
    for key, rate in p.everyday_starts.items():
        builder.add(host, key, process_starts(rate * lively, ordinary=True))
    if host.department == "engineering":
        for key, rate in p.developer_connections.items():
            builder.add(host, key, Habit("development", rate * lively, ordinary=True))
            builder.add(host, key, process_starts(rate, ordinary=True))


def _managed(builder: HabitBuilder, host: Host) -> None:
    """The agent's sign of life, and the scripts of those who manage the machines."""
    builder.add(host, "agent", Habit("agent", 1.0, daily=True, hours="morning"))
    builder.add(host, "inventory", Habit("internal", 1.5, hours="morning"))
    for key in ("inventory", "baseline"):
        builder.add(host, key, process_starts(1.5, hours="morning"))


def _local(builder: HabitBuilder, host: Host, vendors: Sequence[str]) -> None:
    """A few programs that hardly anybody else has; some makers are liked more than others."""
    least, most = p.local_programs
    places = builder.rng.random(int(builder.rng.integers(least, most + 1))) ** 2 * len(vendors)
    for vendor in sorted({vendors[int(place)] for place in places}):
        program = local_program(vendor, host.os)
        rate = float(builder.rng.lognormal(0.0, 0.5))
        builder.add(host, vendor, Habit(vendor, rate, ordinary=True), program)
        builder.add(host, vendor, process_starts(rate, ordinary=True), program)


def _server(builder: HabitBuilder, host: Host) -> None:
    """People log in, and jobs run."""
    builder.add(host, "svchost", Habit("internal", 8.0, ordinary=True, inbound=True))
    if host.role == "ci":
        builder.add(host, "ci-job", Habit("development", 40.0, ordinary=True))
    elif host.role == "monitoring":
        builder.add(host, "grafana", Habit("internal", 40.0, ordinary=True))
    else:
        builder.add(host, "background", Habit("internal", 40.0, ordinary=True, hours="backup"))
