"""What a scripting engine runs, read from its command line (specification, section 4, "Fingerprint")."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from uncommon_im.schemas.catalogue import Catalogue, Engine
from uncommon_im.transforms.rules.columns.text import base_name
from uncommon_im.transforms.rules.recognition.paths import fold_script

_VERSION: Final = re.compile(r"[-_]?[0-9][0-9.]*$")
_POWERSHELL_SLASH: Final = re.compile(r"^/[A-Za-z]+$")
_QUOTED: Final = {
    False: re.compile(r'"([^"]*+)"?+()'),
    True: re.compile(r""""([^"]*+)"?+|'([^']*+)'?+"""),
}
_TOKEN: Final = {
    False: re.compile(r'(?:[^\s"]++|"[^"]*+"?+)++'),
    True: re.compile(r"""(?:[^\s"']++|"[^"]*+"?+|'[^']*+'?+)++"""),
}
_REMEMBERED: Final = 1 << 16
"""Image names whose engine is remembered: bounds memory, not correctness."""

Target = str
"""`inline:HASH`, `module:NAME`, `script:PATH`, `stdin`, `interactive` or `unknown`."""


def engine_name(image: str) -> str:
    """An image name as an engine's: lower case, without folder, `.exe` and version suffix.

    >>> engine_name("Python3.11.exe")
    'python'
    """
    return _VERSION.sub("", base_name(image).lower().removesuffix(".exe"))


@dataclass(frozen=True)
class Engines:
    """The scripting engines of a catalogue, ready for lookups."""

    catalogue: Catalogue

    def find(self, image: str | None) -> str | None:
        """The engine that an image name stands for, on whatever system; `None` if it is none."""
        return self._find(image) if image else None

    @cached_property
    def pattern(self) -> str:
        """RE2 pattern that every image name of an engine matches, and most others do not: a cheap first look."""
        names = "|".join(re.sub(r"([^\w])", r"\\\1", name, flags=re.ASCII) for name in sorted(self.names))
        return rf"(?i)(?:^|[/\\])(?:{names})(?:[-_]?[0-9][0-9.]*)?(?:\.exe)?$"

    def execution(
        self,
        os: str | None,
        name: str | None,
        path: str | None,
        command_line: str | None,
        owner: str | None,
        owner_command_line: str | None,
    ) -> str | None:
        """Fingerprint of a process's own execution, else of its causality owner's, else `None`."""
        engine = self.find(name)
        if engine:
            return self.fingerprint(engine, command_line, path, os)
        engine = self.find(owner)
        return self.fingerprint(engine, owner_command_line, None, os) if engine else None

    def fingerprint(self, engine: str, command_line: str | None, path: str | None, os: str | None) -> str:
        """`ENGINE|TARGET` of an execution.

        Args:
            engine: as `find` names it.
            command_line: the whole command line, `None` if it is not known.
            path: the engine's own image path, if known: a command line that begins with it loses it.
            os: single quotes group on other systems than Windows.
        """
        if command_line is None or not command_line.strip():
            return f"{engine}|unknown"
        single_quotes = os != "windows"
        tokens = arguments(command_line, path, single_quotes)
        row = self._rows.get(engine, _NO_ROW)
        return f"{engine}|{_READERS[row.style](tokens, row)}"

    @cached_property
    def _find(self) -> Callable[[str], str | None]:
        def find(image: str) -> str | None:
            name = engine_name(image)
            return name if name in self.names else None

        return lru_cache(_REMEMBERED)(find)

    @cached_property
    def names(self) -> frozenset[str]:
        """The engines, as `engine_name` calls them."""
        listed = {
            engine_name(name)
            for class_id in self.catalogue.engine_classes
            for names in self.catalogue.process_class(class_id).names.values()
            for name in names
        }
        return frozenset(listed - self.catalogue.not_engines)

    @cached_property
    def _rows(self) -> dict[str, Engine]:
        return {name: row for row in self.catalogue.engines for name in row.names}


_NO_ROW: Final = Engine()


def arguments(command_line: str, path: str | None, single_quotes: bool) -> list[str]:
    """The tokens that follow the program in a command line."""
    text = command_line.strip()
    if path:
        for quote in ("", '"', "'") if single_quotes else ("", '"'):
            own = f"{quote}{path}{quote}"
            if not text.startswith(quote) or text[: len(own)].lower() != own.lower():
                continue
            rest = text[len(own) :]
            if not rest or rest[0].isspace():
                return split_tokens(rest, single_quotes)
    return split_tokens(text, single_quotes)[1:]


