"""Files as a source: globs on any of Beam's file systems, Parquet and JSON lines."""

from __future__ import annotations

from uncommon_im.pipeline.sources.files.readings import KNOWN_SUFFIXES, InputFile
from uncommon_im.pipeline.storage.listing import list_files
from uncommon_im.schemas.documents import require


def match_files(patterns: list[str]) -> list[InputFile]:
    """The files that globs match, sorted, each once.

    Raises:
        ConfigurationError: a pattern matches nothing or cannot be looked up, or a file's suffix is unknown.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        matched = list_files(pattern, option="--input")
        require(matched, f"--input {pattern}: matches no file: check the path, and quote globs")
        for path, _ in matched:
            require(
                path.lower().endswith(KNOWN_SUFFIXES),
                f"--input {path}: unknown kind of file: known are {', '.join(KNOWN_SUFFIXES)}",
            )
        sizes |= dict(matched)
    return [
        InputFile(path, size, f"{number}/{len(sizes)}") for number, (path, size) in enumerate(sorted(sizes.items()), 1)
    ]
