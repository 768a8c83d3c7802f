"""Opening files wherever they are. Beam is imported for remote ones only: it takes longer than many a local read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast


def is_remote(path: str) -> bool:
    """True for paths of file systems other than this machine's."""
    return "://" in path


def open_binary(path: str) -> io.BufferedReader:
    """The bytes of a file, as they are.

    Raises:
        OSError: it cannot be opened.
    """
    if not is_remote(path):
        return Path(path).open("rb")
    from apache_beam.io.filesystem import BeamIOError, CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        return cast(io.BufferedReader, FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))
    except BeamIOError as error:
        raise OSError(" ".join(str(error).split())) from error
