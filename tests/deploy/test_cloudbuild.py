"""What Cloud Build is asked to do: the image and the templates that scripts and Terraform name. Nothing is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud.devtools.cloudbuild_v1 import Build
from google.protobuf.json_format import ParseError

from tests.deploy.terraform import FOLDER
from uncommon_im.pipeline.cli.dataflow.metadata import TEMPLATES

DEPLOY = FOLDER.parent


def build() -> dict[str, Any]:
    """The file, as data."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "cloudbuild.yaml").read_text())
    return found


def steps() -> dict[str, dict[str, Any]]:
    """The steps by id, in their order."""
    return {step["id"]: step for step in build()["steps"]}


def test_cloud_builds_own_message_takes_the_file_and_no_field_that_it_does_not_have() -> None:
    assert len(Build.from_json(json.dumps(build())).steps) == len(steps())
    with pytest.raises(ParseError, match="timeouts"):
        Build.from_json(json.dumps(build() | {"timeouts": "1s"}))


def test_the_image_is_pushed_and_tried_before_a_template_names_it() -> None:
    order = list(steps())
    assert order[:3] == ["image", "push", "try"]
    assert set(order[3:]) == set(TEMPLATES)
    assert steps()["try"]["name"] == steps()["push"]["args"][-1] == "${_IMAGE}:${_REVISION}"


def test_each_template_is_made_of_its_metadata_where_the_scripts_look_for_it() -> None:
    for template in TEMPLATES:
        args = steps()[template]["args"]
        assert args[:3] == ["dataflow", "flex-template", "build"]
        assert args[3] == f"${{_TEMPLATES}}/${{_REVISION}}/{template}.json"
        (metadata,) = (each.partition("=")[2] for each in args if each.startswith("--metadata-file="))
        assert (DEPLOY.parent / metadata).exists()
    assert '"${setting[TEMPLATES]}/$(revision)/$template.json"' in (DEPLOY / "dataflow" / "common.sh").read_text()


def test_image_and_templates_are_where_terraform_says() -> None:
    named = build()["substitutions"]
    outputs = (FOLDER / "outputs.tf").read_text()
    image = named["_IMAGE"].replace("${LOCATION}", "${var.region}").replace("${PROJECT_ID}", "${local.jobs_project}")
    assert f'"{image}:${{var.revision}}"' in outputs
    assert named["_TEMPLATES"] == "gs://${PROJECT_ID}-uncommon-im-temp/templates"
    assert '"${local.jobs_project}-uncommon-im-temp"' in (FOLDER / "storage.tf").read_text()


def test_the_dockerfile_that_is_built_is_there_and_the_image_is_never_called_latest() -> None:
    args = steps()["image"]["args"]
    assert Path(DEPLOY.parent, args[args.index("--file") + 1]).exists()
    assert "latest" not in str(build())
