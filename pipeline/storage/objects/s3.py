"""S3, and what speaks its protocol, through boto3. Clients are kept, for making one takes longer than a call.

Credentials, region and endpoint are found as boto3 does (https://docs.aws.amazon.com/boto3/latest/guide/
configuration.html: AWS_PROFILE, AWS_ENDPOINT_URL ...), or given as Beam's `--s3_...` options.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import groupby
from typing import Any, BinaryIO, Final

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

from uncommon_im.pipeline.storage.objects.addresses import Address
from uncommon_im.pipeline.storage.objects.store import StoreError

_GONE: Final = ("404", "NoSuchKey")
_AT_ONCE: Final = 1000
"""Keys that one call deletes at most."""


class S3Store:
    """The buckets that one set of credentials opens.

    Args:
        settings: of Beam's options: those that are given as `--s3_...`.
        limits: of connections, instead of boto3's own.
    """

    def __init__(self, settings: Mapping[str, Any], limits: Config | None = None) -> None:
        given = {name: value for name, value in settings.items() if name.startswith("s3_") and value}
        self.client = _client(tuple(sorted(given.items())), limits)

    def list(self, prefix: Address) -> Iterator[tuple[str, int]]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key):
            for each in page.get("Contents", ()):
                if not each["Key"].endswith("/"):
                    yield each["Key"], each["Size"]

    def size(self, object: Address) -> int:
        with _told(object):
            return int(self.client.head_object(Bucket=object.bucket, Key=object.key)["ContentLength"])

    def read(self, object: Address, start: int, end: int) -> bytes:
        span = f"bytes={start}-{end - 1}"
        with _told(object):
            return bytes(self.client.get_object(Bucket=object.bucket, Key=object.key, Range=span)["Body"].read())

    def write(self, object: Address, content: BinaryIO) -> None:
        self.client.upload_fileobj(content, object.bucket, object.key)

    def copy(self, source: Address, target: Address) -> None:
        with _told(source):
            self.client.copy({"Bucket": source.bucket, "Key": source.key}, target.bucket, target.key)

    def delete(self, objects: Sequence[Address]) -> None:
        for bucket, some in groupby(sorted(objects), lambda each: each.bucket):
            keys = [{"Key": each.key} for each in some]
            for first in range(0, len(keys), _AT_ONCE):
                request = {"Objects": keys[first : first + _AT_ONCE], "Quiet": True}
                answer = self.client.delete_objects(Bucket=bucket, Delete=request)
                for error in answer.get("Errors", ()):
                    raise StoreError(f"s3://{bucket}/{error['Key']}: {error['Code']}: {error.get('Message', '')}")


@lru_cache
def _client(settings: tuple[tuple[str, Any], ...], limits: Config | None) -> Any:
    given = {name.removeprefix("s3_"): value for name, value in settings}
    return boto3.session.Session().client(
        "s3",
        region_name=given.get("region_name"),
        api_version=given.get("api_version"),
        use_ssl=not given.get("disable_ssl"),
        verify=given.get("verify"),
        endpoint_url=given.get("endpoint_url"),
        aws_access_key_id=given.get("access_key_id"),
        aws_secret_access_key=given.get("secret_access_key"),
        aws_session_token=given.get("session_token"),
        config=limits,
    )


@contextmanager
def _told(object: Address) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise FileNotFoundError(errno.ENOENT, "no such object", object.path) from None
        raise
