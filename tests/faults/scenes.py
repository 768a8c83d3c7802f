"""Scenes: what was there before, a command, what it is to leave, and who reads that next."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from tests.faults.children import TEMPORARY, command, run
from tests.faults.injection import Change
from tests.faults.looking import PAGE, RUN, SIMULATION, SNAPSHOT, Result, Tree, facts, shape
from tests.faults.streams import LEARNED, write_stream
from tests.running import Record, write_lines

Action = Callable[[], int | None]
DAYS: Final = range(1, 9)
"""Days of March 2026 with telemetry."""
LIMITS: Final = ("--activation-days", "2", "--training-days", "6", "--shards", "1")
EARLIER: Final = ("--end", "2026-03-06")
LATER: Final = ("--end", "2026-03-08")
FOREIGN: Final = {
    "notes.txt": "beside the folder of a run",
    "case/notes.txt": "in it",
    "case/from-siem/alerts-00000-of-00001.jsonl": '{"named": "like a run\'s own"}',
    "base/README": "in the folder of a snapshot",
    "base/copied/sightings-00000.parquet": "named like a snapshot's own, in a folder that is no run's",
    "base/metadata.json.old": "a copy by hand",
    "made/notes.txt": "in the folder of a simulation",
    f"{TEMPORARY}/uncommon-im-tmp-notes.txt": "in the folder of temporary files, named like its folders",
    f"{TEMPORARY}/uncommon-im-tmp-mine/notes.txt": "in a folder named like the temporary ones",
}
"""Files of somebody else, in and around all that is written. No command may touch one."""


def records(days: range = DAYS) -> list[Record]:
    """A few hosts that talk as usual, and one a day with a program that nobody else has, and that should alert."""
    browser = {"process_name": "chrome", "process_path": "/opt/chrome/chrome", "remote_host": "web.telegram.org"}
    made = []
    for day in days:
        rare = {"process_name": f"odd{day}", "process_path": f"/tmp/odd{day}", "remote_host": "api.telegram.org"}
        for hour, host, program in ((9, "pc-a", browser), (10, "pc-b", browser), (11, f"pc-{day % 3}", rare)):
            time = f"2026-03-{day:02}T{hour:02}:00:00Z"
            made.append({"event_time": time, "event_id": f"{day}-{hour}", "host_id": host, "os": "linux"} | program)
        made.append({"event_time": "never", "host_id": f"dead-{day}"})
    return made


@dataclass(frozen=True)
class Scene:
    """A command that writes.

    Args:
        name: of the scene.
        act: the command.
        results: what it leaves.
        before: commands that were run before it.
        readers: commands that may be the next, by turns.
    """

    name: str
    act: Action
    results: tuple[Result, ...]
    before: tuple[Action, ...] = ()
    readers: tuple[Action, ...] = ()


def backfill(*more: str, days: tuple[str, ...] = LATER) -> Action:
    """A backfill of some days, with verdicts and evidence."""
    findings = ("--verdicts", "--evidence", "--output", "case")
    return command("backfill", "--input", "events/*.jsonl", *findings, *LIMITS, *days, *more)


def snapshot(day: str) -> Action:
    """A snapshot of events."""
    limits = LIMITS[:4]
    return command("snapshot", "--input", "events/*.jsonl", "--as-of", day, "--baseline-out", "base", *limits)


def simulate(seed: int) -> Action:
    """A simulation of two days."""
    size = ("--hosts", "2", "--days", "2", "--background", "thinned")
    return command("simulate", "--output", "made", "--seed", str(seed), *size)


_READERS: Final = (
    command("tune", "case", "--json"),
    command("review", "case", "--json"),
    command("report", "case", "--output", "page.html"),
)
_SNAPSHOT: Final = ("--baseline-out", "base")
_FROM: Final = ("backfill", "--input", "events/*.jsonl", "--output", "elsewhere", "--baseline-in", "base", "--dry-run")
"""Who would go on from the snapshot; with other limits than its own he would be refused."""
_OF_STREAM: Final = command("snapshot", "--sightings", LEARNED, "--as-of", "2026-03-03", *_SNAPSHOT)

SCENES: Final = {
    scene.name: scene
    for scene in (
        Scene("first backfill", backfill(), (RUN,), (), _READERS),
        Scene(
            "backfill that replaces",
            backfill(*_SNAPSHOT),
            (RUN, SNAPSHOT),
            (backfill(*_SNAPSHOT, days=EARLIER), command("report", "case")),
            _READERS,
        ),
        Scene(
            "snapshot that replaces",
            snapshot("2026-03-08"),
            (SNAPSHOT,),
            (snapshot("2026-03-06"),),
            (command(*_FROM, *LIMITS),),
        ),
        Scene("snapshot of a stream", _OF_STREAM, (SNAPSHOT,), (write_stream,), (command(*_FROM),)),
        Scene("report", command("report", "case"), (PAGE, RUN), (backfill(),)),
        Scene(
            "report that replaces",
            command("report", "case", "--most-alerts", "1"),
            (PAGE, RUN),
            (backfill(), command("report", "case")),
        ),
        Scene("first simulation", simulate(1), (SIMULATION,)),
        Scene("simulation that replaces", simulate(2), (SIMULATION,), (simulate(1),)),
    )
}


@dataclass(frozen=True)
class Rehearsed:
    """A scene that was played once without a fault.

    Args:
        scene: which.
        template: a folder with what is there before.
        old: the files of each result before.
        new: the facts of each result afterwards.
        changes: what the command changed.
        end: the names in the folder afterwards.
    """

    scene: Scene
    template: Path
    old: dict[Result, Tree]
    new: dict[Result, dict[str, Any]]
    changes: tuple[Change, ...]
    end: Any

    def stage(self, folder: Path) -> Path:
        """A copy of what is there before; returns its folder."""
        shutil.copytree(self.template, folder, symlinks=True)
        return folder


@cache
def rehearsed(name: str) -> Rehearsed:
    """A scene by its name, played once."""
    return rehearse(SCENES[name])


def rehearse(scene: Scene) -> Rehearsed:
    """Plays a scene without a fault."""
    home = Path(mkdtemp(prefix="faults-"))
    template = home / "before"
    prepare(template)
    for before in scene.before:
        done = run(before, template)
        assert done.status == 0, done.said
    played = Path(shutil.copytree(template, home / "after"))
    done = run(scene.act, played)
    assert done.status == 0, done.said
    old = {result: result.files(template) for result in scene.results}
    new = {result: facts(result.files(played)) for result in scene.results}
    assert new[scene.results[0]] not in ({}, facts(old[scene.results[0]])), "earlier and new results look the same"
    return Rehearsed(scene, template, old, new, done.changes, shape(played))


def prepare(folder: Path) -> None:
    """Telemetry, and foreign files."""
    (folder / "events").mkdir(parents=True)
    write_lines(folder / "events" / "early.jsonl", records(DAYS[:5]))
    write_lines(folder / "events" / "late.jsonl", records(DAYS[5:]))
    for path, text in FOREIGN.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def foreign(folder: Path) -> dict[str, str]:
    """The foreign files that are still there, with their text."""
    return {path: (folder / path).read_text() for path in FOREIGN if (folder / path).is_file()}
