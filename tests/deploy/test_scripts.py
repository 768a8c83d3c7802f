"""The scripts in deploy/dataflow, with programs on PATH that note what they are asked: no Google Cloud, no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
SCRIPTS = TOP / "deploy" / "dataflow"
NAMES = ("launch.sh", "update.sh", "restart.sh", "backfill.sh")
SETTINGS = {
    "PROJECT": "jobs-1",
    "REGION": "europe-west1",
    "IMAGE": "europe-west1-docker.pkg.dev/jobs-1/uncommon-im/uncommon-im:abc1234",
    "TEMPLATES": "gs://jobs-1-temp/templates",
    "TEMP": "gs://jobs-1-temp",
    "SERVICE_ACCOUNT": "worker@jobs-1.iam.gserviceaccount.com",
    "SUBNETWORK": "https://www.googleapis.com/compute/v1/projects/jobs-1/regions/europe-west1/subnetworks/uncommon-im",
    "MACHINE_TYPE": "n2-standard-2",
    "MAX_WORKERS": "5",
}
SUBSCRIPTION = "projects/data-1/subscriptions/events"
PARAMETERS = (f"pubsub_subscription={SUBSCRIPTION}", "output=gs://data/stream")
YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
RESTART = ("--as-of", YESTERDAY, "--learned", "gs://data/learned", "--baselines", "gs://data/baselines/")

PROGRAM = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path

folder = Path(os.environ["NOTES"])
called = [Path(sys.argv[0]).name, *sys.argv[1:]]
with open(folder / "calls.jsonl", "a") as notes:
    notes.write(json.dumps(called) + "\\n")
for answer in json.loads((folder / "answers.json").read_text()):
    if answer["words"] == [word for word in answer["words"] if word in called] and answer.get("times", 1):
        answer["times"] = answer.get("times", 10**6) - 1
        said = json.loads((folder / "answers.json").read_text())
        said[answer["number"]] = answer
        (folder / "answers.json").write_text(json.dumps(said))
        print(answer.get("says", ""))
        sys.exit(answer.get("status", 0))
"""


