"""Whether remote file systems can be reached at all, asked once and briefly before a run.

Their clients try for minutes, and their errors then name neither credentials nor network. What is asked here only
decides about these two: whatever else may be wrong with a path is said where it is read or written.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from uncommon_im.pipeline.storage.answers import SECONDS, NoAnswer, one_line, unreachable, within
from uncommon_im.pipeline.storage.objects.addresses import AWS, AZURE, SCHEMES
from uncommon_im.schemas.documents import ConfigurationError, require

LOG_IN: Final = (
    "log in with `gcloud auth application-default login`, let GOOGLE_APPLICATION_CREDENTIALS name a key, "
    "or run as a service account"
)
_NEEDED: Final = {
    "gs": (("google.cloud.storage",), "uncommon-im[gcp]"),
    "hdfs": (("hdfs",), "apache-beam[hadoop]"),
    **dict.fromkeys(AWS, (("boto3",), "uncommon-im[aws]")),
    **dict.fromkeys(AZURE, (("azure.storage.blob", "azure.identity"), "uncommon-im[azure]")),
}
"""Scheme -> the modules that are needed for it, and what to install to have it."""


def require_reachable(named: Iterable[tuple[str, str]], beam_flags: Sequence[str] = ()) -> None:
    """Makes sure that the file systems of paths can be reached: each once.

    Args:
        named: (option, path) pairs; those of this machine are passed over.
        beam_flags: Beam's own options, which some file systems need.

    Raises:
        ConfigurationError: one cannot; names the option, the likely cause and the remedy.
    """
    first: dict[str, tuple[str, str]] = {}
    for option, path in named:
        scheme, separator, _ = path.partition("://")
        if separator:
            first.setdefault(scheme.lower(), (option, path))
    for scheme, (option, path) in first.items():
        require(
            scheme in _NEEDED or scheme in _plugged_in(),
            f"{option} {path}: no file system is called {scheme}://: known are "
            f"{', '.join(f'{known}://' for known in _NEEDED)} and paths of this machine",
        )
        modules, package = _NEEDED.get(scheme, ((), ""))
        missing = next((module for module in modules if not _installed(module)), None)
        require(
            not missing,
            f"{option} {path}: {scheme}:// needs {missing}, which is not installed: pip install '{package}'",
        )
    if first:
        _give_options(beam_flags)
    for scheme, (option, path) in first.items():
        if scheme == "gs":
            _ask_google(option, path)
        elif scheme in SCHEMES:
            from uncommon_im.pipeline.storage.reach_objects import ask_aws, ask_azure

            (ask_aws if scheme in AWS else ask_azure)(f"{option} {path}", path)
        else:
            _ask(option, path)


def _plugged_in() -> set[str]:
    """The schemes of file systems that somebody has added to Beam's."""
    from apache_beam.io.filesystem import FileSystem

    return {each.scheme() for each in FileSystem.get_all_subclasses()}


def google_credentials() -> Any:
    """The default credentials of Google Cloud.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: there are none, or looking for them takes too long.
    """
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    try:
        return within(SECONDS, lambda: google.auth.default(scopes=scopes))[0]
    except NoAnswer:
        raise DefaultCredentialsError(f"nothing gave any within {SECONDS:g} s") from None  # type: ignore[no-untyped-call]


def require_answer(named: str, url: str) -> None:
    """Makes sure that a server of HTTP answers, whatever it says.

    Args:
        named: what needs it: the option and its value.
        url: of the server.

    Raises:
        ConfigurationError: it does not.
    """
    import requests

    try:
        within(SECONDS, lambda: requests.get(url, timeout=SECONDS, stream=True).close())
    except (requests.RequestException, NoAnswer) as error:
        raise unreachable(named, urlsplit(url).netloc, error) from None


