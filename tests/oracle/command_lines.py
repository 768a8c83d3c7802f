"""Scripting engines and the fingerprints of their executions (the detector's specification, section 4)."""

from __future__ import annotations

import hashlib
import re

from tests.oracle import catalogue
from tests.oracle.catalogue import EngineRow
from tests.oracle.events import Event, base_name
from tests.oracle.folding import fold_script

LETTERS = re.compile(r"[A-Za-z]+")


def engine_of(name: str | None) -> str | None:
    """The scripting engine that a process name stands for, if it is one; engines count on every system."""
    if name is None:
        return None
    engine = catalogue.engine_name(base_name(name))
    return engine if engine in catalogue.load().engines else None


def execution_of(event: Event) -> str | None:
    """The fingerprint of the actor if it is an engine, else of the causality owner if that is one."""
    actor = engine_of(event.name)
    if actor is not None:
        return fingerprint(actor, event.text("process_command_line"), event.text("process_path"), event.os == "windows")
    owner = engine_of(event.text("causality_process_name"))
    if owner is not None:
        return fingerprint(owner, event.text("causality_process_command_line"), None, event.os == "windows")
    return None


def fingerprint(engine: str, command_line: str | None, path: str | None, windows: bool) -> str:
    """`ENGINE|TARGET` of a command line."""
    if command_line is None:
        return f"{engine}|unknown"
    arguments = tokens(without_program(command_line, path, windows), windows)
    row = catalogue.load().rows.get(engine, EngineRow())
    return f"{engine}|{target(arguments, row)}"


def without_program(command_line: str, path: str | None, windows: bool) -> str:
    """The command line without the process's own path; if it begins otherwise, without its first token."""
    if path is not None:
        for quote in ("", '"') if windows else ("", '"', "'"):
            start = quote + path + quote
            rest = command_line[len(start) :]
            if command_line.lower().startswith(start.lower()) and (not rest or rest[0].isspace()):
                return rest
    return command_line[end_of_token(command_line, windows) :]


def end_of_token(text: str, windows: bool) -> int:
    """Where the first token of a text ends."""
    quote = ""
    start = len(text) - len(text.lstrip())
    for index in range(start, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character == '"' or (character == "'" and not windows):
            quote = character
        elif character.isspace():
            return index
    return len(text)


def tokens(text: str, windows: bool) -> list[str]:
    """Cut at white space; quotes group and are removed; a backslash is an ordinary character."""
    found = []
    rest = text.strip()
    while rest:
        end = end_of_token(rest, windows)
        found.append(unquoted(rest[:end], windows))
        rest = rest[end:].strip()
    return found


def unquoted(token: str, windows: bool) -> str:
    """A token without the quotes that group; a quote of the other kind inside them stays."""
    result, quote = "", ""
    for character in token:
        if quote and character == quote:
            quote = ""
        elif not quote and (character == '"' or (character == "'" and not windows)):
            quote = character
        else:
            result += character
    return result


def inline(code: list[str]) -> str:
    """The target of inline code."""
    return "inline:" + hashlib.sha256(" ".join(code).lower().encode()).hexdigest()[:16]


def script(path: str) -> str:
    """The target of a script file; `-` is standard input."""
    return "stdin" if path == "-" else "script:" + fold_script(path)


def target(arguments: list[str], row: EngineRow) -> str:
    """Reads the arguments from the left until something decides."""
    rest = list(arguments)
    while rest:
        token = rest.pop(0)
        if token == "-":
            return "stdin"
        option = as_option(token, row)
        if option is None:
            decided = bare(token, rest, row)
        elif row.style == "powershell":
            decided = powershell_option(option, rest, row)
        elif row.style == "wsh":
            decided = None
        elif row.style == "words" or option.startswith("--"):
            decided = word_option(option, rest, row)
        else:
            decided = short_options(option, rest, row)
        if decided is not None:
            return decided
    return "interactive"


def as_option(token: str, row: EngineRow) -> str | None:
    """The token as an option of this style, or None if it is none."""
    if row.style == "wsh":
        return token if token.startswith("//") else None
    if row.style == "powershell" and token.startswith("/") and LETTERS.fullmatch(token[1:]):
        return "-" + token[1:]
    return token if token.startswith("-") else None


def bare(token: str, rest: list[str], row: EngineRow) -> str | None:
    """A token that is no option: skipped word, inline code, or the script."""
    if token in row.skip:
        return None
    if token in row.inline_words:
        return inline(rest)
    if any(token.lower().startswith(prefix) for prefix in row.inline_prefixes):
        return inline([token, *rest])
    if row.script_suffix and not token.lower().endswith(row.script_suffix):
        return inline([token, *rest])
    return script(token)


def powershell_option(option: str, rest: list[str], row: EngineRow) -> str | None:
    """Words without case, by prefix; inline flags win over the others (`-e` is no `-executionpolicy`)."""
    word = option[1:].lower()

    def is_one(names: tuple[str, ...], exact: tuple[str, ...] = ()) -> bool:
        return word in exact or any(name.startswith(word) for name in names)

    if is_one(row.inline, row.inline_exact):
        return inline(rest)
    if is_one(row.script):
        return script(rest[0]) if rest else None
    if is_one(row.value, row.value_exact) and rest:
        rest.pop(0)
    return None


def word_option(option: str, rest: list[str], row: EngineRow) -> str | None:
    """A whole word (`-jar X`, `--require X`); one with two dashes may carry its value after `=`."""
    name, glued = option, []
    if option.startswith("--") and "=" in option:
        name, value = option.split("=", 1)
        glued = [value]
    values = glued + rest
    if name in row.inline:
        return inline(values)
    if name in row.module and values:
        return f"module:{values[0]}"
    if name in row.script and values:
        return script(values[0])
    if name in row.value and not glued and rest:
        rest.pop(0)
    return None


def short_options(option: str, rest: list[str], row: EngineRow) -> str | None:
    """One-letter options that may be combined, the last one perhaps glued to its value (`-Bc CODE`)."""
    for index in range(1, len(option)):
        flag = "-" + option[index]
        glued = [option[index + 1 :]] if option[index + 1 :] else []
        values = glued + rest
        if flag in row.inline:
            combined = flag == "-p" and glued and all("-" + letter in row.inline for letter in glued[0])
            return inline(rest if combined else values)
        if flag in row.module:
            return f"module:{values[0]}" if values else None
        if flag in row.script:
            return script(values[0]) if values else None
        if flag in row.value:
            if not glued and rest:
                rest.pop(0)
            return None
    return None
