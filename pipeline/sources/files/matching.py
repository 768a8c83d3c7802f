"""Files as a source: globs on any of Beam's file systems, Parquet and JSON lines."""

from __future__ import annotations

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from uncommon_im.pipeline.sources.files.readings import KNOWN_SUFFIXES, InputFile
from uncommon_im.schemas.documents import ConfigurationError, require


def match_files(patterns: list[str]) -> list[InputFile]:
    """The files that globs match, sorted, each once.

    Raises:
        ConfigurationError: a pattern matches nothing or cannot be looked up, or a file's suffix is unknown.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        try:
            matched = FileSystems.match([pattern])[0].metadata_list
        except (BeamIOError, ValueError, ImportError) as error:
            raise ConfigurationError(f"--input {pattern}: cannot be looked up: {error}") from None
        require(matched, f"--input {pattern}: matches no file: check the path, and quote globs")
        for metadata in matched:
            require(
                metadata.path.lower().endswith(KNOWN_SUFFIXES),
                f"--input {metadata.path}: unknown kind of file: known are {', '.join(KNOWN_SUFFIXES)}",
            )
            sizes[metadata.path] = metadata.size_in_bytes
    return [
        InputFile(path, size, f"{number}/{len(sizes)}") for number, (path, size) in enumerate(sorted(sizes.items()), 1)
    ]
