"""Files as a source: globs on any of Beam's file systems."""

from __future__ import annotations

from uncommon_im.pipeline.sources.files.readings import InputFile
from uncommon_im.pipeline.storage.listing import list_files
from uncommon_im.schemas.documents import require


def match_files(patterns: list[str]) -> list[InputFile]:
    """The files that globs match, sorted, each once.

    Raises:
        ConfigurationError: a pattern matches nothing or cannot be looked up.
    """
    sizes: dict[str, int] = {}
    for pattern in patterns:
        matched = list_files(pattern, option="--input")
        require(matched, f"--input {pattern}: matches no file: check the path, and quote globs")
        sizes |= dict(matched)
    return [
        InputFile(path, size, f"{number}/{len(sizes)}") for number, (path, size) in enumerate(sorted(sizes.items()), 1)
    ]
