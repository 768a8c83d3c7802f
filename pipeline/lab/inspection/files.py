"""A survey of the first records of a file. Nothing of Beam is needed, so it takes no longer than a look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from uncommon_im.pipeline.sources.files.content import Content
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions, batch_of, batch_of_lost
from uncommon_im.pipeline.sources.files.lines import LineBlock
from uncommon_im.pipeline.sources.files.parquet import RowGroups
from uncommon_im.pipeline.sources.files.readings import InputFile, Reading, plan_readings
from uncommon_im.schemas.mapping import load_mappings
from uncommon_im.transforms.rules.advice.survey import Kind, Survey
from uncommon_im.transforms.rules.columns.rejection import Rejection
from uncommon_im.transforms.rules.events.dead_letter import LostBatch
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.parsing.decode import NATIVE, decode_lines
from uncommon_im.transforms.rules.parsing.recognise import recogniser
from uncommon_im.transforms.rules.parsing.trace import NO_RECORD, Traced, trace

_COMPRESSIONS: Final = {"none": "", "zip": ""}
_TYPES: Final = {
    "jsonl": "JSON lines",
    "json": "JSON values",
    "csv": "CSV",
    "xml": "XML of events",
    "evtx": "Windows event log",
    "avro": "Avro",
    "parquet": "Parquet",
}


@dataclass
class Inspected:
    """What was found in the first records of a file, or of a member of a zip file.

    Args:
        source: its name.
        kind: what it is, in words.
        survey: of the records that were looked at.
        whole: whether these were all.
    """

    source: str
    kind: str
    survey: Survey = field(default_factory=Survey)
    whole: bool = True


def inspect(path: str, size: int, options: JsonOptions, most: int) -> Iterator[Inspected]:
    """What a file is; each member of a zip file is one of its own.

    Args:
        path: on any file system.
        size: in bytes.
        options: how it would be read. With the policy to skip bad files, damage is a dead letter.
        most: records that are looked at.
    """
    inspected: dict[str, Inspected] = {}
    for reading in plan_readings(InputFile(path, size, ""), options):
        found = inspected.setdefault(reading.source, Inspected(reading.source, kind_of(reading)))
        left = most - found.survey.read
        if left > 0:
            _survey(reading, options, left, found)
        elif reading.lost is None:
            found.whole = False
    yield from inspected.values() if inspected else [Inspected(path, "Parquet without records")]


def kind_of(reading: Reading) -> str:
    """What a file is, in words: `gzip, CSV with semicolons, utf-16`."""
    if reading.lost is not None:
        return "cannot be read"
    content = reading.content
    words = [_COMPRESSIONS.get(content.compression, content.compression), _type_of(content, reading.native)]
    if content.encoding not in ("utf-8", "utf-8-sig") and content.file_type in ("jsonl", "json", "csv", "xml"):
        words.append(content.encoding.upper())
    return ", ".join(filter(None, words))


def _type_of(content: Content, native: bool) -> str:
    if content.file_type == "csv" and content.delimiter != ",":
        return {"\t": "TSV", ";": "CSV with semicolons", "|": "CSV with bars"}.get(content.delimiter, "CSV")
    if content.file_type == "parquet":
        return "Parquet with native columns" if native else "Parquet with other columns"
    return _TYPES[content.file_type]


def _survey(reading: Reading, options: JsonOptions, most: int, found: Inspected) -> None:
    if reading.native_groups is not None:
        _survey_columns(reading, options, most, found)
        return
    for block in reading.blocks(options.policy):
        left = most - found.survey.read
        if left <= 0:
            found.whole = False
            return
        found.whole = found.whole and len(block.lines) <= left
        _survey_lines(replace(block, lines=block.lines.part(0, left)), reading.source, options, found.survey)


def _survey_columns(reading: Reading, options: JsonOptions, most: int, found: Inspected) -> None:
    for number in reading.native_groups or ():
        left = most - found.survey.read
        if left <= 0:
            found.whole = False
            return
        group = RowGroups.one(reading.file.path, number, options.policy)
        try:
            size = group.num_rows
            part = RowGroups(group.path, group.numbers, group.policy, range(min(size, left)))
            found.survey.add(Events(part), [Kind(NATIVE)] * part.num_rows, [])
        except LostBatch as lost:
            found.survey.add(Events(batch_of_lost([])), [], [(Kind(NO_RECORD), lost.letter)])
            continue
        found.whole = found.whole and size <= left


def _survey_lines(block: LineBlock, source: str, options: JsonOptions, survey: Survey) -> None:
    """Surveys a block; what is traced is what is decoded, in the same order."""
    mappings = load_mappings()
    decoded = decode_lines(block.lines, options.format, mappings, options.keep_domain)
    reader = recogniser(options.format, mappings, options.keep_domain)
    traced = [each for line in decoded.lines for each in trace(line.rstrip(b"\r"), reader)]
    batch = batch_of(decoded, source, block.numbers)
    rejected = [_kind(each) for each in traced if isinstance(each.found, Rejection)]
    letters = [*zip(rejected, batch.lost(), strict=True), *((Kind(NO_RECORD), letter) for letter in block.lost)]
    survey.add(Events(batch), [_kind(each) for each in traced if not isinstance(each.found, Rejection)], letters)


def _kind(traced: Traced) -> Kind:
    return Kind(traced.format, traced.wrapping)
