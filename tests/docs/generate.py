"""The generated parts of the documentation: what the program itself knows better than any page.

A page says `<!-- begin generated: NAME -->` and `<!-- end generated -->`; what stands between them is written by the
function of that name. `python -m tests.docs.generate` (`make docs`) writes it, and a test compares it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from google.cloud.bigquery import SchemaField
from msgspec import UNSET, UnsetType

from uncommon_im.pipeline.cli.main import parser
from uncommon_im.pipeline.lab.simulation.campaigns.deck import SHIPPED
from uncommon_im.schemas.bigquery.tables import TABLES, Table
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.catalogue.model import Service
from uncommon_im.schemas.detector import load_detector
from uncommon_im.schemas.envelopes import load_envelopes
from uncommon_im.schemas.event import ARROW_TYPES, EVENT_COLUMNS

TOP: Final = Path(__file__).parents[2]
DOCS: Final = TOP / "docs"
_PART: Final = re.compile(r"(?<=<!-- begin generated: )([a-z-]+)( -->\n).*?(?=<!-- end generated -->)", re.DOTALL)
OF_TABLES_ONLY: Final = ("service_id", "content_digest")
"""Columns of the table of alerts that an alert in a file or a message does not have."""


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    """Text as code, nothing as nothing."""
    return f"`{text}`" if text else ""


def commands() -> dict[str, argparse.ArgumentParser]:
    """Command -> its parser, in the order of `--help`."""
    (subs,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(subs.choices)


def command_line() -> str:
    """Each command with its options, by groups."""
    return "\n".join(_command(name, each) for name, each in commands().items())


def _command(name: str, command: argparse.ArgumentParser) -> str:
    parts = [f"## {name}\n\n{_sentence(command.description or '')}\n"]
    for group in command._action_groups:
        actions = [each for each in group._group_actions if each.help != argparse.SUPPRESS and each.dest != "help"]
        if not actions:
            continue
        title = {"positional arguments": "arguments", "options": "general"}.get(group.title or "", group.title or "")
        what = f"\n{_sentence(group.description)}\n" if group.description else ""
        rows = ((_option(each), _help(each, command)) for each in actions)
        parts.append(f"**{title[:1].upper()}{title[1:]}**\n{what}\n{table(('option', 'what'), rows)}")
    return "\n".join(parts)


def _option(action: argparse.Action) -> str:
    names = " ".join(action.option_strings)
    takes = action.nargs != 0
    value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest)
    value = value if isinstance(value, str) else " ".join(value)
    shown = f"[{value}]" if action.nargs == "?" else value
    return code(f"{names} {shown}".strip() if takes else names) + (" (required)" if action.required and names else "")


def _help(action: argparse.Action, command: argparse.ArgumentParser) -> str:
    text = (action.help or "") % {"prog": command.prog, "default": action.default}
    return re.sub(r"(?<!`)(--[a-z][a-z-]*)(?!`)", r"`\1`", text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def event_fields() -> str:
    """The columns of an event: types from the code, meanings from the specification's table, one order."""
    said = dict(_specified())
    kinds = {name: str(ARROW_TYPES[kind]) for name, kind in EVENT_COLUMNS.items()}
    return table(("column", "Arrow type", "what"), ((code(name), kinds[name], said[name]) for name in kinds))


