"""Object stores as one of Beam's file systems: globs, streams, moving. And which file system a path is of."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Final

from apache_beam.io.filesystem import CompressedFile, CompressionTypes, FileMetadata, FileSystem, MatchResult
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import AzureOptions, PipelineOptions, S3Options

from uncommon_im.pipeline.storage.objects.addresses import AWS, SCHEMES, Address, parse_address, scheme_of
from uncommon_im.pipeline.storage.objects.store import Store

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_OWN: Final = "uncommon-im-objects"
_READ_BYTES: Final = 4 << 20
"""Asked for at once: a store needs as long for the first byte as for the next megabytes."""
_KEEP_BYTES: Final = 8 << 20
"""Of what is written, in memory; more is on disk until it is uploaded."""
_LITERAL: Final = re.compile(r"(?:[^\[*?]|\[[\[*?]\])*")
_ESCAPED: Final = re.compile(r"\[([\[*?])\]")


def file_system(path: str) -> FileSystem:
    """The file system of a path: ours for object stores of AWS and Azure, else Beam's, with the options of the run."""
    own = scheme_of(path) in SCHEMES
    return FileSystems.get_filesystem(f"{_OWN}://" if own else path)  # by the scheme: Beam has its own for some of ours


class ObjectFileSystem(FileSystem):
    """S3 and Azure. Paths in `match` and `delete` are globs, as in Beam's other file systems; elsewhere none is."""

    def __init__(self, pipeline_options: Any) -> None:
        super().__init__(pipeline_options)
        self._options = pipeline_options

    @classmethod
    def scheme(cls) -> str:
        return _OWN

    def match(self, patterns: Sequence[str], limits: Sequence[int | None] | None = None) -> list[MatchResult]:
        """The objects of each pattern, at most so many."""
        most = limits or [None] * len(patterns)
        return [
            MatchResult(each, list(self._matches(each))[:limit]) for each, limit in zip(patterns, most, strict=True)
        ]

    def _matches(self, pattern: str) -> Iterator[FileMetadata]:
        pattern += "*" if pattern.endswith("/") else ""
        known = _known(pattern)
        if known is None:
            literal = _LITERAL.match(pattern)[0]  # type: ignore[index]
            prefix = _unescaped(literal)
            rest = re.compile(self.translate_pattern(pattern[len(literal) :]))
            yield from (file for file in self._list(prefix) if rest.match(file.path, len(prefix)))
        elif self.exists(known):
            yield self.metadata(known)

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        store, prefix = self._at(dir_or_prefix)
        for key, size in store.list(prefix):
            yield FileMetadata(prefix.root + key, size)

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        stream = io.BufferedReader(_Reader(*self._at(path)), _READ_BYTES)
        return _compressed(stream, path, compression_type)

    def create(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        return _compressed(_Upload(*self._at(path)), path, compression_type)

    def copy(self, source_file_names: Sequence[str], destination_file_names: Sequence[str]) -> None:
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            store, address = self._at(source)
            store.copy(address, parse_address(target))

    def rename(self, source_file_names: Sequence[str], destination_file_names: Sequence[str]) -> None:
        self.copy(source_file_names, destination_file_names)
        self._delete(source_file_names)

    def delete(self, paths: Sequence[str]) -> None:
        known = {pattern: _known(pattern) for pattern in paths}
        found = [file.path for pattern in paths if known[pattern] is None for file in self._matches(pattern)]
        self._delete([*filter(None, known.values()), *found])

    def _delete(self, paths: Sequence[str]) -> None:
        if paths:
            self.store(paths[0]).delete([parse_address(path) for path in paths])

    def exists(self, path: str) -> bool:
        try:
            return self.size(path) >= 0
        except FileNotFoundError:
            return False

    def size(self, path: str) -> int:
        store, address = self._at(path)
        return store.size(address)

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, self.size(path))

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        """Stores have no folders."""

    def has_dirs(self) -> bool:
        return False

    def last_updated(self, path: str) -> float:
        raise NotImplementedError

    def checksum(self, path: str) -> str:
        raise NotImplementedError

    def _at(self, path: str) -> tuple[Store, Address]:
        return self.store(path), parse_address(path)

    def store(self, path: str, limits: Any = None) -> Any:
        """The store of a path; `limits` are of its connections."""
        if scheme_of(path) in AWS:
            from uncommon_im.pipeline.storage.objects.s3 import S3Store

            return S3Store(store_settings(self._options, S3Options), limits)
        from uncommon_im.pipeline.storage.objects.azure import AzureStore

        return AzureStore(store_settings(self._options, AzureOptions), limits)


def store_settings(options: Any, kind: type[PipelineOptions]) -> dict[str, Any]:
    """What Beam's options say of a store: names of options without dashes -> values that are given.

    Args:
        options: of a run; on some workers a mapping, or nothing.
        kind: those of the store.
    """
    if isinstance(options, PipelineOptions):
        options = options.view_as(kind).get_all_options(drop_default=True, current_only=True)
    return {name: value for name, value in (options or {}).items() if value is not None}


class Az(ObjectFileSystem):
    """For what Beam opens itself: it has no file system of this name."""

    @classmethod
    def scheme(cls) -> str:
        return "az"


class Abfs(ObjectFileSystem):
    """As `Az`."""

    @classmethod
    def scheme(cls) -> str:
        return "abfs"


class Abfss(ObjectFileSystem):
    """As `Az`."""

    @classmethod
    def scheme(cls) -> str:
        return "abfss"


class _Reader(io.RawIOBase):
    def __init__(self, store: Store, address: Address) -> None:
        self._store, self._address = store, address
        self._size, self._place = store.size(address), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._place + len(view), self._size)
        if end <= self._place:
            return 0
        read = self._store.read(self._address, self._place, end)
        view[: len(read)] = read
        self._place += len(read)
        return len(read)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place


class _Upload(io.RawIOBase):
    """An object is there once it is closed; what is left open, or left by an error, never is."""

    def __init__(self, store: Store, address: Address) -> None:
        self._store, self._address = store, address
        self._content = SpooledTemporaryFile(_KEEP_BYTES)  # noqa: SIM115 - closed by whatever ends this

    def writable(self) -> bool:
        return True

    def write(self, content: ReadableBuffer) -> int:
        return self._content.write(content)

    def close(self) -> None:
        if not self.closed:
            super().close()  # first: what fails is not tried again by whoever collects garbage
            with self._content:
                self._content.seek(0)
                self._store.write(self._address, self._content)  # type: ignore[arg-type]

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            self.close()
        else:
            self._content.close()
            super().close()

    def __del__(self) -> None:
        self._content.close()


def _known(pattern: str) -> str | None:
    """The only path that a pattern can match; `None`: it is a glob."""
    return _unescaped(pattern) if _LITERAL.fullmatch(pattern) else None


def _unescaped(pattern: str) -> str:
    return _ESCAPED.sub(r"\1", pattern)


def _compressed(stream: Any, path: str, compression_type: str) -> Any:
    kind = (
        CompressionTypes.detect_compression_type(path)
        if compression_type == CompressionTypes.AUTO
        else compression_type
    )
    return stream if kind == CompressionTypes.UNCOMPRESSED else CompressedFile(stream, compression_type=kind)
