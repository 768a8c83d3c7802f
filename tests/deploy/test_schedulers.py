"""What starts `uncommon-im daily`: each scheduler gives options that there are, and knows what exit status 75 is."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT
from tests.docs.blocks import blocks_of
from uncommon_im.pipeline.cli.daily.options import DailyOptions
from uncommon_im.pipeline.cli.main import parser
from uncommon_im.pipeline.options.parser import read_options

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
NOT_READY = 75


def cron_job() -> dict[str, Any]:
    """The CronJob's manifest."""
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes/uncommon-im-daily.yaml").read_text()))
    (found,) = (each for each in documents if each["kind"] == "CronJob")
    return found


def pod() -> dict[str, Any]:
    """The specification of its pod."""
    spec: dict[str, Any] = cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def unit(name: str) -> RawConfigParser:
    """A unit of systemd."""
    found = RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment, method-assign]  # its names have capitals
    found.read(UNITS / name)
    return found


def commands() -> Iterator[tuple[str, list[str]]]:
    """(scheduler, words of the command that it starts)."""
    (cron,) = (block.text for block in blocks_of("docs/how-to/daily-cron.md") if block.text.startswith("10 1-8 "))
    yield "cron", shlex.split(cron.partition("uncommon-im ")[2].partition(">>")[0])
    dag = ast.parse((DEPLOY / "airflow/uncommon_im_daily.py").read_text())
    (bash,) = (each.value for each in ast.walk(dag) if isinstance(each, ast.keyword) and each.arg == "bash_command")
    yield "airflow", shlex.split(ast.literal_eval(bash))[1:]
    yield "systemd", shlex.split(unit("uncommon-im-daily.service")["Service"]["ExecStart"])[1:]
    (container,) = pod()["containers"]
    assert container["command"] == ["uncommon-im"]
    yield "kubernetes", container["args"]
    (run,) = re.findall(r"-c@uncommon-im (.*?) \|\|", (ROOT / "docs/how-to/daily-cloud-run.md").read_text())
    yield "cloud run", shlex.split(run)


COMMANDS = dict(commands())


@pytest.mark.parametrize("scheduler", COMMANDS)
def test_a_scheduler_starts_daily_with_options_that_make_a_chain(scheduler: str) -> None:
    words = [re.sub(r"^\$\{?LAKE\}?$", "lake/dt={date}/*", word) for word in COMMANDS[scheduler]]
    arguments, rest = parser().parse_known_args(words)
    assert rest == []
    assert arguments.command == "daily"
    options = read_options(DailyOptions, arguments)
    options.check()
    assert options.lock.force == (scheduler == "kubernetes"), "only what lets in one pod may take over"


def test_all_of_them_try_every_hour_of_the_same_morning_in_utc() -> None:
    dag = (DEPLOY / "airflow/uncommon_im_daily.py").read_text()
    run = (ROOT / "docs/how-to/daily-cloud-run.md").read_text()
    assert 'schedule="10 1-8 * * *"' in dag
    assert "--schedule '10 1-8 * * *' --time-zone Etc/UTC" in run
    assert (cron_job()["spec"]["schedule"], cron_job()["spec"]["timeZone"]) == ("10 1-8 * * *", "Etc/UTC")
    assert unit("uncommon-im-daily.timer")["Timer"]["OnCalendar"] == "*-*-* 01..08:10:00 UTC"


def test_the_service_and_its_timer_are_what_systemd_takes_and_75_is_no_failure(tmp_path: Path) -> None:
    service = unit("uncommon-im-daily.service")["Service"]
    assert (service["Type"], service["SuccessExitStatus"]) == ("oneshot", str(NOT_READY))
    assert unit("uncommon-im-daily.timer")["Timer"]["Persistent"] == "true"
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here")
    program = Path(sys.executable).with_name("uncommon-im")

    def verified(changed: str = "") -> str:
        for path in UNITS.iterdir():
            text = path.read_text().replace("/opt/uncommon-im/bin/uncommon-im", str(program))
            (tmp_path / path.name).write_text(text + changed * (path.suffix == ".service"))
        units = sorted(map(str, tmp_path.iterdir()))
        done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, timeout=60, check=False)
        return "\n".join(line for line in done.stderr.splitlines() if "uncommon-im" in line)

    assert verified() == ""
    assert "SuccesExitStatus" in verified("SuccesExitStatus=75\n"), "what is wrong is found"


def test_the_job_fails_at_once_where_trying_again_would_not_help_and_a_node_that_goes_is_no_failure() -> None:
    spec = cron_job()["spec"]
    job = spec["jobTemplate"]["spec"]
    by_status, by_condition = job["podFailurePolicy"]["rules"]
    assert by_status == {
        "action": "FailJob",
        "onExitCodes": {"containerName": pod()["containers"][0]["name"], "operator": "In", "values": [2, NOT_READY]},
    }
    assert by_condition == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert pod()["restartPolicy"] == "Never", "which podFailurePolicy needs"
    assert spec["concurrencyPolicy"] == "Forbid"
    assert job["backoffLimit"] == 2


def test_the_pod_may_do_nothing_but_its_work_and_its_volumes_are_there() -> None:
    (container,) = pod()["containers"]
    assert pod()["securityContext"]["runAsNonRoot"]
    assert not pod()["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert {each["name"] for each in pod()["volumes"]} == set(mounted)
    for option in ("lake", "state", "output"):
        (path,) = (word.partition("=")[2] for word in container["args"] if word.startswith(f"--{option}="))
        assert any(path.startswith(f"{place}/") for place in mounted.values()), option
    assert not container["image"].endswith("latest")


def test_the_claim_that_force_relies_on_lets_in_one_pod() -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes/uncommon-im-daily.yaml").read_text()))
    (claim,) = (each for each in documents if each["kind"] == "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    (volume,) = (each for each in pod()["volumes"] if each["name"] == "data")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["metadata"]["namespace"] == cron_job()["metadata"]["namespace"]
