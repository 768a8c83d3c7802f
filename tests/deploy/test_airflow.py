"""The DAG in Airflow itself, which `make test-airflow` installs beside the project: it loads, and its task runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

pytestmark = pytest.mark.airflow

PYTHON = ROOT / ".venv" / "airflow" / "bin" / "python"
PARSE = """
import json, sys
from airflow.models.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1], include_examples=False)
dags = {
    name: {
        "catchup": dag.catchup,
        "active": dag.max_active_runs,
        "schedule": dag.timetable.summary,
        "tasks": {task.task_id: sorted(map(str, [task.skip_on_exit_code])) for task in dag.tasks},
    }
    for name, dag in bag.dags.items()
}
print("FOUND", json.dumps({"errors": list(bag.import_errors.values()), "dags": dags}))
"""
RUN = """
import json, os, sys
from airflow.models.dagbag import DagBag
(dag,) = DagBag(dag_folder=sys.argv[1], include_examples=False).dags.values()
(task,) = dag.tasks
values = {"uncommon_im_lake": sys.argv[2], "uncommon_im_state": "a state", "uncommon_im_output": "days"}
context = {"var": {"value": values}}
task.render_template_fields(context)
ends = {}
for status in ("0", "75", "2", "1", "143"):
    os.environ["STATUS"] = status
    try:
        task.execute(context)
        ends[status] = "success"
    except Exception as error:
        ends[status] = type(error).__name__
print("FOUND", json.dumps(ends))
"""


def airflow(script: str, home: Path, *arguments: str) -> str:
    """What a script says in Airflow's own Python."""
    environment = {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONDONTWRITEBYTECODE": "1",  # beside the DAG
        "PATH": f"{home}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
    }
    done = subprocess.run(
        [str(PYTHON), "-c", script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, f"{done.stdout}\n{done.stderr}"
    return lines[-1].removeprefix("FOUND ")


def parsed(folder: Path, home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(airflow(PARSE, home, str(folder)))
    return found


def test_airflow_loads_the_dag_as_it_is_meant(tmp_path: Path) -> None:
    assert parsed(ROOT / "deploy" / "airflow", tmp_path) == {
        "errors": [],
        "dags": {
            "uncommon_im_daily": {
                "catchup": False,
                "active": 1,
                "schedule": "10 1-8 * * *",
                "tasks": {"daily": ["[75]"]},
            }
        },
    }


def test_airflow_says_what_is_wrong_with_another(tmp_path: Path) -> None:
    dag = (ROOT / "deploy" / "airflow" / "uncommon_im_daily.py").read_text()
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "dag.py").write_text(dag.replace("skip_on_exit_code", "skip_on_exit"))
    found = parsed(tmp_path / "dags", tmp_path)
    assert found["dags"] == {}
    assert "skip_on_exit" in found["errors"][0]


def test_the_task_gives_its_values_to_the_command_and_is_skipped_by_75_alone(tmp_path: Path) -> None:
    program = tmp_path / "uncommon-im"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\nexit "$STATUS"\n')
    program.chmod(0o755)
    lake = "lake/dt={date}/*; $(touch nothing) .parquet"
    failed = dict.fromkeys(("2", "1", "143"), "AirflowException")
    ends = json.loads(airflow(RUN, tmp_path, str(ROOT / "deploy" / "airflow"), lake))
    assert ends == {"0": "success", "75": "AirflowSkipException"} | failed
    words = (tmp_path / "words").read_text().splitlines()
    assert words == ["daily", "--lake", lake, "--state", "a state", "--output", "days"], "no value is read by a shell"
