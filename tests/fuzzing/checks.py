"""Reading bytes as the pipeline reads files, and what has to hold whatever they are.

Only outer interfaces are used: `plan_readings` and `read_batches` for files, `Scan.add` for batches.
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from msgspec import structs

from uncommon_im.pipeline.sources.files.content import AUTO, ContentOptions
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.files.readings import InputFile, plan_readings, read_batches
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy, OnBadFile, UnreadableInput
from uncommon_im.schemas.catalogue import Catalogue, load_catalogue
from uncommon_im.schemas.exceptions import parse_exceptions
from uncommon_im.transforms.rules.activities.scan import Scan, ScanRange, ScanSettings, recogniser_of
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.recognition.communications import Recogniser

SERVICES = ("discord", "microsoft-teams", "slack", "telegram")
START_US = 1_772_323_200_000_000
"""2026-03-01; the range is ten days from there."""
_UNREADABLE = "cannot be read from record "
_PLACE = re.compile(r"^[\w.]+\[\d+\](: )?")
_REPLACED = "\ufffd"
_numbers = itertools.count()


@dataclass(frozen=True)
class Outcome:
    """What became of some files: the counts, and the dead letters."""

    counts: Tally
    letters: tuple[DeadLetter, ...]

    @property
    def read(self) -> int:
        """Records that were read."""
        return self.counts[tally.READ]

    @property
    def unreadable(self) -> list[DeadLetter]:
        """Dead letters that stand for all that follows in a file."""
        return [letter for letter in self.letters if letter.detail.startswith(_UNREADABLE)]


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue with few services: processes and engines are all there."""
    whole = load_catalogue()
    return structs.replace(whole, services=tuple(service for service in whole.services if service.id in SERVICES))


@cache
def settings() -> ScanSettings:
    """Settings in which every branch of a scan is taken."""
    return ScanSettings(
        catalogue=catalogue(),
        operator_ranges=True,
        exceptions=parse_exceptions(
            [{"process_name": "backup*", "reason": "its own notifier"}, {"origin": "*:/tmp*", "reason": "a test"}],
            "exceptions",
        ),
        tenant="default",
        range=ScanRange(START_US, START_US + 10 * 86_400_000_000),
        shards=2,
        hosts_kept=5,
    )


@cache
def recogniser() -> Recogniser:
    """Kept from input to input, as workers keep it from file to file."""
    return recogniser_of(settings())


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where inputs lie while they are read; each has a path of its own, for sources remember paths."""
    return tempfile.TemporaryDirectory()


def read_files(
    contents: Iterable[bytes],
    suffix: str,
    format: str = "auto",
    on_bad_file: OnBadFile = "skip",
    file_type: str = AUTO,
) -> Outcome:
    """Files through the whole reading path and a scan, and what holds of any of them.

    Raises:
        AssertionError: something does not hold.
        UnreadableInput: a file cannot be read, and the policy is to fail.
    """
    options = JsonOptions(format, policy=BadFilePolicy(on_bad_file), content=ContentOptions(file_type=file_type))
    scan = Scan(settings(), recogniser())
    letters: list[DeadLetter] = []
    for content in contents:
        path = Path(_folder().name, f"{next(_numbers)}{suffix}")
        path.write_bytes(content)
        try:
            for reading in plan_readings(InputFile(str(path), len(content), "1/1"), options):
                for place, batch in enumerate(read_batches(reading, options)):
                    if place == 0 or batch.num_rows or batch.lost():  # the end of a file is mostly an empty batch
                        letters += scan.add(batch)
        finally:
            path.unlink()
    blocks = list(scan.blocks())
    outcome = Outcome(dict(scan.totals())["tallies"], tuple(letters))
    _check_counts(outcome)
    assert all(block for _, _, block in blocks)
    for letter in letters:
        assert json.loads(to_line(letter)) == letter.row()
    return outcome


def to_line(letter: DeadLetter) -> bytes:
    """A dead letter as the line that a run writes."""
    return json.dumps(letter.row(), ensure_ascii=False, separators=(",", ":")).encode()


def check_rejected_by(content: bytes, suffix: str, format: str, skipped: Outcome, file_type: str = AUTO) -> None:
    """With the policy to fail, a file ends the run exactly if skipping has lost something of it."""
    try:
        failed = read_files([content], suffix, format, "fail", file_type)
    except UnreadableInput:
        failed = None
    assert (failed is None) == bool(skipped.unreadable), "to skip and to fail see different damage"
    assert failed is None or failed.counts == skipped.counts


def check_read_again(letters: Iterable[DeadLetter], format: str, same: bool) -> None:
    """Dead letters are valid input; nothing was mended, so they give the same dead letters again.

    Args:
        letters: what a run wrote.
        format: as which they are read.
        same: whether `raw` is what was read, byte by byte; if not, reading it must do no harm.
    """
    whole = [letter for letter in letters if not letter.detail.startswith((_UNREADABLE, "line is longer"))]
    if not whole:
        return
    again = read_files([b"\n".join(map(to_line, whole))], ".jsonl", format, file_type="jsonl")
    assert not again.unreadable
    if same:
        wanted = Counter(_content(letter) for letter in whole if _REPLACED not in letter.raw)
        missing = set(wanted) - {_content(letter) for letter in again.letters}
        assert not missing, f"read again they are no such dead letters: {missing}"


def _content(letter: DeadLetter) -> tuple[str, str, str]:
    """What stays the same: a record that shared its line has one of its own now, and another place there."""
    detail = _PLACE.sub("", letter.detail)
    alone = detail.endswith(("is no object", "expected an object"))  # what was in a list is a line of its own now
    return letter.reason, "" if alone else detail, letter.raw


def _check_counts(outcome: Outcome) -> None:
    """Every record that was read is valid or a dead letter."""
    counts = outcome.counts
    reasons = Counter(letter.reason for letter in outcome.letters)
    counted = {path[-1]: number for path, number in counts.items() if path[:2] == tally.dead_letter("")[:2]}
    assert counted == reasons, f"counted {counted}, dead letters {reasons}"
    assert counts[tally.READ] == counts[tally.VALID] + len(outcome.letters), counts
    assert 0 <= counts[tally.OUT_OF_RANGE] <= counts[tally.VALID], counts
    assert 0 <= counts[tally.COMMUNICATIONS] <= counts[tally.VALID] - counts[tally.OUT_OF_RANGE], counts
