"""Keys with dots for objects in objects: `{"process.name": "a"}` is `{"process": {"name": "a"}}`.

Elasticsearch takes both for the same, and its exports write the former.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from uncommon_im.schemas.mapping_fields import Path
from uncommon_im.transforms.rules.parsing.lookups import Record, Row

Dotted = Mapping[str, Path]
"""Keys with dots, and the path that each stands for."""


def dotted_keys(paths: Iterable[Path]) -> Dotted:
    """The keys that stand for paths of two steps and more, shorter paths first."""
    return {".".join(path): path for path in sorted(paths, key=lambda path: (len(path), path)) if len(path) > 1}


def unfold(record: Record, keys: Dotted) -> Record:
    """The record with objects for those of the keys that it has; itself if it has none.

    Only known keys are followed, so that no record can make objects of any depth. An object's own value outweighs that
    of a key with dots.
    """
    if not keys or keys.keys().isdisjoint(record):
        return record
    whole = dict(record)
    for key, path in keys.items():
        if key in record:
            _put(whole, path, whole.pop(key))
    return whole


def _put(whole: Row, path: Path, value: object) -> None:
    """Puts a value at the end of a path, into copies of the objects that lead there."""
    *folders, name = path
    for folder in folders:
        below = whole.get(folder)
        copied = dict(below) if isinstance(below, dict) else {}
        whole[folder] = copied
        whole = copied
    if whole.get(name) is None:
        whole[name] = value
