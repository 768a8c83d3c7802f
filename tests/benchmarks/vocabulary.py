"""Words the generated organisation is made of, and the table of its processes.

Every text column is a vocabulary of distinct strings plus an array of codes, so that ten million rows are integers
until they are written.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[np.int32]

FIRST = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "gravel",
    "harbor",
    "indigo",
    "jasper",
    "kelp",
    "lumen",
    "maple",
    "north",
    "ochre",
    "pebble",
    "quartz",
    "ridge",
    "sable",
    "tundra",
    "umber",
    "velvet",
    "willow",
    "yarrow",
    "zephyr",
    "acorn",
    "basalt",
    "coral",
    "drift",
    "falcon",
    "garnet",
    "heron",
]
SECOND = [
    "bridge",
    "cast",
    "desk",
    "engine",
    "field",
    "forge",
    "gate",
    "hub",
    "index",
    "journal",
    "kit",
    "ledger",
    "mill",
    "note",
    "orbit",
    "point",
    "queue",
    "relay",
    "stack",
    "track",
    "union",
    "vault",
    "watch",
    "works",
    "yard",
    "archive",
    "board",
    "clinic",
    "dock",
    "export",
    "flow",
    "grid",
]
TOP_DOMAINS = [
    "www.bing.com",
    "www.google.com",
    "login.microsoftonline.com",
    "outlook.office365.com",
    "ctldl.windowsupdate.com",
    "fonts.gstatic.com",
    "www.gstatic.com",
    "safebrowsing.googleapis.com",
    "settings-win.data.microsoft.com",
    "v10.events.data.microsoft.com",
    "officeclient.microsoft.com",
    "sharepoint.contoso-corp.com",
    "update.googleapis.com",
    "dc01.corp.local",
    "dc02.corp.local",
    "files.corp.local",
    "wpad.corp.local",
    "ocsp.digicert.com",
    "github.com",
    "api.github.com",
    "packages.corp.local",
    "mirror.corp.local",
    "www.youtube.com",
    "i.ytimg.com",
    "www.linkedin.com",
    "en.wikipedia.org",
    "cdn.jsdelivr.net",
    "ajax.googleapis.com",
    "www.googletagmanager.com",
    "static.cloudflareinsights.com",
]
TLDS = ["com", "net", "org", "io", "de", "co.uk", "fr", "eu"]
SUBDOMAINS = ["www", "api", "cdn", "static", "img", "mail", "app", "login"]


class Vocabulary:
    """The distinct strings of one column; a string's code is its position, and -1 stands for missing."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._array: pa.Array | None = None

    def __len__(self) -> int:
        return len(self._codes)

    def code(self, text: str | None) -> int:
        """The code of `text`, added if it is new."""
        if text is None:
            return -1
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self._codes)
            self._array = None
        return code

    def codes(self, texts: Iterable[str | None]) -> Codes:
        """The codes of several strings."""
        return np.fromiter((self.code(text) for text in texts), dtype=np.int32)

    def strings(self) -> pa.Array:
        """All strings, in the order of their codes."""
        if self._array is None:
            self._array = pa.array(list(self._codes), pa.string())
        return self._array


class Actor(NamedTuple):
    """What an event says about the process that acts, its parent and its causality owner."""

    process_name: str
    process_path: str | None
    process_command_line: str | None
    process_sha256: str | None
    process_signature_status: str | None = "signed"
    process_signer: str | None = None
    parent_process_name: str | None = "explorer.exe"
    parent_process_command_line: str | None = r"C:\Windows\Explorer.EXE"
    causality_process_name: str | None = "explorer.exe"
    causality_process_command_line: str | None = r"C:\Windows\Explorer.EXE"


class ActorTable:
    """Distinct actors, column by column: an event carries the number of its actor."""

    def __init__(self) -> None:
        self.vocabularies = {field: Vocabulary() for field in Actor._fields}
        self._rows: list[list[int]] = [[] for _ in Actor._fields]
        self._system: list[bool] = []
        self._columns: dict[str, Codes] = {}

    def __len__(self) -> int:
        return len(self._system)

    def add(self, actor: Actor, system: bool = False) -> int:
        """Adds an actor and returns its number; `system` actors run as the machine and not as its user."""
        for column, vocabulary, text in zip(self._rows, self.vocabularies.values(), actor, strict=True):
            column.append(vocabulary.code(text))
        self._system.append(system)
        self._columns = {}
        return len(self._system) - 1

    def column(self, field: str) -> Codes:
        """The codes of one field for all actors."""
        if not self._columns:
            self._columns = {
                name: np.array(rows, np.int32) for name, rows in zip(Actor._fields, self._rows, strict=True)
            }
            self._columns["system"] = np.array(self._system, np.int32)
        return self._columns[field]


def digest(*parts: object) -> str:
    """A sha256 that stands for a binary."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def pairs(start: int = 0) -> Iterator[str]:
    """Endless distinct two- and three-word names without digits, so that folding keeps them apart."""
    words = itertools.chain(
        itertools.product(FIRST, SECOND),
        itertools.product(FIRST, SECOND, SECOND),
        itertools.product(FIRST, SECOND, SECOND, SECOND),
    )
    return ("-".join(word) for word in itertools.islice(words, start, None))


def domains(count: int) -> list[str]:
    """`count` ordinary domain names, the best known first; none belongs to a messenger."""
    names = list(TOP_DOMAINS)
    for number, pair in enumerate(pairs()):
        names.append(f"{SUBDOMAINS[number % len(SUBDOMAINS)]}.{pair.replace('-', '')}.{TLDS[number % len(TLDS)]}")
        if len(names) >= count:
            break
    return names[:count]


def zipf_pool(rng: np.random.Generator, choices: int, exponent: float, size: int = 1 << 20) -> Codes:
    """A shuffled pool of choices 0..n-1 with Zipf frequencies: indexing it at random is the cheapest draw."""
    weights = 1.0 / np.arange(1, choices + 1) ** exponent
    edges = np.round(np.cumsum(weights) / weights.sum() * size).astype(np.int64)
    pool = np.repeat(np.arange(choices, dtype=np.int32), np.diff(edges, prepend=0))
    rng.shuffle(pool)
    return pool


def draw(rng: np.random.Generator, pool: Codes, count: int) -> Codes:
    """`count` random members of a pool."""
    return pool[rng.integers(0, len(pool), count, dtype=np.int32)]