def require_engine(flags: Sequence[str]) -> None:
    """Makes sure that the engine answers that Beam's options name: Beam would wait for it without end.

    Args:
        flags: Beam's own options.

    Raises:
        ConfigurationError: a job server or Flink does not answer; names the option.
    """
    for before, argument in zip(["", *flags], flags, strict=False):
        name, _, value = argument.rpartition("=")
        option = name or before
        if option == "--job_endpoint" and _is_address(value):
            remedy = "start the job server, or name the place where it listens (docs/how-to/flink.md)"
            require(speaks_grpc(value), f"--job_endpoint {value}: no job server answers there: {remedy}")
        elif option == "--flink_master" and _is_address(value):
            remedy = "start the cluster, or name its JobManager's REST address (docs/how-to/flink.md)"
            require(listens(value), f"--flink_master {value}: no Flink listens there: {remedy}")


def _is_address(value: str) -> bool:
    """Whether a value is `HOST:PORT`, and not a word such as `embed` or `[auto]`."""
    return value.rpartition(":")[2].isdigit()


def speaks_grpc(address: str) -> bool:
    """Whether a server of gRPC answers at `HOST:PORT`, seen from here; one that only takes connections does not."""
    import grpc

    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            grpc.channel_ready_future(channel).result(SECONDS)
        except grpc.FutureTimeoutError:
            return False
    return True


def listens(address: str) -> bool:
    """Whether something listens at `HOST:PORT`, seen from here."""
    host, _, port = address.rpartition(":")
    try:
        within(SECONDS, lambda: socket.create_connection((host.strip("[]"), int(port)), SECONDS).close())
    except (OSError, NoAnswer):
        return False
    return True


def require_pubsub(named: str) -> None:
    """Makes sure that Pub/Sub, or its emulator, can be reached.

    Args:
        named: what needs it: the option and its value.

    Raises:
        ConfigurationError: it cannot, or there are no credentials.
    """
    from google.auth.exceptions import DefaultCredentialsError

    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        require(speaks_grpc(emulator), f"{named}: no Pub/Sub answers at PUBSUB_EMULATOR_HOST, {emulator}")
        return
    try:
        google_credentials()
    except DefaultCredentialsError:
        raise ConfigurationError(f"{named}: no credentials of Google Cloud: {LOG_IN}") from None
    require_answer(named, "https://pubsub.googleapis.com")


def _ask_google(option: str, path: str) -> None:
    from google.auth.exceptions import DefaultCredentialsError, InvalidOperation, RefreshError
    from google.cloud import storage

    named, credentials, lacking = f"{option} {path}", None, ""
    if "STORAGE_EMULATOR_HOST" not in os.environ:
        try:
            credentials = google_credentials()
        except DefaultCredentialsError:
            lacking = f"no credentials of Google Cloud: {LOG_IN}"
    client = storage.Client("-", credentials) if credentials else storage.Client.create_anonymous_client()

    def ask() -> None:
        list(client.list_blobs(urlsplit(path).netloc, max_results=1, timeout=SECONDS, retry=None))

    try:
        within(SECONDS, ask)
    except (RefreshError, InvalidOperation) as error:
        refused = lacking or f"Google refuses the credentials: {one_line(error)}: {LOG_IN}"
        raise ConfigurationError(f"{named}: {refused}") from None
    except Exception as error:
        code = getattr(error, "code", None)  # of an answer: there is none if the network fails
        if code is None:
            raise unreachable(named, "Cloud Storage", error, lacking) from None
        require(not lacking or code not in (401, 403), f"{named}: {lacking}")


def _ask(option: str, path: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    named = f"{option} {path}"
    try:
        within(2 * SECONDS, lambda: FileSystems.exists(path))
    except NoAnswer as error:
        raise unreachable(named, f"{urlsplit(path).scheme}://", error) from None
    except Exception as error:  # file systems have no error in common
        text = one_line(error)
        require("redentials" not in text, f"{named}: no credentials, or none that are accepted: {text}")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package around it
        return False


def _give_options(flags: Sequence[str]) -> None:
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(flags)))
