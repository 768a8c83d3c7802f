"""Beam as it is without its extras: a command that names no cloud need not wait for the clouds' clients.

Importing them takes more than half of the time that importing Beam takes. Beam does without each of them where it is
not installed (https://beam.apache.org/get-started/quickstart-py/, "Extra requirements").
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CLIENTS: Final = (
    "apache_beam.io.aws.s3filesystem",
    "apache_beam.io.azure.blobstoragefilesystem",
    "apache_beam.io.gcp.bigquery",
    "apache_beam.io.gcp.gcsfilesystem",
    "apache_beam.io.hadoopfilesystem",
    "apitools",
    "google.api_core",
    "pymongo",
)
"""What needs a client of a cloud, and what only those need."""


@contextmanager
def without_clouds() -> Iterator[None]:
    """Until the end of the block these are as if not installed; what was imported before stays.

    Beam, once imported here, stays without them: this is for a process that ends with the block.
    """
    hidden = dict.fromkeys(name for name in _CLIENTS if name not in sys.modules)
    sys.modules |= hidden  # type: ignore[arg-type]  # None: importing it is a ModuleNotFoundError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
