"""Files that are there whole or not at all, and folders that can be written."""

from __future__ import annotations

import uuid

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from uncommon_im.schemas.documents import ConfigurationError


def write_whole(path: str, content: bytes) -> None:
    """Writes a file under another name, then renames it: whoever looks sees all of it or nothing."""
    unfinished = f"{path}.{uuid.uuid4().hex}"
    with FileSystems.create(unfinished, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        stream.write(content)
    FileSystems.rename([unfinished], [path])


def require_writable(option: str, folder: str) -> None:
    """Makes sure that a folder can be written.

    Raises:
        ConfigurationError: it cannot; names the option.
    """
    probe = FileSystems.join(folder, "can-be-written")
    try:
        with FileSystems.create(probe, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            stream.write(b"")
        FileSystems.delete([probe])
    except Exception as error:  # file systems have no error in common
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ConfigurationError(f"{option} {folder}: cannot be written: {reason}") from None
