"""Whose the files in a folder of results are: a run deletes only what it can prove to be a run's."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import join

from uncommon_im.pipeline.results.claims import BOOKS
from uncommon_im.pipeline.storage.listing import exists, list_folder
from uncommon_im.pipeline.storage.opening import is_remote, open_binary
from uncommon_im.schemas.documents import ConfigurationError


@dataclass(frozen=True)
class ResultKind:
    """What a command leaves in a folder.

    Args:
        name: of the kind.
        folders: that hold its files.
        files: beside them.
        own: what the names of its files look like, all of them.
        seal: the one of `files` that is written last: with it the result is whole.
        is_seal: whether the beginning of a seal (64 kB) is what a run writes there, for results without a manifest.
        signed: of `files`, those that others write as well: how the content of its own is known.
    """

    name: str
    folders: Sequence[str]
    files: Sequence[str]
    own: re.Pattern[str]
    seal: str
    is_seal: Callable[[bytes], bool]
    signed: dict[str, Callable[[bytes], bool]] = field(default_factory=dict)


def own_files(folder: str, kind: ResultKind, option: str, listed: Collection[str]) -> list[str]:
    """The names of the files of a result that is there.

    Args:
        folder: where.
        kind: of the result.
        option: of the command line that names the folder, for messages.
        listed: names in its manifest; none: its seal has to prove all that have such names.

    Raises:
        ConfigurationError: something else is in its places; names the first.
    """
    found = list(_in_places(folder, kind, option))
    if found and not listed and kind.is_seal(_content(folder, kind.seal)):
        listed = found
    for name in found:
        signature = kind.signed.get(name)
        own = signature(_content(folder, name)) if signature else name in listed
        if not own or not kind.own.fullmatch(name) or _is_link(folder, name):
            raise ConfigurationError(
                f"{option} {folder}: {join(folder, name)} is in the way: it is not known to be of an earlier "
                f"{kind.name}. Nothing was changed: give another folder, or move that away"
            )
    return found


def _in_places(folder: str, kind: ResultKind, option: str) -> Iterator[str]:
    for name in (*kind.folders, BOOKS):
        place = Path(folder, name)
        if _is_link(folder, name) or (not is_remote(folder) and place.exists() and not place.is_dir()):
            raise ConfigurationError(
                f"{option} {folder}: {place} is in the way: it is {'a link' if place.is_symlink() else 'no folder'}. "
                "Nothing was changed: give another folder, or move that away"
            )
    for name in kind.folders:
        yield from (join(name, file) for file in list_folder(join(folder, name), option))
    for name in kind.files:
        if _is_link(folder, name) or exists(join(folder, name), option):
            yield name


def _is_link(folder: str, name: str) -> bool:
    return not is_remote(folder) and Path(folder, name).is_symlink()


def _content(folder: str, name: str) -> bytes:
    """The beginning of a file; what is none has no content that would prove anything."""
    try:
        with open_binary(join(folder, name)) as stream:
            return stream.read(1 << 16)
    except OSError:
        return b""
