"""Cards: one file a campaign, those that ship and one's own, and which of them are planted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import PurePath
from posixpath import join
from typing import Final

from msgspec.structs import asdict

from uncommon_im.pipeline.lab.simulation.campaigns.campaign import CHANGES, DEFAULT, Campaign, Card
from uncommon_im.pipeline.lab.simulation.organisation.software import PROGRAMS, Program
from uncommon_im.pipeline.lab.simulation.parameters import PARAMETERS as p
from uncommon_im.pipeline.storage.listing import list_folder
from uncommon_im.schemas.decoding import decode
from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml, read_yaml, require

_PACKAGE: Final = f"{__package__}.cards"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEMPLATES: Final[dict[str, object]] = {"user": "", "project": "", "version": ""}
_NAMES: Final[dict[str, object]] = {"host": "", "day": 0, "number": 0}


def shipped_cards() -> list[Campaign]:
    """The campaigns that ship: those that are planted by default in their order, then the others by name."""
    files = resources.files(_PACKAGE).iterdir()
    names = (file.name for file in files if file.name.endswith(".yaml"))
    order = {name: place for place, name in enumerate(DEFAULT)}
    cards = [campaign_of(packaged_yaml(_PACKAGE, name), name) for name in names]
    return sorted(cards, key=lambda card: (order.get(card.name, len(order)), card.name))


def chosen(wanted: Sequence[str] = (), folder: str | None = None) -> list[Campaign]:
    """The campaigns to plant.

    Args:
        wanted: as of `select`; without any it is what is planted by default, and all of the folder.
        folder: cards of one's own, beside those that ship.

    Raises:
        ConfigurationError: as of `own_cards` and `select`.
    """
    own = own_cards(folder) if folder else []
    return select([*SHIPPED, *own], wanted or [*DEFAULT, *(card.name for card in own)])


def own_cards(folder: str) -> list[Campaign]:
    """The campaigns of the `*.yaml` files in a folder and below it, on any file system, by name.

    Raises:
        ConfigurationError: there is none, one is no card, or two campaigns have one name; names the file.
    """
    paths = [join(folder, name) for name in list_folder(folder, "--cards") if name.endswith(".yaml")]
    require(paths, f"--cards {folder}: no *.yaml there: give a folder with a card for each campaign")
    shipped = [*(change.name for change in CHANGES), *(card.name for card in SHIPPED)]
    taken = dict.fromkeys(shipped, "one that ships")
    cards = {}
    for path in paths:
        card = campaign_of(read_yaml(path), path)
        other = taken.setdefault(card.name, path)
        require(other == path, f"{path}: the name of {other}: give the file another name")
        cards[card.name] = card
    return [cards[name] for name in sorted(cards)]


def campaign_of(document: object, path: str) -> Campaign:
    """The campaign of a card, called as its file is.

    Raises:
        ConfigurationError: it is none, or says what cannot be; names the file, the field and how to mend it.
    """
    card, name = decode(document, Card, path), PurePath(path).stem
    require(_NAME.fullmatch(name), f"{path}: call the file by small letters, digits and -: it names the campaign")
    for problem in _problems(card):
        raise ConfigurationError(f"{path}: {problem}")
    return Campaign(name=name, **asdict(card))


def select(cards: Sequence[Campaign], wanted: Iterable[str]) -> list[Campaign]:
    """The campaigns that are wanted, in the order of `cards`.

    Args:
        cards: all there are.
        wanted: names, classes, and globs of both; `default`, `malicious` and `harmless` are classes, too.

    Raises:
        ConfigurationError: nothing is called so; names what is nearest.
    """
    words = {card.name: _words(card) for card in cards}
    chosen: set[str] = set()
    for pattern in wanted:
        found = {name for name, own in words.items() if any(fnmatchcase(word, pattern) for word in own)}
        close = get_close_matches(pattern, sorted(set().union(*words.values())), 1)
        hint = f"did you mean {close[0]}? " if close else ""
        classes = ", ".join(sorted({card.kind for card in cards}))
        require(found, f"--campaigns {pattern}: no campaign or class is called so: {hint}classes are {classes}")
        chosen |= found
    return [card for card in cards if card.name in chosen]


def _words(card: Campaign) -> set[str]:
    side = "malicious" if card.malicious else "harmless"
    return {card.name, card.kind, side} | ({"default"} if card.name in DEFAULT else set())


def _problems(card: Card) -> Iterator[str]:
    """What is wrong with a card that has the right form."""
    if card.malicious != bool(card.technique):
        yield "technique: a malicious campaign has one, a harmless one has '': change it, or `malicious`"
    if card.malicious and not card.sources:
        yield "sources: a malicious campaign is modelled on something: name it"
    if card.stated and not card.sources:
        yield "stated: nothing states a fact without `sources`: name them, or state []"
    if card.hosts.os not in card.platforms:
        yield f"hosts.os: {card.hosts.os} is none of `platforms`: add it there, or plant the campaign on one of them"
    if card.hosts.department not in (None, *p.departments):
        yield f"hosts.department: expected one of {', '.join(p.departments)}, not {card.hosts.department!r}"
    if card.hosts.named and not _fills(card.hosts.named, _NAMES):
        yield "hosts.named: expected a name with no other placeholders than {host}, {day} and {number}"
    yield from _problems_of_program(card.program, PROGRAMS[card.hosts.os])


def _problems_of_program(program: str | Program, installed: dict[str, Program]) -> Iterator[str]:
    if isinstance(program, str):
        if program not in installed:
            yield f"program: expected a mapping, or one of {', '.join(installed)}, not {program!r}"
        return
    if (program.status == "signed") != (program.signer is not None):
        yield "program.signer: what is `signed` has one, and only that: give it, or the `status` unsigned or unknown"
    own = {"path": program.path, "arguments": program.arguments}
    started = {"parent": program.parent[1], "causality": (program.causality or program.parent)[1]}
    for name, template in (own | started).items():
        if not _fills(template, _TEMPLATES):
            yield f"program.{name}: known are {{user}}, {{project}} and {{version}}; write other braces twice"
    if not program.path.startswith("/") and "\\" not in program.path:
        yield "program.path: expected the whole path of the image"


def _fills(template: str, values: dict[str, object]) -> bool:
    """Whether the values are all that a template needs."""
    try:
        template.format_map(values)
    except (LookupError, ValueError, AttributeError):
        return False
    return True


SHIPPED: Final = tuple(shipped_cards())
"""The campaigns that ship."""