class Machine:
    """A folder on PATH with the programs that the scripts call, and what these answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        for name in ("gcloud", "git", "python", "uncommon-im"):
            (folder / "bin" / name).write_text(PROGRAM)
            (folder / "bin" / name).chmod(0o755)
        self.settings = folder / "settings.env"
        self.write_settings(SETTINGS)
        self.answer()

    def write_settings(self, settings: Mapping[str, str]) -> None:
        """Writes what Terraform would."""
        lines = ["# of Terraform", "", *(f"{key}={value}" for key, value in settings.items())]
        self.settings.write_text("\n".join(lines) + "\n")

    def answer(self, *answers: dict[str, Any]) -> None:
        """What a call with all of the words says, and its status; the first that fits, so many times."""
        numbered = [answer | {"number": number} for number, answer in enumerate(answers)]
        (self.folder / "answers.json").write_text(json.dumps(numbered))

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a script; what it called is in `calls`."""
        environment = os.environ | {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "NOTES": str(self.folder),
            "PYTHON": str(self.folder / "bin" / "python"),
            "UNCOMMON_IM": str(self.folder / "bin" / "uncommon-im"),
            "CANCEL_SECONDS": "0",
            "CANCEL_TRIES": "3",
        }
        command = ["bash", str(SCRIPTS / script), "--settings", str(self.settings), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    @property
    def calls(self) -> list[list[str]]:
        """The calls so far: the program's name and its arguments."""
        notes = self.folder / "calls.jsonl"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    def refusal(self, script: str, *arguments: str) -> str:
        """The line with which a script ends; it has run no template, and has cancelled and sought nothing."""
        ended = self.run(script, *arguments)
        assert ended.returncode == 2, ended.stderr
        assert not any({"run", "cancel", "seek"} & set(call) for call in self.calls)
        return ended.stderr.splitlines()[-1]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which no job runs."""
    return Machine(tmp_path)


RUNNING = {"words": ["gcloud", "list", "active"], "says": "job-1"}
REVISION = {"words": ["gcloud", "describe", "job-1"], "says": "0ld1234"}


def options_of(call: Sequence[str]) -> dict[str, str]:
    """The options of a call of gcloud with their values; "" for those that have none."""
    found = {}
    for position, word in enumerate(call):
        if word.startswith("--"):
            following = call[position + 1] if position + 1 < len(call) else "--"
            found[word] = "" if following.startswith("--") else following
    return found


def template_run(machine: Machine) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """The last call, which runs a template: its words, its options, the template's parameters."""
    call = machine.calls[-1]
    assert call[:4] == ["gcloud", "dataflow", "flex-template", "run"]
    options = options_of(call)
    assert options["--parameters"].startswith("^~^")
    listed = options.pop("--parameters").removeprefix("^~^").split("~")
    return call[4:5], options, dict(parameter.split("=", 1) for parameter in listed)


COMMON = {
    "--project": "jobs-1",
    "--region": "europe-west1",
    "--service-account-email": SETTINGS["SERVICE_ACCOUNT"],
    "--subnetwork": SETTINGS["SUBNETWORK"],
    "--disable-public-ips": "",
    "--staging-location": "gs://jobs-1-temp/staging",
    "--temp-location": "gs://jobs-1-temp/temp",
    "--worker-machine-type": "n2-standard-2",
    "--max-workers": "5",
    "--additional-user-labels": "revision=abc1234",
}
STREAM = COMMON | {
    "--template-file-gcs-location": "gs://jobs-1-temp/templates/abc1234/stream.json",
    "--enable-streaming-engine": "",
}
GIVEN = {"sdk_container_image": SETTINGS["IMAGE"], "pubsub_subscription": SUBSCRIPTION, "output": "gs://data/stream"}


def test_launch_runs_the_streams_template_with_all_that_was_given(machine: Machine) -> None:
    ended = machine.run("launch.sh", *PARAMETERS, "tenant=a,b c;;d=e")
    assert ended.returncode == 0, ended.stderr
    assert template_run(machine) == (
        ["uncommon-im"],
        STREAM,
        GIVEN | {"command": "stream", "tenant": "a,b c;;d=e"},
    )


def test_a_key_of_kms_is_the_jobs(machine: Machine) -> None:
    machine.write_settings(SETTINGS | {"KMS_KEY": "projects/p/locations/l/keyRings/r/cryptoKeys/k"})
    machine.run("launch.sh", *PARAMETERS)
    assert template_run(machine)[1]["--dataflow-kms-key"] == "projects/p/locations/l/keyRings/r/cryptoKeys/k"


def test_a_job_that_runs_is_left_alone(machine: Machine) -> None:
    machine.answer(RUNNING)
    replaced = "the job uncommon-im runs already (job-1): update.sh or restart.sh replaces it"
    assert machine.refusal("launch.sh", *PARAMETERS).endswith(replaced)
    awaited = "the job uncommon-im-backfill runs already (job-1): wait for it, or give this one another --job"
    assert machine.refusal("backfill.sh", "input=gs://lake/*").endswith(awaited)


def test_a_stream_without_parameters_is_refused(machine: Machine) -> None:
    assert "no parameters: say at least what is read and where alerts go" in machine.refusal("launch.sh")
    assert "no parameters: the new job is given all of them again" in machine.refusal("update.sh")


def test_update_tries_the_contract_first_and_keeps_the_jobs_name(machine: Machine) -> None:
    machine.answer(RUNNING, REVISION)
    ended = machine.run("update.sh", "--job=detector", *PARAMETERS)
    assert ended.returncode == 0, ended.stderr
    assert template_run(machine) == (["detector"], STREAM | {"--update": ""}, GIVEN | {"command": "stream"})
    programs = [call[0] for call in machine.calls]
    assert programs == ["gcloud", "gcloud", "python", "git", "git", "git", "gcloud"]
    _, _, test, *_, compared, _ = machine.calls
    assert test[1:] == ["-m", "pytest", "--quiet", str(TOP / "tests/transforms/stream/test_update_contract.py")]
    assert compared[3:] == ["diff", "--quiet", "0ld1234", "abc1234", "--", "tests/golden/stream/contract.json"]
    assert (TOP / compared[-1]).exists()
    assert Path(test[-1]).exists()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], "no job uncommon-im runs: launch.sh starts one"),
        ([RUNNING], "does not say which revision it runs"),
        ([RUNNING, REVISION, {"words": ["python", "pytest"], "status": 1}], "breaks its own update contract"),
        ([RUNNING, REVISION, {"words": ["git", "cat-file"], "status": 128}], "0ld1234 is no commit"),
        ([RUNNING, REVISION, {"words": ["git", "diff"], "status": 1}], "0ld1234 and abc1234 differ"),
    ],
)
def test_update_changes_nothing_where_it_is_not_sure(machine: Machine, answers: list[Any], said: str) -> None:
    machine.answer(*answers)
    assert said in machine.refusal("update.sh", *PARAMETERS)


