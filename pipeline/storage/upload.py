"""Folders that are made on this machine and wanted elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from posixpath import join

from uncommon_im.pipeline.storage.listing import delete_files
from uncommon_im.pipeline.storage.opening import is_remote


@contextmanager
def local_folder(option: str, output: str, replaced: str) -> Iterator[str]:
    """A local folder for what is to be in `output`: itself, or one that is uploaded once the block is done.

    Beam is imported only if it is needed, for it takes seconds.

    Args:
        option: of the command line that names `output`, for messages.
        output: a folder, local or on any file system that Beam knows.
        replaced: glob of the files in a remote `output` that are deleted before; whoever writes a local one does that.

    Raises:
        ConfigurationError: a remote `output` cannot be written.
    """
    if not is_remote(output):
        yield output
        return
    from uncommon_im.pipeline.storage.whole_file import require_writable, write_whole

    require_writable(option, output)
    with tempfile.TemporaryDirectory(prefix="uncommon-im-") as folder:
        yield folder
        delete_files(join(output, replaced))
        for file in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
            write_whole(join(output, *file.relative_to(folder).parts), file.read_bytes())
