"""Whether S3 and Azure can be reached, asked once and briefly, with the credentials of the run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

from uncommon_im.pipeline.storage.answers import SECONDS, NoAnswer, one_line, unreachable, within
from uncommon_im.pipeline.storage.objects.addresses import parse_address
from uncommon_im.pipeline.storage.objects.file_system import file_system
from uncommon_im.schemas.documents import ConfigurationError

_AWS: Final = (
    "log in with `aws sso login` or `aws configure`, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or run with a role"
)
_AZURE: Final = (
    "log in with `az login`, set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, "
    "or run with a managed identity"
)
_REFUSED_BY_AWS: Final = (
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"),
    *("InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException"),
)
_TOKENS: Final = "https://storage.azure.com/.default"


def ask_aws(named: str, path: str) -> None:
    """Makes sure that S3 answers, and knows who we are.

    Args:
        named: what needs it: the option and its value.
        path: that it names.

    Raises:
        ConfigurationError: it does not; says the likely cause and the remedy.
    """
    from botocore.client import Config
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    limits = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    bucket, client = parse_address(path).bucket, None
    try:
        client = file_system(path).store(path, limits).client
        within(2 * SECONDS, lambda: client.list_objects_v2(Bucket=bucket, MaxKeys=1))
    except ClientError as error:
        if error.response["Error"]["Code"] in _REFUSED_BY_AWS:
            raise ConfigurationError(f"{named}: S3 refuses the credentials: {one_line(error)}: {_AWS}") from None
    except (ConnectionError, HTTPClientError, NoAnswer) as error:
        raise unreachable(named, client.meta.endpoint_url if client else "S3", error) from None
    except BotoCoreError as error:
        raise ConfigurationError(f"{named}: no credentials of AWS: {one_line(error)}: {_AWS}") from None
    except ValueError as error:  # an endpoint that is no URL, a name that no bucket can have
        raise ConfigurationError(f"{named}: {one_line(error)}") from None


def ask_azure(named: str, path: str) -> None:
    """Makes sure that Azure answers, and knows who we are; arguments and errors as `ask_aws`."""
    from azure.core.exceptions import AzureError, HttpResponseError

    limits = {"connection_timeout": SECONDS, "read_timeout": SECONDS, "retry_total": 0}
    place = parse_address(path)
    try:
        service = file_system(path).store(path, limits).service(place)
    except ConfigurationError as error:
        raise ConfigurationError(f"{named.removesuffix(path)}{error}") from None
    if hasattr(service.credential, "get_token"):
        _require_token(named, service.credential.get_token)
    pages = service.get_container_client(place.bucket).list_blobs(results_per_page=1)
    try:
        within(2 * SECONDS, lambda: list(itertools.islice(pages, 1)))
    except HttpResponseError as error:
        said = (error.message or "").strip().partition("\n")[0]
        if error.status_code == 401 or "failed to authenticate" in said:
            raise ConfigurationError(f"{named}: Azure refuses the credentials: {said}: {_AZURE}") from None
    except (AzureError, NoAnswer) as error:
        raise unreachable(named, service.url.partition("?")[0], error) from None


def _require_token(named: str, get_token: Callable[[str], Any]) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    try:
        within(2 * SECONDS, lambda: get_token(_TOKENS))
    except NoAnswer:
        raise ConfigurationError(f"{named}: no credentials of Azure, none within {2 * SECONDS:g} s: {_AZURE}") from None
    except ClientAuthenticationError as error:
        said = (error.message or "").strip().partition("\n")[0]
        raise ConfigurationError(f"{named}: no credentials of Azure: {said}: {_AZURE}") from None
