"""Paths of object stores -> what they name. Nothing of a key is special: it may hold spaces, `#`, `%` and `[`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from uncommon_im.schemas.documents import ConfigurationError

AWS: Final = ("s3",)
AZURE: Final = ("az", "abfs", "abfss", "azfs")
SCHEMES: Final = (*AWS, *AZURE)
_BUCKET: Final = r"(?P<bucket>[^/@]+)(?:/(?P<key>.*))?"
_FORMS: Final = {
    "s3": (_BUCKET, "s3://BUCKET/KEY"),
    "az": (_BUCKET, "az://CONTAINER/NAME"),
    "azfs": (rf"(?P<account>[a-z0-9]+)/{_BUCKET}", "azfs://ACCOUNT/CONTAINER/NAME"),
    "abfs": (
        r"(?P<bucket>[^/@]+)(?:@(?P<account>[a-z0-9]+)\.(?:dfs|blob)\.(?P<domain>[^/:@]+))?(?:/(?P<key>.*))?",
        "abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME",
    ),
}
_FORMS["abfss"] = (_FORMS["abfs"][0], _FORMS["abfs"][1].replace("abfs:", "abfss:"))


class Address(NamedTuple):
    """A place in an object store.

    Args:
        root: the path without its key: the path of an object is its root and its key.
        bucket: or container.
        key: or name of a blob; a prefix of keys where a folder is meant.
        account: of Azure; empty: that of the environment.
        domain: of Azure's clouds, such as `core.windows.net`; empty: the public one.
    """

    root: str
    bucket: str
    key: str
    account: str = ""
    domain: str = ""

    @property
    def path(self) -> str:
        """As it was given."""
        return self.root + self.key


def scheme_of(path: str) -> str:
    """The scheme of a path, in lower case; empty for one of this machine."""
    return path.partition("://")[0].lower() if "://" in path else ""


def parse_address(path: str) -> Address:
    """What a path names.

    The forms are those of the vendors' tools: https://learn.microsoft.com/azure/storage/blobs/
    data-lake-storage-introduction-abfs-uri for `abfs://`, fsspec's adlfs for `az://`, Beam for `azfs://`.

    Raises:
        ConfigurationError: it has not the form of its scheme.

    >>> parse_address("abfs://logs@acme.dfs.core.windows.net/y=2026/a b.json")[1:]
    ('logs', 'y=2026/a b.json', 'acme', 'core.windows.net')
    """
    scheme = scheme_of(path)
    form, example = _FORMS[scheme]
    found = re.fullmatch(f"{scheme}://{form}", path, re.DOTALL | re.IGNORECASE)
    if not found:
        raise ConfigurationError(f"{path}: such paths have the form {example}")
    given = found.groupdict(default="")
    key = given["key"]
    root = path.removesuffix(key) if key else f"{path.rstrip('/')}/"
    return Address(root, given["bucket"], key, given.get("account", "").lower(), given.get("domain", "").lower())