def split_tokens(text: str, single_quotes: bool) -> list[str]:
    """Tokens cut at white space; quotes group and are removed, a backslash is an ordinary character."""
    if '"' not in text and not (single_quotes and "'" in text):
        return text.split()
    quoted = _QUOTED[single_quotes]
    return [quoted.sub(r"\1\2", token) for token in _TOKEN[single_quotes].findall(text)]


def inline(tokens: list[str]) -> Target:
    """The target of code given on the command line."""
    code = " ".join(tokens).lower()
    return f"inline:{hashlib.sha256(code.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def script(path: str) -> Target:
    """The target of a script file; `-` is standard input."""
    return "stdin" if path == "-" else f"script:{fold_script(path)}"


def _read_short(tokens: list[str], row: Engine) -> Target:
    """One-letter options that may be combined or glued to their value, long ones with two dashes."""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == "-":
            return "stdin"
        if token in row.inline_words:
            return inline(tokens[at:])
        if token.startswith("--"):
            name, equals, value = token.partition("=")
            if name in row.inline:
                return inline([value, *tokens[at:]] if equals else tokens[at:])
            at += name in row.value and not equals
        elif token.startswith("-"):
            kind, value = _short_option(token, row)
            if kind == "inline":
                return inline([value, *tokens[at:]] if value else tokens[at:])
            if kind in ("module", "script"):
                value = value or (tokens[at] if at < len(tokens) else "")
                if value:
                    return f"module:{value}" if kind == "module" else script(value)
            at += kind == "value" and not value
        elif token not in row.skip:
            return script(token)
    return "interactive"


def _short_option(token: str, row: Engine) -> tuple[str, str]:
    """(kind, glued value) of the first letter of `-abc` that decides; ("", "") if none does."""
    for position in range(1, len(token)):
        option = f"-{token[position]}"
        if option in row.inline:
            glued = token[position + 1 :]
            combined = glued and all(f"-{letter}" in row.inline for letter in glued)
            return "inline", "" if combined else glued
        for kind, options in (("module", row.module), ("script", row.script), ("value", row.value)):
            if option in options:
                return kind, token[position + 1 :]
    return "", ""


def _read_words(tokens: list[str], row: Engine) -> Target:
    """One dash and a whole word (java, mshta)."""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.lower().startswith(row.inline_prefixes):
            return inline(tokens[at - 1 :])
        if token == "-":
            return "stdin"
        if not token.startswith("-"):
            return script(token)
        name, equals, _ = token.partition("=")
        if name in row.script and at < len(tokens):
            return script(tokens[at])
        at += name in row.value and not equals
    return "interactive"


def _read_powershell(tokens: list[str], row: Engine) -> Target:
    """Words without case that any prefix abbreviates, "/" as well as "-"."""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == "-":
            return "stdin"
        if not token.startswith("-") and not _POWERSHELL_SLASH.match(token):
            return script(token) if token.lower().endswith(row.script_suffix) else inline(tokens[at - 1 :])
        word = token[1:].lower()
        if _abbreviates(word, row.inline, row.inline_exact):
            return inline(tokens[at:])
        if _abbreviates(word, row.script, ()) and at < len(tokens):
            return script(tokens[at])
        at += _abbreviates(word, row.value, row.value_exact)
    return "interactive"


def _abbreviates(word: str, words: tuple[str, ...], exact: tuple[str, ...]) -> bool:
    if not word or word in exact:
        return bool(word)
    for full in words:  # noqa: SIM110 - a generator takes twice as long, and every option comes here
        if full.startswith(word):
            return True
    return False


def _read_wsh(tokens: list[str], row: Engine) -> Target:
    """Options begin with two slashes (wscript, cscript)."""
    for token in tokens:
        if token == "-":
            return "stdin"
        if not token.startswith(("//", "-")):
            return script(token)
    return "interactive"


_READERS: Final[dict[str, Callable[[list[str], Engine], Target]]] = {
    "short": _read_short,
    "words": _read_words,
    "powershell": _read_powershell,
    "wsh": _read_wsh,
}


def reduce_fingerprint(fingerprint: str, fold_location: Callable[[str], str]) -> str:
    """A script as deduplication and flood control count it (specification, section 7).

    Code, standard input and sessions count by their kind only, a file in a suspicious location by that location.

    Args:
        fingerprint: `ENGINE|TARGET`, or the empty string of a program without script.
        fold_location: folds a script path that lies in a suspicious location to `LOCATION/*`.
    """
    engine, bar, target = fingerprint.partition("|")
    kind, colon, value = target.partition(":")
    if kind == "script" and colon:
        return f"{engine}|script:{fold_location(value)}"
    return fingerprint if kind == "module" else f"{engine}{bar}{kind}"
