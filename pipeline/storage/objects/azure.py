"""Azure's blobs, also those of Data Lake Storage, through its SDK. Clients are kept.

The account is that of the path, else of the environment. Credentials, in this order: the connection string of that
account (AZURE_STORAGE_CONNECTION_STRING), its key (AZURE_STORAGE_KEY) or shared access signature
(AZURE_STORAGE_SAS_TOKEN), named as Azure's command line names them, and what `DefaultAzureCredential` finds
(https://learn.microsoft.com/azure/storage/blobs/authorize-data-operations-cli).
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobClient, BlobServiceClient

from uncommon_im.pipeline.storage.objects.addresses import Address
from uncommon_im.pipeline.storage.objects.store import StoreError
from uncommon_im.schemas.documents import ConfigurationError

_CONNECTION: Final = "AZURE_STORAGE_CONNECTION_STRING"
_ACCOUNTS: Final = ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME")
_KEYS: Final = ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN")
_DOMAIN: Final = "core.windows.net"
_FOLDER: Final = "hdi_isfolder"
"""The mark that Data Lake Storage puts on folders, which it lists among blobs."""


class AzureStore:
    """The containers that one set of credentials opens.

    Args:
        settings: of Beam's options: `azure_connection_string`, `blob_service_endpoint` and
            `azure_managed_identity_client_id`.
        limits: of connections, instead of the SDK's own.
    """

    def __init__(self, settings: Mapping[str, Any], limits: Mapping[str, float] | None = None) -> None:
        self._settings = settings
        self._limits = tuple((limits or {}).items())

    def service(self, place: Address) -> BlobServiceClient:
        """The client of its account.

        Raises:
            ConfigurationError: neither the path nor the environment names one, or the connection string is damaged.
        """
        given, environment = self._settings, os.environ
        connection = given.get("azure_connection_string") or environment.get(_CONNECTION)
        if connection:
            service = _connected(connection, self._limits)
            if place.account in ("", service.account_name) and _is_of(service, place):
                return service
        own = _first(_ACCOUNTS)
        account = place.account or own
        endpoint = given.get("blob_service_endpoint") or (
            account and f"https://{account}.blob.{place.domain or _DOMAIN}"
        )
        if not endpoint:
            raise ConfigurationError(
                f"{place.path}: no storage account: set AZURE_STORAGE_ACCOUNT or {_CONNECTION}, "
                f"or write abfs://{place.bucket}@ACCOUNT.dfs.{_DOMAIN}/..."
            )
        secret = _first(_KEYS) if own in ("", account) else ""
        return _named(endpoint, secret, given.get("azure_managed_identity_client_id") or "", self._limits)

    def list(self, prefix: Address) -> Iterator[tuple[str, int]]:
        container = self.service(prefix).get_container_client(prefix.bucket)
        with _told(prefix, gone=False):
            for each in container.list_blobs(name_starts_with=prefix.key or None, include=["metadata"]):
                marks = {name.lower(): value for name, value in (each.metadata or {}).items()}
                if not each.name.endswith("/") and marks.get(_FOLDER) != "true":
                    yield each.name, each.size

    def size(self, object: Address) -> int:
        with _told(object):
            return int(self._blob(object).get_blob_properties().size)

    def read(self, object: Address, start: int, end: int) -> bytes:
        with _told(object):
            return bytes(self._blob(object).download_blob(start, end - start).readall())

    def write(self, object: Address, content: BinaryIO) -> None:
        with _told(object, gone=False):
            self._blob(object).upload_blob(content, overwrite=True)

    def copy(self, source: Address, target: Address) -> None:
        copied = self._blob(target)
        with _told(source):
            status = copied.start_copy_from_url(self._blob(source).url)["copy_status"]
            while status == "pending":  # within an account a copy is nearly always there at once
                time.sleep(0.1)
                status = copied.get_blob_properties().copy.status
        if status != "success":
            raise StoreError(f"{target.path}: copying {source.path} ended as {status}")

    def delete(self, objects: Sequence[Address]) -> None:
        for each in objects:
            try:
                with _told(each):
                    self._blob(each).delete_blob()
            except FileNotFoundError:
                pass

    def _blob(self, object: Address) -> BlobClient:
        return self.service(object).get_blob_client(object.bucket, object.key)


@lru_cache
def _connected(connection: str, limits: tuple[tuple[str, float], ...]) -> BlobServiceClient:
    try:
        return BlobServiceClient.from_connection_string(connection, **dict(limits))
    except ValueError as error:
        raise ConfigurationError(f"{_CONNECTION}: {error}") from None


@lru_cache
def _named(endpoint: str, secret: str, identity: str, limits: tuple[tuple[str, float], ...]) -> BlobServiceClient:
    credential = secret or DefaultAzureCredential(**({"managed_identity_client_id": identity} if identity else {}))
    return BlobServiceClient(endpoint, credential, **dict(limits))


def _is_of(service: BlobServiceClient, place: Address) -> bool:
    """Whether a client is of the cloud that a path names; what has a host of another form, such as an emulator, is."""
    host = urlsplit(service.url).hostname or ""
    inside = host.removeprefix(f"{service.account_name}.blob.")
    return not place.domain or inside in (host, place.domain)


def _first(names: Sequence[str]) -> str:
    """The value of the first variable of the environment that is set."""
    return next(filter(None, map(os.environ.get, names)), "")


@contextmanager
def _told(object: Address, *, gone: bool = True) -> Iterator[None]:
    """Errors of the SDK are pages of text: what remains is their code and their first line.

    Args:
        object: that is asked for.
        gone: what is not there is `FileNotFoundError`.
    """
    try:
        yield
    except HttpResponseError as error:
        if gone and isinstance(error, ResourceNotFoundError):
            raise FileNotFoundError(errno.ENOENT, "no such blob", object.path) from None
        code = getattr(error, "error_code", None) or error.reason
        first = (error.message or "").strip().partition("\n")[0]
        raise StoreError(f"{error.status_code} {getattr(code, 'value', code)}: {first}") from error
