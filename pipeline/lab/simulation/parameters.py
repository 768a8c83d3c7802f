"""The numbers of the simulated organisation: parameters.yaml, which says what each is, its unit and its source."""

from __future__ import annotations

from datetime import date
from typing import Final

from uncommon_im.schemas.decoding import Entry, decode
from uncommon_im.schemas.documents import packaged_yaml


class Parameters(Entry, frozen=True):
    """The document's types; its comments describe each parameter."""

    first_day: date
    events_per_working_day: float
    process_start_share: float
    liveliness: float
    lookup_before_connection: float
    lookup_by_resolver: float
    lookup_lead_seconds: tuple[float, float]
    failed_lookup_share: float
    lookup_timeout_share: float
    nameless_share: float
    web_sites: int
    web_zipf: float
    everyday_connections: tuple[tuple[str, str, float], ...]
    everyday_starts: dict[str, float]
    developer_connections: dict[str, float]
    local_programs: tuple[int, int]
    local_program_names: float
    os_shares: dict[str, float]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    servers_per_host: float
    offices: tuple[tuple[str, int, float], ...]
    departments: dict[str, float]
    hours: dict[str, tuple[float, ...]]
    shifts: dict[str, dict[str, float]]
    at_work: float
    holiday_every_days: int
    holiday_days: tuple[int, int]
    weekend_on: float
    weekend_activity: float
    desktop_share: float
    new_hosts_per_month: float
    replacement_share: float
    first_replacement: int
    update_wave_days: int
    update_spread_days: int
    host_gap_rate: float
    host_gap_days: tuple[int, int]
    days_after_gap: int
    delivery_seconds: float
    late_share: float
    late_seconds: int
    late_mean_seconds: int
    day_late_share: float
    duplicate_share: float
    start_share: float
    days_of_process: tuple[int, int]
    days_of_daemon: tuple[int, int]
    start_lead_seconds: tuple[float, float]
    seasoned_share: float
    start_lost_share: float
    client_rate: float
    client_shares: dict[str, dict[str, float]]
    web_client_share: float
    web_client_rate: float
    odd_visit_rate: float
    edge_telemetry_rate: float
    webhook_rates: dict[str, float]
    help_desk_share: float
    bot_share: float
    bot_rate: float
    adopting_department: str
    adoption_share: float
    adoption_middle_days: int
    adoption_scale_days: float
    campaign_day: int
    campaign_start_share: float
    early_days: int
    rename_after_days: int
    roll_out_share: float
    outbreak_hosts: int
    outbreak_share: float
    ordinary_company: int


PARAMETERS: Final = decode(packaged_yaml(__package__, "parameters.yaml"), Parameters, "parameters.yaml")