def _specified() -> Iterator[tuple[str, str]]:
    """(column, what it is) of the table of section 2."""
    text = (DOCS / "reference" / "specification.md").read_text(encoding="utf-8")
    section = text[text.index("## 2. Events") : text.index("## 2a.")]
    for names, kind, what in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*?) \| ?(.*?) ?\|$", section, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            one_of = kind if kind.startswith("`") else ""
            yield name, "; ".join(part for part in (one_of, what) if part)


def alert_fields() -> str:
    """The fields of an alert, with those inside of others."""
    fields = (field for field in TABLES["alerts"].fields if field.name not in OF_TABLES_ONLY)
    return table(("field", "type", "what"), _rows(fields))


def _rows(fields: Iterable[SchemaField], within: str = "") -> Iterator[tuple[str, str, str]]:
    for field in fields:
        repeated = field.mode == "REPEATED"
        kind = {"RECORD": "object", "STRING": "text", "INTEGER": "number", "BOOLEAN": "true or false"}.get(
            field.field_type, field.field_type.lower()
        )
        yield code(within + field.name), f"list of {kind}" if repeated else kind, field.description
        yield from _rows(field.fields, f"{within}{field.name}{'[]' if repeated else ''}.")


def tables() -> str:
    """Each table of BigQuery, with its columns."""
    return "\n".join(_table(each) for each in TABLES.values())


def _table(each: Table) -> str:
    facts = table(
        ("", ""),
        (
            ("partitioned by the day of", code(each.partition)),
            ("clustered by", ", ".join(map(code, each.clustering))),
            ("key of a backfill's rows", ", ".join(map(code, each.key))),
        ),
    )
    fields = [field for field in each.fields if each.name != "alerts" or field.name in OF_TABLES_ONLY]
    beside = "Beside the [fields of an alert](alert.md#fields):\n\n" if each.name == "alerts" else ""
    return f"## {each.name}\n\n{each.what}.\n\n{facts}\n{beside}{table(('column', 'type', 'what'), _rows(fields))}"


def services() -> str:
    """Each service of the catalogue with its hosts and ranges."""
    rows = sorted(load_catalogue().services, key=lambda service: service.name.lower())
    heads = ("service", "id", "category", "known by")
    return table(heads, ((each.name, code(each.id), each.category, _known_by(each)) for each in rows))


def _known_by(service: Service) -> str:
    names = [code(host.name) + (" only" if host.exact else "") for host in service.hosts]
    ranges = [code(each.cidr) + (" (operator)" if each.operator else "") for each in service.ranges]
    return ", ".join(names + ranges) or "hosts of your own: `--services`"


def process_classes() -> str:
    """The classes of process names."""
    classes = _document("schemas/catalogue/processes.yaml")["classes"]
    rows = ((code(each["id"]), each["role"], each["why"], str(_number(each["names"]))) for each in classes)
    return table(("class", "role", "why", "names"), rows)


def _number(names: dict[str, list[str]]) -> int:
    return len({name for each in names.values() for name in each})


def detector_card() -> str:
    """The detector card: what it is, its texts, its variations, its points, its limits."""
    card = _document("schemas/detector.yaml")
    detector = load_detector()
    facts = table(
        ("", ""),
        (
            ("id", code(detector.id)),
            ("name", detector.name),
            ("ATT&CK tactic", f"{detector.tactic} ({detector.tactic_id})"),
            ("ATT&CK technique", f"{detector.technique} ({detector.technique_id})"),
        ),
    )
    known = ("id", "name", "attack", "variations", "priority", "limits")
    texts = "".join(f"\n## {_title(key)}\n\n{_prose(value)}" for key, value in card.items() if key not in known)
    variations = table(
        ("id", "title", "severity"), ((code(each.id), each.title, each.severity) for each in detector.variations)
    )
    points = table(
        ("part", "points", "from so many bytes on"),
        (
            (code(each.part), f"{each.points:+}", f"{each.at_least:,}" if each.at_least else "")
            for each in detector.priority
        ),
    )
    limits = table(("limit", "default"), ((code(key), str(value)) for key, value in card["limits"].items()))
    said = table(
        ("sub-technique", "because", "of"),
        (
            (f"{each.name} ({each.id})", code(each.because), ", ".join(map(code, (*each.programs, *each.scripts))))
            for each in detector.subtechniques
        ),
    )
    parts = {"Variations": variations, "Sub-techniques": said, "Priority": points, "Limits": limits}
    return facts + texts + "".join(f"\n## {title}\n\n{rows}" for title, rows in parts.items())


def envelopes() -> str:
    """What records come wrapped in, in the order in which it is tried."""
    rows = []
    for each in load_envelopes():
        told = " or ".join(" and ".join(code(".".join(path)) for path in paths) for paths in each.match)
        notes = ["base64"] * (each.encoding is not UNSET)
        notes += [f"named by {code('.'.join(each.columns))}"] if not isinstance(each.columns, UnsetType) else []
        rows.append((each.id, told, ", ".join([code(".".join(each.path)), *notes])))
    return table(("envelope", "told by", "records"), rows)


def campaigns() -> str:
    """The campaigns that ship, malicious ones first, by class."""
    cards = sorted(SHIPPED, key=lambda card: (not card.malicious, card.kind, card.name))
    rows = ([card.kind, code(card.name), card.title, code(card.expected)] for card in cards)
    return table(("class", "campaign", "what happens", "expected"), rows)


def _document(path: str) -> dict[str, Any]:
    return dict(yaml.safe_load((TOP / path).read_text(encoding="utf-8")))


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _prose(value: Any) -> str:
    """A text, or a list of texts, of the card."""
    if isinstance(value, list):
        return "".join(f"- {_entry(each)}\n" for each in value)
    if isinstance(value, dict):
        return "".join(f"- **{_title(str(key))}**: {_entry(each)}\n" for key, each in value.items())
    return f"{_entry(value)}\n"


def _entry(value: Any) -> str:
    """A text; or one with an address, as a link."""
    if isinstance(value, dict):
        text, address = value.values()
        return f"[{_entry(text)}]({address})"
    return " ".join(str(value).split())


PARTS: Final[dict[str, Callable[[], str]]] = {
    "command-line": command_line,
    "event-fields": event_fields,
    "alert-fields": alert_fields,
    "tables": tables,
    "envelopes": envelopes,
    "services": services,
    "process-classes": process_classes,
    "detector-card": detector_card,
    "campaigns": campaigns,
}
"""Name of a part -> what writes it."""


def generated(text: str) -> str:
    """A page with its generated parts as they should be."""
    return _PART.sub(lambda part: f"{part[1]}{part[2]}\n{PARTS[part[1]]()}\n", text)


def main() -> None:
    """Writes all pages that have a generated part."""
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        if generated(text) != text:
            page.write_text(generated(text), encoding="utf-8")


if __name__ == "__main__":
    main()
