"""What is in folders, looked at from outside: is the earlier result whole, the new one, or neither?"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BOOKKEEPING: Final = ".uncommon-im"
"""What the program keeps for itself in a folder that it writes to."""
JOURNAL: Final = "*-publishing.json"
"""Says that a new result is being put in place of the earlier one: the next command finishes that."""
_RUN_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_RANDOM: Final = re.compile(r"[0-9a-f]{32}")
STORE: Final = "store"
"""The folder of objects, in the folder of a scene."""
_NO_FOLDER: Final = re.compile(rf"{STORE}/.*/")
"""Object stores have none."""
_PROBE: Final = re.compile(r"tmp/[a-z0-9_]{8}")
"""Python tries with such a file, before all else, whether a folder for temporary files can be written."""

Tree = dict[str, bytes]
"""Path -> bytes of each file; folders end in `/`."""


def tree(folder: Path) -> Tree:
    """Everything in a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file() or path.is_dir()]
    return {_name(path, folder): b"" if path.is_dir() else path.read_bytes() for path in paths}


def _name(path: Path, folder: Path) -> str:
    return f"{path.relative_to(folder)}{'/' * path.is_dir()}"


def shape(folder: Path) -> Counter[str]:
    """The names in a folder, without what differs from run to run: ids, and how many files a stream's rows fill."""
    names = [name for name in tree(folder) if not _PROBE.fullmatch(name) and not _NO_FOLDER.fullmatch(name)]
    counts = Counter(_RANDOM.sub("RANDOM", _RUN_ID.sub("RUN", name)) for name in names)
    return Counter({name: 1 if name.endswith("-RANDOM.jsonl") else times for name, times in counts.items()})


def facts(files: Tree) -> dict[str, Any]:
    """What files say, comparable between runs: lines in any order, and no run's own name in them."""
    said: dict[str, Any] = {}
    for path, content in sorted(files.items()):
        path = _RUN_ID.sub("RUN", path)
        if path.endswith(".jsonl"):
            lines = Counter(_RUN_ID.sub("RUN", line) for line in content.decode().splitlines())
            place = said.setdefault(path.rpartition("/")[0] or path, Counter())
            place.update(lines)
        elif path.endswith(".json"):
            said[path] = json.loads(_RUN_ID.sub("RUN", content.decode()))
        elif not path.endswith("/"):
            said[path] = content
    return said


@dataclass(frozen=True)
class Result:
    """A result that a command leaves.

    Args:
        folder: where, in the folder of a scene.
        mark: its file that says that all of it is there.
        places: its files and folders; none: what `mark` names, the files of a snapshot.
    """

    folder: str
    mark: str
    places: tuple[str, ...] = ()

    def files(self, scene: Path) -> Tree:
        """Its files as they are; none if the mark is not there.

        Raises:
            AssertionError: the mark names a file that is not there.
        """
        folder = scene / self.folder
        if not (folder / self.mark).is_file():
            return {}
        if not self.places:
            named = json.loads((folder / self.mark).read_text())["files"]
            names = [self.mark, *(name for files in named.values() for name in files)]
            missing = [name for name in names if not (folder / name).is_file()]
            assert not missing, f"{self.folder}/{self.mark} names {missing}, which are not there"
            return {name: (folder / name).read_bytes() for name in names}
        within = tree(folder)
        return {name: data for name, data in within.items() if not name.endswith("/") and self._owns(name)}

    def _owns(self, name: str) -> bool:
        return name.partition("/")[0] in self.places

    def begun(self, scene: Path) -> bool:
        """Whether the new one is being put in place, which the next command will finish."""
        return any((scene / self.folder / BOOKKEEPING).glob(JOURNAL))


RUN: Final = Result("case", "summary.json", ("alerts", "dead_letter", "verdicts", "evidence", "summary.json"))
SNAPSHOT: Final = Result("base", "metadata.json")
PAGE: Final = Result("case", "report.html", ("report.html",))
SIMULATION: Final = Result("made", "labels.jsonl", ("events", "labels.jsonl", "marginals.json"))
