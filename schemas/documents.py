"""Reading the YAML documents that configure the detector, with errors that say where and what."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML built without libyaml: same result, slower
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

_TEXT, _LIST, _MAPPING = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
MOST_REPEATED: Final = 100_000
"""Nodes that the aliases of a document may add to those that are written; a mapping's add a few hundred."""
MOST_NESTED: Final = 100
"""Lists and mappings of a document that may lie in each other."""
MAX_BYTES: Final = 1 << 24
"""What a document may have; reading it takes up to 200 times its size in memory."""


class ConfigurationError(ValueError):
    """A document or argument of the user's is wrong; the message is one line that says which and how to mend it."""


def parse_yaml(text: str, name: str) -> Any:
    """The document in `text`.

    Raises:
        ConfigurationError: `text` is no YAML, a mapping has a key twice, or aliases repeat too much; names the
            document, line and column.
    """
    try:
        with _all_kept():
            return _constructed(text, name)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise ConfigurationError(f"{name}{where}: not valid YAML: {problem}") from None
    except RecursionError:
        raise ConfigurationError(f"{name}: not valid YAML: nested too deeply") from None


@contextmanager
def _all_kept() -> Iterator[None]:
    """Nothing that is made within the block is garbage before its end: to search for some takes longer than to read."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _constructed(text: str, name: str) -> Any:
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        sizes: dict[int, int] = {}
        has_aliases = "&" in text
        if has_aliases and _size(node, sizes) > len(sizes) + MOST_REPEATED:
            raise ConfigurationError(f"{name}: aliases repeat more than {MOST_REPEATED} nodes: write the content out")
        return _value(node, loader, is_checked=has_aliases)
    finally:
        loader.dispose()


def _value(node: yaml.Node, loader: Loader, is_checked: bool, depth: int = MOST_NESTED) -> Any:
    """What a node says. Most are texts, lists and mappings by text, of which the library makes the same, but slowly.

    Args:
        is_checked: no mapping has a key twice. It must be so with aliases: the library adds to what they name.
        depth: how many lists and mappings may still lie in each other.

    Raises:
        yaml.YAMLError: a mapping has a key twice, or a value is not what it looks like.
        RecursionError: too many lie in each other.
    """
    if isinstance(node, yaml.ScalarNode) and node.tag == _TEXT:
        return node.value
    if not depth:
        raise RecursionError
    if isinstance(node, yaml.SequenceNode) and node.tag == _LIST:
        return [_value(item, loader, is_checked, depth - 1) for item in node.value]
    plain_keys = isinstance(node, yaml.MappingNode) and all(
        isinstance(key, yaml.ScalarNode) and key.tag == _TEXT for key, _ in node.value
    )
    if plain_keys and node.tag == _MAPPING:
        values = {key.value: _value(value, loader, is_checked, depth - 1) for key, value in node.value}
        if len(values) == len(node.value):
            return values
    if not is_checked:
        _size(node, {})
    try:
        return loader.construct_object(node, deep=True)
    except ValueError as error:  # 2026-02-30
        what = f"{node.value}: " if isinstance(node, yaml.ScalarNode) else ""
        raise yaml.MarkedYAMLError(problem=f"{what}{error}", problem_mark=node.start_mark) from None


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many nodes a node is with its aliases written out; `sizes` remembers it of each node that is written.

    Raises:
        yaml.YAMLError: a mapping has a key twice.
    """
    known = sizes.get(id(node))
    if known is not None:
        return known
    size = 1
    if isinstance(node, yaml.ScalarNode):
        sizes[id(node)] = size
        return size
    sizes[id(node)] = 1 << 62  # of a node that holds itself
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise yaml.MarkedYAMLError(problem=f"key {key.value} is there twice", problem_mark=key.start_mark)
                keys.add(key.value)
            size += _size(key, sizes) + _size(value, sizes)
    else:
        size += sum(_size(item, sizes) for item in node.value)
    sizes[id(node)] = size
    return size


def read_yaml(path: str) -> Any:
    """The YAML document at a path: local, or on any file system that Beam knows, such as `gs://`.

    Raises:
        ConfigurationError: the file cannot be read, is too large, or is no YAML.
    """
    try:
        content = _remote(path) if "://" in path else _local(path)
        require(len(content) <= MAX_BYTES, f"{path}: more than {MAX_BYTES:,} bytes: no document is that long")
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: cannot be read: it is not UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None
    return parse_yaml(text, path)


def _local(path: str) -> bytes:
    with Path(path).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _remote(path: str) -> bytes:
    from apache_beam.io.filesystems import FileSystems  # takes seconds, and is needed for remote documents only

    try:
        with FileSystems.open(path) as stream:
            content: bytes = stream.read(MAX_BYTES + 1)
    except Exception as error:  # whatever the storage's client raises
        raise OSError(f"{type(error).__name__}: {error}") from error
    return content


def packaged_yaml(package: str, name: str) -> Any:
    """A YAML document that ships inside `package`."""
    return parse_yaml(resources.files(package).joinpath(name).read_text(encoding="utf-8"), name)


def require(condition: object, message: str) -> None:
    """Raises `ConfigurationError(message)` unless `condition` holds."""
    if not condition:
        raise ConfigurationError(message)
