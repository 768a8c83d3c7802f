"""What a Dataflow Flex Template starts: a command of `uncommon-im`, from the template's parameters.

The launcher of a template runs this with `--name=value` for each parameter, and with Beam's own options for whatever
else the job was launched with (https://cloud.google.com/dataflow/docs/guides/templates/configuring-flex-templates). The
parameters are those of `pipeline.cli.dataflow.metadata`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from uncommon_im.pipeline.cli.dataflow.metadata import COMMAND, SEPARATOR, TEMPLATES, options_of
from uncommon_im.pipeline.cli.main import main
from uncommon_im.pipeline.cli.terminal import complain
from uncommon_im.pipeline.options.beam import unknown_options
from uncommon_im.pipeline.options.declaration import Option
from uncommon_im.pipeline.options.parser import name_of
from uncommon_im.schemas.documents import ConfigurationError, require

log = logging.getLogger(__name__)


def run(parameters: Sequence[str]) -> int:
    """Runs the command that a template's parameters say; returns the exit status, as `uncommon-im` does.

    Args:
        parameters: `--name=value` each, as the launcher gives them.
    """
    try:
        arguments = arguments_of(parameters)
    except ConfigurationError as error:
        complain(error)
        return 2
    return main(arguments)


def arguments_of(parameters: Sequence[str]) -> list[str]:
    """The command line that says what a template's parameters say.

    What is neither a parameter of the template nor an option of Beam's can only be the launcher's own, which may know
    more options than this Beam does: it is logged, without its value, and left out, as Beam itself does.

    Args:
        parameters: `--name=value` each.

    Raises:
        ConfigurationError: there is no command of that name, or a switch is neither true nor false.
    """
    given = [parameter.partition("=")[::2] for parameter in parameters]
    command = dict(given).get(f"--{COMMAND}", "")
    require(command in TEMPLATES, f"--{COMMAND}={command}: expected one of {', '.join(TEMPLATES)}")
    known = options_of(command)
    ours, others = [command], []
    for parameter, (flag, value) in zip(parameters, given, strict=True):
        name = flag.removeprefix("--").replace("-", "_")
        if name in known:
            ours += _option(known[name], value)
        elif name != COMMAND:
            others.append(parameter)
    unknown = unknown_options(others)
    if unknown:
        names = ", ".join(map(name_of, unknown))
        log.warning("options of the launcher that Beam does not know are left out: %s", names)
    return ours + [other for other in others if other not in unknown]


def _option(option: Option, value: str) -> Iterator[str]:
    """A parameter as the option that it is; none for what was left empty."""
    if option.is_switch:
        require(value in ("true", "false", ""), f"{option.flag}={value}: expected true or false")
        if value == "true":
            yield option.flag
        return
    for one in value.split(SEPARATOR) if option.is_repeatable else (value,):
        if one:
            yield f"{option.flag}={one}"