def test_restart_takes_a_snapshot_cancels_seeks_and_starts_in_that_order(machine: Machine) -> None:
    machine.answer(RUNNING | {"times": 3})
    ended = machine.run("restart.sh", *RESTART, "--baseline-in", "gs://data/baselines/old", *PARAMETERS)
    assert ended.returncode == 0, ended.stderr
    snapshot = f"gs://data/baselines/{YESTERDAY}"
    first, *listed, seek, _ = machine.calls
    taken = ["--sightings", "gs://data/learned", "--as-of", YESTERDAY, "--baseline-out", snapshot]
    assert first == ["uncommon-im", "snapshot", *taken, "--baseline-in", "gs://data/baselines/old"]
    assert [call[3] for call in listed] == ["list", "cancel", "list", "list", "list"]
    assert listed[1][4:] == ["job-1", "--project", "jobs-1", "--region", "europe-west1"]
    assert seek == ["gcloud", "pubsub", "subscriptions", "seek", SUBSCRIPTION, "--time", f"{YESTERDAY}T00:00:00Z"]
    assert template_run(machine) == (["uncommon-im"], STREAM, GIVEN | {"command": "stream", "baseline_in": snapshot})


def test_restart_starts_a_stream_that_has_failed_without_cancelling_anything(machine: Machine) -> None:
    assert machine.run("restart.sh", *RESTART, *PARAMETERS).returncode == 0
    assert [call[3] for call in machine.calls if call[0] == "gcloud"] == ["list", "seek", "run"]


def test_restart_never_drains(machine: Machine) -> None:
    machine.answer(RUNNING | {"times": 1})
    machine.run("restart.sh", *RESTART, *PARAMETERS)
    assert "cancel" in {word for call in machine.calls for word in call}
    assert "drain" not in {word for call in machine.calls for word in call}


def test_restart_stops_where_the_snapshot_cannot_be_taken_and_the_old_job_goes_on(machine: Machine) -> None:
    machine.answer(RUNNING, {"words": ["uncommon-im", "snapshot"], "status": 2})
    assert machine.run("restart.sh", *RESTART, *PARAMETERS).returncode == 2
    assert [call[0] for call in machine.calls] == ["uncommon-im"]


def test_restart_starts_no_second_job_beside_one_that_does_not_end(machine: Machine) -> None:
    machine.answer(RUNNING)
    ended = machine.run("restart.sh", *RESTART, *PARAMETERS)
    assert ended.returncode == 2
    assert "the job job-1 does not end" in ended.stderr
    assert not any({"run", "seek"} & set(call) for call in machine.calls)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (PARAMETERS, "--as-of is missing"),
        ((*RESTART, "--as-of=2026-13-01", *PARAMETERS), "--as-of 2026-13-01: write the day as YYYY-MM-DD"),
        ((*RESTART, "--as-of=yesterday", *PARAMETERS), "--as-of yesterday: write the day as YYYY-MM-DD"),
        ((*RESTART, "--as-of=2020-01-01", *PARAMETERS), "messages are kept for 3 days"),
        ((*RESTART, PARAMETERS[1]), "give pubsub_subscription=..."),
        ((*RESTART, *PARAMETERS, "baseline_in=gs://a/b"), "baseline_in is the new snapshot"),
    ],
)
def test_restart_says_what_is_wrong_before_it_does_anything(
    machine: Machine, arguments: tuple[str, ...], said: str
) -> None:
    assert said in machine.refusal("restart.sh", *arguments)
    assert machine.calls == []


def test_a_backfill_runs_its_own_template_as_a_batch_job(machine: Machine) -> None:
    lake = "input=gs://lake/dt={date}/*.parquet;;gs://other/*.jsonl.gz"
    ended = machine.run("backfill.sh", lake, "start=2026-03-01", "output=gs://data/runs/2026-03")
    assert ended.returncode == 0, ended.stderr
    job, options, parameters = template_run(machine)
    assert job == ["uncommon-im-backfill"]
    assert options == COMMON | {"--template-file-gcs-location": "gs://jobs-1-temp/templates/abc1234/backfill.json"}
    assert parameters["command"] == "backfill"
    assert parameters["input"] == lake.removeprefix("input=")


