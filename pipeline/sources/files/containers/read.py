"""Any container as blocks of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from uncommon_im.pipeline.sources.files.containers.avro_records import avro_items
from uncommon_im.pipeline.sources.files.containers.csv_rows import csv_items
from uncommon_im.pipeline.sources.files.containers.event_elements import event_items
from uncommon_im.pipeline.sources.files.containers.event_log import log_items
from uncommon_im.pipeline.sources.files.containers.gathering import Item, blocks_of_items
from uncommon_im.pipeline.sources.files.containers.json_values import json_items
from uncommon_im.pipeline.sources.files.containers.parquet_rows import open_rows, parquet_items
from uncommon_im.pipeline.sources.files.content import Content
from uncommon_im.pipeline.sources.files.lines import LineBlock, blocks_of
from uncommon_im.pipeline.sources.files.parquet_file import rows_before
from uncommon_im.pipeline.sources.files.streams import open_content, open_seekable
from uncommon_im.pipeline.storage.bad_files import BadFilePolicy
from uncommon_im.pipeline.storage.opening import is_remote


def container_blocks(
    path: str, content: Content, source: str, policy: BadFilePolicy, row_groups: range | None = None
) -> Iterator[LineBlock]:
    """The records of a file, or of a member of a zip file, as blocks of lines.

    Args:
        path: the file.
        content: what it, or the member, is.
        source: what dead letters call it.
        policy: what to do if it cannot be read to its end.
        row_groups: of a Parquet file; `None`: all.

    Raises:
        UnreadableInput: it cannot be read to its end, and the policy is to fail.
    """
    if content.file_type == "jsonl":
        return blocks_of(partial(open_content, path, content), source, policy)
    first = 1 + rows_before(path)[row_groups[0]] if row_groups else 1
    return blocks_of_items(partial(_items, path, content, row_groups), source, policy, first)


def _items(path: str, content: Content, row_groups: range | None) -> Iterable[Item]:
    if content.file_type == "parquet":
        file = open_rows(open_seekable(path, content))
        return parquet_items(file, range(file.num_row_groups) if row_groups is None else row_groups)
    if content.file_type == "evtx":
        here = content.compression == "none" and content.member is None and not is_remote(path)
        return log_items(path if here else open_seekable(path, content))
    return _text_items(path, content)


def _text_items(path: str, content: Content) -> Iterator[Item]:
    with open_content(path, content) as stream:
        if content.file_type == "avro":
            yield from avro_items(stream)
        elif content.file_type == "csv":
            yield from csv_items(stream, content.delimiter)
        elif content.file_type == "xml":
            yield from event_items(stream)
        else:
            yield from json_items(stream)
