"""Scenes about records: noise, dead letters, addresses, odd spellings."""

from __future__ import annotations

from tests.oracle.builder import (
    DISCORD,
    ELSEWHERE,
    SERVICES,
    TELEGRAM,
    WHATSAPP,
    Builder,
    Record,
    chrome,
    discord,
    plain,
    signed,
)


def noise(b: Builder, tenant: str) -> None:
    """Events that are no communications: other hosts, inbound, process starts, failed lookups."""
    hosts = b.hosts(5)
    kinds: list[Record] = [
        ELSEWHERE,
        TELEGRAM | {"direction": "Inbound"},
        TELEGRAM | {"dns_status": 3},
        TELEGRAM | {"event_type": "process"},
        {"event_type": "process"},
        {"event_type": "dns", "remote_host": "t.me", "dns_status": 3},
        {"event_type": "DNS", "remote_host": "example.org", "dns_status": 0},
        {"remote_ip": "10.1.2.3"},
        {"remote_host": "notdiscord.com"},
        {"remote_host": "discord.com.example.net"},
    ]
    for _ in range(60):
        day = b.rng.choice(b.tenants[tenant])
        program = b.rng.choice((chrome(), discord(), plain("agent", "/opt/agent/")))
        b.add(tenant, b.rng.choice(hosts), day, b.moment(), program, b.rng.choice(kinds))


def dead_letters(b: Builder, tenant: str) -> None:
    """Records that cannot be used, each for one reason, and some for several."""
    host = b.hosts(1)[0]
    faults: list[Record] = [
        {"event_time": None},
        {"event_time": "-"},
        {"event_time": "yesterday"},
        {"event_time": "1999-12-31T23:59:59Z"},
        {"event_time": "2101-01-01T00:00:00Z"},
        {"event_time": "2026-13-01T00:00:00Z"},
        {"event_time": 5},
        {"host_id": "  "},
        {"host_id": "N/A", "event_time": "yesterday"},
        {"process_name": "", "process_path": "unknown"},
        {"process_name": None, "process_path": None, "remote_host": None},
        {"process_name": None, "process_path": None, "process_guid": "-"},
        {"process_name": None, "process_path": None, "process_guid": "g-1", "event_type": "process"},
        {"process_name": None, "process_path": None, "process_guid": "g-1", "remote_host": None},
        {"remote_host": "-"},
        {"remote_host": "", "event_type": "dns"},
        {"event_type": "file"},
        {"event_type": "registry", "host_id": ""},
    ]
    for _ in range(2):
        for fault in faults:
            b.add(tenant, host, b.rng.choice(b.tenants[tenant]), b.moment(), discord(), TELEGRAM, fault)


def addresses(b: Builder, tenant: str) -> None:
    """Destinations known by address: ranges of both families, operators' ranges, excluded hosts."""
    day = b.later()
    destinations: list[Record] = [
        {"remote_ip": "149.154.167.99"},
        {"remote_ip": "149.154.160.0"},
        {"remote_ip": "149.154.176.0"},
        {"remote_ip": "91.108.23.255"},
        {"remote_ip": "2001:67c:4e8:f004::9"},
        {"remote_ip": "2001:67c:4e9::1"},
        {"remote_host": "91.108.56.100"},
        {"remote_host": "https://91.108.56.101:443/x"},
        {"remote_host": "example.com", "remote_ip": "149.154.167.92"},
        {"remote_host": "config.edge.skype.com"},
        {"remote_host": "config.edge.skype.com", "remote_ip": "149.154.167.91"},
        {"remote_host": "a.config.skype.com"},
        {"remote_host": "edge.skype.com"},
        {"remote_ip": "52.112.1.1"},
        {"remote_ip": "2603:1063::5"},
        {"remote_ip": "27.0.237.1", "remote_host": "unknown.example"},
        {"remote_ip": "170.72.1.1"},
        {"remote_host": "91.108.56.102", "remote_ip": "149.154.167.93"},
        {"remote_host": "10.9.8.7", "remote_ip": "149.154.167.94"},
        {"remote_host": "discord.com", "remote_ip": "149.154.167.99"},
        {"remote_host": "a.webhook.office.com"},
        {"remote_host": "a.web.telegram.org"},
        {"remote_host": "a.api.sgroup.qq.com"},
        {"remote_host": "api.sgroup.qq.com"},
        {"remote_host": "x.wx.qq.com"},
    ]
    program = signed(b.unique("probe") + ".exe", "Probe Ltd")
    for host in b.hosts(3):
        for destination in b.rng.sample(destinations, 14):
            b.add(tenant, host, day, b.moment(), program, destination, remote_port=b.rng.choice((80, 443)))
        mapped = {"remote_ip": "::ffff:149.154.167.42", "event_id": b.unique("mapped")}
        b.add(tenant, host, day, b.moment(), signed("mapped.exe", "Probe Ltd"), mapped)


def spellings(b: Builder, tenant: str) -> None:
    """The same things written otherwise."""
    day = b.later()
    name = b.unique("dialog")
    base = signed(name + ".exe", "Dialog Ltd")
    variants: list[Record] = [
        {"process_name": f"  {name.upper()}.EXE "},
        {"process_name": "", "process_path": f"C:\\x y\\{name}.exe"},
        {"process_name": f"C:\\elsewhere\\{name}.exe"},
        {"process_name": "null"},
        {"process_name": "UNKNOWN"},
        {"os": "Windows", "process_signature_status": "SIGNED"},
        {"os": "BeOS"},
        {"os": "-"},
        {"process_signer": "n/a"},
        {"process_signature_status": "expired"},
        {"remote_host": "HTTPS://Discord.COM:443/api/webhooks/1"},
        {"remote_host": "discord.com."},
        {"remote_host": "gateway.discord.gg:443"},
        {"remote_host": "bücher.discord.com"},
        {"event_type": "-", "direction": "OUTBOUND"},
        {"tenant_id": "unknown"},
        {"host_name": " HOST ", "user_name": "Zoë", "process_pid": 4711, "bytes_sent": 12},
    ]
    for host in b.hosts(3):
        for variant in b.rng.sample(variants, 9):
            b.add(tenant, host, day, b.moment(), base, DISCORD, variant)


def many_services(b: Builder, tenant: str) -> None:
    """One new program that tries every service, in a few hours of two days."""
    day = b.later()
    program = signed(b.unique("multi") + ".exe", "Multi Ltd")
    for host in b.hosts(2):
        for destination in (
            *SERVICES,
            WHATSAPP,
            {"remote_host": "matrix.org"},
            {"remote_host": "a.zulipchat.com"},
        ):
            b.add(tenant, host, day + b.rng.randint(0, 1), b.moment(), program, destination)


SCENES = (noise, dead_letters, addresses, spellings, many_services)
