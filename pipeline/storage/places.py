"""What a path is in the end: two names of one place, and places inside others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from posixpath import basename, dirname, join

from uncommon_im.pipeline.storage.objects.addresses import AZURE, parse_address, scheme_of
from uncommon_im.pipeline.storage.opening import is_remote
from uncommon_im.schemas.documents import ConfigurationError


def real_path(path: str) -> str:
    """One name for each place: links of this machine are followed, slashes are single, none is at the end.

    Of Azure's paths an account that is not written stays empty: it is that of the environment.
    """
    if not is_remote(path):
        return os.path.realpath(path)
    scheme, _, rest = path.partition("://")
    if scheme_of(path) in AZURE:
        with suppress(ConfigurationError):  # what has no form of a path has no second name
            address = parse_address(path)
            scheme, rest = "azfs", f"{address.account}/{address.bucket}/{address.key}"
    return f"{scheme}://" + re.sub("/+", "/", rest).strip("/")


def first_inside(paths: Iterable[str], places: Iterable[str]) -> str | None:
    """The first of some files that is one of some places, or lies in one, by its real path; `None`: none does."""
    taken = tuple(map(real_path, places))
    real_folder = cache(real_path)
    for path in paths:
        real = real_path(path) if os.path.islink(path) else join(real_folder(dirname(path) or "."), basename(path))
        if any(real == place or real.startswith(f"{place}/") for place in taken):
            return path
    return None
