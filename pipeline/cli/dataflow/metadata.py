"""The metadata of the Dataflow Flex Templates, made from the options of the commands, so that they cannot drift.

`python -m uncommon_im.pipeline.cli.dataflow.metadata deploy/dataflow` writes `stream.json` and `backfill.json`. Their
fields are those of `TemplateMetadata` in Dataflow's API
(https://cloud.google.com/dataflow/docs/reference/rest/v1b3/TemplateMetadata).
A parameter is called as its option, with underscores: those are what Beam's own options have.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from uncommon_im.pipeline.cli.command import TerminalOptions
from uncommon_im.pipeline.cli.main import COMMANDS
from uncommon_im.pipeline.options.declaration import Option, options_in
from uncommon_im.pipeline.options.values import Whole, day

SEPARATOR: Final = ";;"
"""Between the values of an option that can be repeated: a template has each parameter once. No SQL, no glob and no
setting of Kafka's holds it."""
COMMAND: Final = "command"
"""The parameter that says what the one image runs."""

TEMPLATES: Final[dict[str, dict[str, Any]]] = {
    "stream": {
        "name": "uncommon-im stream",
        "description": "Uncommon communication with instant messaging servers, on what a queue delivers",
        "streaming": True,
        "supportsAtLeastOnce": False,
        "supportsExactlyOnce": True,
    },
    "backfill": {
        "name": "uncommon-im backfill",
        "description": "Uncommon communication with instant messaging servers, over a range of history",
        "streaming": False,
    },
}

_RESOURCE: Final = "[^/]+"
_FOLDER: Final = r"^gs://[^/]+(/.*)?$"
_BY_METAVAR: Final[dict[str, tuple[str, str]]] = {
    "DIR": ("GCS_WRITE_FOLDER", _FOLDER),
    "FILE.yaml": ("GCS_READ_FILE", r"^gs://[^/]+/.+$"),
    "GLOB": ("TEXT", r"^[a-z]+://.+$"),
    "HOST:PORT": ("TEXT", r"^[^:,]+:[0-9]+$"),
    "HOST:PORT,...": ("TEXT", r"^[^:,]+:[0-9]+(,[^:,]+:[0-9]+)*$"),
    "KEY=VALUE": ("TEXT", r"^[^=]+=.*$"),
    "PROJECT.DATASET": ("TEXT", r"^[a-z0-9:.-]+\.\w+$"),
    "URL": ("TEXT", r"^https?://.+$"),
    "projects/P/subscriptions/S": ("PUBSUB_SUBSCRIPTION", f"^projects/{_RESOURCE}/subscriptions/{_RESOURCE}$"),
    "projects/P/topics/T": ("PUBSUB_TOPIC", f"^projects/{_RESOURCE}/topics/{_RESOURCE}$"),
}
"""What an option's metavar says of its values: Dataflow's type of the parameter, and the regex."""
_ANY: Final = ("TEXT", r"^.*\S.*$")
_READ_FOLDERS: Final = ("baseline_in",)
_PARENTS: Final = {"kafka_": "kafka_topic"}
"""Options of this prefix show once that parameter is given."""


def options_of(command: str) -> dict[str, Option]:
    """The options of a command by the names of their parameters, in the order of their groups."""
    kinds = (COMMANDS[command].options, TerminalOptions)
    return {each.name: each for kind in kinds for each in options_in(kind)}


def metadata_of(command: str) -> dict[str, Any]:
    """A template's metadata as Dataflow takes it: parameters of the image first, then each option of the command."""
    parameters = [*_image_parameters(command), *map(_parameter, options_of(command).values())]
    return TEMPLATES[command] | {"parameters": parameters}


def _image_parameters(command: str) -> Iterator[dict[str, Any]]:
    """What is no option of the command: which one runs, and on which image its workers do."""
    yield {
        "name": COMMAND,
        "label": "Command",
        "helpText": f"What the image runs: {command}",
        "isOptional": False,
        "groupName": "Image",
        "paramType": "ENUM",
        "enumOptions": [{"value": command}],
        "regexes": [f"^{command}$"],
    }
    yield {
        "name": "sdk_container_image",
        "label": "Image of the workers",
        "helpText": "The template's own image, by tag or digest",
        "isOptional": False,
        "groupName": "Image",
        "paramType": "TEXT",
        "regexes": [r"^[^/ ]+/[^ ]+[:@][^ /]+$"],
    }


def _parameter(option: Option) -> dict[str, Any]:
    name = option.name
    kind, regex = _values_of(option)
    parent = next((parent for prefix, parent in _PARENTS.items() if name.startswith(prefix) and name != parent), None)
    again = f" Several are given with {SEPARATOR} between them." if option.is_repeatable else ""
    made: dict[str, Any] = {
        "name": name,
        "label": _sentence(name.replace("_", " ")),
        "helpText": option.help + again,
        "isOptional": not option.required,
        "paramType": kind,
        "regexes": [regex],
    }
    made |= {"parentName": parent} if parent else {"groupName": _sentence(option.group.title or "run")}
    if option.choices:
        made["enumOptions"] = [{"value": choice} for choice in option.choices]
    if option.default is not None and not option.is_repeatable:
        made["defaultValue"] = str(option.default).lower() if option.is_switch else str(option.default)
    return made


def _values_of(option: Option) -> tuple[str, str]:
    """Dataflow's type of a parameter, and the regex of its values."""
    if option.is_switch:
        return "BOOLEAN", "^(true|false)$"
    if option.choices:
        return "ENUM", f"^({'|'.join(option.choices)})$"
    if option.name in _READ_FOLDERS:
        return "GCS_READ_FOLDER", _FOLDER
    if isinstance(option.parse, Whole):
        return "NUMBER", _regex(option.parse)
    if option.parse is day:
        return "TEXT", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    return _BY_METAVAR.get(option.metavar or "", _ANY)


def _regex(number: Whole) -> str:
    """Of numbers that have no more digits than the largest; the rest is checked as the job starts."""
    digits = len(str(number.most))
    return rf"^[1-9][0-9]{{0,{digits - 1}}}$" if number.least else rf"^[0-9]{{1,{digits}}}$"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def text_of(command: str) -> str:
    """The metadata file of a command, as it is committed."""
    return json.dumps(metadata_of(command), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for _command in TEMPLATES:
        Path(sys.argv[1], f"{_command}.json").write_text(text_of(_command), encoding="utf-8")