def test_a_backfill_without_input_is_refused(machine: Machine) -> None:
    assert "no input=..." in machine.refusal("backfill.sh", "output=gs://data/runs/2026-03")


@pytest.mark.parametrize("script", NAMES)
def test_wrong_arguments_and_settings_are_refused_with_what_to_do(machine: Machine, script: str) -> None:
    assert "unknown option --drain" in machine.refusal(script, "--drain", "yes")
    assert "--job needs a value" in machine.refusal(script, "--job")
    assert "expected --option VALUE" in machine.refusal(script, "gs://data/stream")
    assert "cannot hold ~" in machine.refusal(script, "output=gs://data/~")
    machine.write_settings({key: value for key, value in SETTINGS.items() if key != "IMAGE"})
    assert "says no IMAGE" in machine.refusal(script)
    machine.settings.write_text("rm -rf /\n")
    assert "expected KEY=VALUE" in machine.refusal(script)
    machine.settings.unlink()
    assert "terraform -chdir=deploy/terraform output -raw settings" in machine.refusal(script)


@pytest.mark.parametrize("script", NAMES)
def test_no_refusal_shows_the_value_of_what_it_refuses(machine: Machine, script: str) -> None:
    refused = ("kafka_consumer=sasl.password=hunter2~", "Kafka=hunter2", "kafka_pasword=hunter2", "--kafka=hunter2")
    for argument in refused:
        line = machine.refusal(script, argument)
        assert argument.lstrip("-").partition("=")[0] in line
        assert "hunter2" not in line
    machine.settings.write_text("PROJECT=jobs-1\npassword: hunter2\n")
    assert machine.refusal(script).endswith("settings.env: line 2: expected KEY=VALUE")


@pytest.mark.parametrize("script", NAMES)
def test_where_gcloud_cannot_say_which_jobs_run_none_is_started(machine: Machine, script: str) -> None:
    machine.answer({"words": ["gcloud", "list"], "status": 1})
    arguments = {"restart.sh": (*RESTART, *PARAMETERS), "backfill.sh": ("input=gs://lake/*",)}.get(script, PARAMETERS)
    assert machine.run(script, *arguments).returncode == 1
    assert not any({"run", "cancel", "seek"} & set(call) for call in machine.calls)


@pytest.mark.parametrize("script", NAMES)
def test_help_says_how_the_script_is_used_and_calls_nothing(machine: Machine, script: str) -> None:
    ended = machine.run(script, "--help")
    assert ended.returncode == 0
    assert f"usage: {script}" in ended.stdout
    assert "set -euo" not in ended.stdout
    assert machine.calls == []


def test_a_name_that_dataflow_refuses_is_refused_here(machine: Machine) -> None:
    assert "Uncommon is no name of a job" in machine.refusal("launch.sh", "--job", "Uncommon", *PARAMETERS)


def test_a_parameter_that_is_misspelt_launches_nothing(machine: Machine) -> None:
    line = machine.refusal("launch.sh", *PARAMETERS, "latenes=60")
    assert "latenes is no parameter of the template: deploy/dataflow/stream.json lists them" in line
    assert "pubsub_subscription is no parameter" in machine.refusal("backfill.sh", "input=gs://a/*", *PARAMETERS)


def test_what_the_scripts_pass_to_the_templates_are_parameters_of_theirs() -> None:
    known = {
        name: {parameter["name"] for parameter in json.loads((SCRIPTS / f"{name}.json").read_text())["parameters"]}
        for name in ("stream", "backfill")
    }
    assert {"command", "sdk_container_image", "pubsub_subscription", "output", "baseline_in"} <= known["stream"]
    assert {"command", "sdk_container_image", "input", "start", "output"} <= known["backfill"]


def test_shellcheck_finds_nothing_in_any_script() -> None:
    scripts = sorted(str(path.relative_to(TOP)) for path in (TOP / "deploy").rglob("*.sh"))
    assert len(scripts) >= len(NAMES) + 1
    program = Path(sys.prefix) / "bin" / "shellcheck"
    checked = subprocess.run(
        [program, "--external-sources", *scripts], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
