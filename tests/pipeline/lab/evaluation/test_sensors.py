"""Organisations in the shape of sensors are judged by who it was, though their events do not say so. No engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import pyarrow.parquet as pq
import pytest

from uncommon_im.pipeline.lab.evaluation.folder import read_organisation
from uncommon_im.pipeline.lab.evaluation.scoring import Organisation
from uncommon_im.pipeline.lab.simulation import Scenario, simulate
from uncommon_im.pipeline.lab.simulation.telemetry.sensors import SensorName
from uncommon_im.schemas.catalogue import load_catalogue

WITHOUT_SIGNERS: Final = {"sysmon", "crowdstrike"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same organisation in the shape of each sensor."""
    made = {name: tmp_path_factory.mktemp(name) for name in get_args(SensorName)}
    for name, folder in made.items():
        simulate(str(folder), Scenario(15, 20, 4, background="thinned", sensor=name))
    return made


@pytest.fixture(scope="module")
def organisations(folders: dict[str, Path]) -> dict[str, Organisation]:
    return {name: read_organisation(str(folder), load_catalogue(None)) for name, folder in folders.items()}


def test_all_sensors_tell_the_same_planted_communications(organisations: dict[str, Organisation]) -> None:
    planted = {event_id for campaign in organisations["xdr"].campaigns for event_id in campaign.event_ids}
    whole = organisations["xdr"].communications
    assert whole.keys() & planted
    for organisation in organisations.values():
        assert organisation.communications.keys() & planted == whole.keys() & planted


@pytest.mark.parametrize("name", sorted({*get_args(SensorName)} - WITHOUT_SIGNERS))
def test_planted_communications_are_those_of_the_same_program(
    name: str, organisations: dict[str, Organisation]
) -> None:
    whole, told = organisations["xdr"], organisations[name]
    for campaign in whole.campaigns:
        for event_id in whole.communications.keys() & set(campaign.event_ids):
            one, other = (of.communications[event_id].activity for of in (told, whole))
            assert one in (other, other._replace(script=""))  # only Cortex XDR tells whose script started curl


def test_a_process_whose_start_nobody_saw_is_nobodys(
    folders: dict[str, Path], organisations: dict[str, Organisation], tmp_path: Path
) -> None:
    events = pq.read_table(folders["crowdstrike"] / "events")
    (tmp_path / "events").mkdir()
    (tmp_path / "labels.jsonl").write_bytes((folders["crowdstrike"] / "labels.jsonl").read_bytes())
    network = events.filter([kind != "process" for kind in events["event_type"].to_pylist()])
    pq.write_table(network, tmp_path / "events" / "dt=2026-01-05.parquet")
    assert organisations["crowdstrike"].communications
    assert not read_organisation(str(tmp_path), load_catalogue(None)).communications
