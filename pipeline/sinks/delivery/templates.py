"""What a chat or a ticket system is told of an alert: JSON from a template in Jinja.

Templates run in Jinja's sandbox; what they are given is JSON, and nothing else. Values must be written with `tojson`,
which makes JSON of whatever text telemetry holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from uncommon_im.pipeline.storage.opening import open_binary
from uncommon_im.schemas.documents import ConfigurationError, require

SHIPPED: Final = ("slack", "teams", "jira")
"""Kinds of servers for which there is a template."""
_MOST_CHARACTERS: Final = 1 << 20


class Template:
    """A template that makes the body of a request, which is JSON."""

    def __init__(self, source: str, name: str) -> None:
        """Compiles it.

        Raises:
            ConfigurationError: Jinja is not installed, or it is no template; names it.
        """
        try:
            from jinja2 import StrictUndefined
            from jinja2.exceptions import TemplateError
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ModuleNotFoundError:
            raise ConfigurationError(f"{name} needs jinja2: pip install 'uncommon-im[chat]'") from None
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        environment.policies["json.dumps_function"] = _json
        environment.policies["json.dumps_kwargs"] = {}
        try:
            self._template, self._name = environment.from_string(source), name
        except TemplateError as error:
            raise ConfigurationError(f"{name}: no template of Jinja: {error}") from None

    def render(self, alert: Mapping[str, Any]) -> str:
        """The body for an alert, whose fields are the template's variables; `alert` is all of it.

        Raises:
            ConfigurationError: the template fails, or what it makes is no JSON.
        """
        try:
            text = self._template.render(alert, alert=alert)
        except Exception as error:  # a template is a program
            raise ConfigurationError(f"{self._name}: {type(error).__name__}: {error}") from None
        require(len(text) <= _MOST_CHARACTERS, f"{self._name}: it makes more than {_MOST_CHARACTERS:,} characters")
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError as error:
            raise ConfigurationError(
                f"{self._name}: what it makes is no JSON ({error}): write values as {{{{ value | tojson }}}}"
            ) from None


def _json(value: Any) -> str:
    """Not Jinja's own, which escapes for HTML: chats would show that."""
    return json.dumps(value, ensure_ascii=False)


def source_of(kind: str, path: str | None) -> str | None:
    """The template of a user's file, else the one that is shipped for a kind of server, if there is one.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    if path is None:
        shipped = files(__package__).joinpath("messages", f"{kind}.json.j2")
        return shipped.read_text(encoding="utf-8") if kind in SHIPPED else None
    try:
        with open_binary(path) as stream:
            return stream.read().decode()
    except Exception as error:  # file systems have no error in common
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ConfigurationError(f"--alerts-template {path}: cannot be read: {reason}") from None
