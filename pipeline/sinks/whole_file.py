"""Files that are there whole or not at all."""

from __future__ import annotations

import uuid

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems


def write_whole(path: str, content: bytes) -> None:
    """Writes a file under another name, then renames it: whoever looks sees all of it or nothing."""
    unfinished = f"{path}.{uuid.uuid4().hex}"
    with FileSystems.create(unfinished, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        stream.write(content)
    FileSystems.rename([unfinished], [path])
