"""Paths of object stores, in every form that the vendors' tools write them."""

from __future__ import annotations

import pytest

from uncommon_im.pipeline.storage.objects.addresses import parse_address
from uncommon_im.pipeline.storage.places import first_inside, real_path
from uncommon_im.schemas.documents import ConfigurationError


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("s3://b/a/x.json", ("s3://b/", "b", "a/x.json", "", "")),
        ("s3://b", ("s3://b/", "b", "", "", "")),
        ("s3://b/", ("s3://b/", "b", "", "", "")),
        ("s3://b/ a#b?c[1]%20/x@y", ("s3://b/", "b", " a#b?c[1]%20/x@y", "", "")),
        ("s3://b/b/b", ("s3://b/", "b", "b/b", "", "")),
        ("az://logs/y=2026/x", ("az://logs/", "logs", "y=2026/x", "", "")),
        ("abfs://logs/x", ("abfs://logs/", "logs", "x", "", "")),
        (
            "abfs://logs@acme.dfs.core.windows.net/a b",
            ("abfs://logs@acme.dfs.core.windows.net/", "logs", "a b", "acme", "core.windows.net"),
        ),
        (
            "abfss://logs@acme.dfs.core.chinacloudapi.cn/x",
            ("abfss://logs@acme.dfs.core.chinacloudapi.cn/", "logs", "x", "acme", "core.chinacloudapi.cn"),
        ),
        (
            "abfss://logs@acme.blob.core.windows.net",
            ("abfss://logs@acme.blob.core.windows.net/", "logs", "", "acme", "core.windows.net"),
        ),
        ("azfs://acme/logs/a/x", ("azfs://acme/logs/", "logs", "a/x", "acme", "")),
    ],
)
def test_a_path_is_taken_apart(path: str, parts: tuple[str, ...]) -> None:
    address = parse_address(path)
    assert tuple(address) == parts
    assert address.path.rstrip("/") == path.rstrip("/")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("s3://", "s3://BUCKET/KEY"),
        ("s3:///x", "s3://BUCKET/KEY"),
        ("s3://user@b/x", "s3://BUCKET/KEY"),
        ("az:///x", "az://CONTAINER/NAME"),
        ("azfs://acme", "azfs://ACCOUNT/CONTAINER/NAME"),
        ("abfs://@acme.dfs.core.windows.net/x", "abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME"),
        ("abfs://logs@acme/x", "abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME"),
        ("abfss://logs@acme.example.org/x", "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME"),
    ],
)
def test_a_path_of_no_form_is_said_with_the_form_it_should_have(path: str, form: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        parse_address(path)
    assert str(told.value) == f"{path}: such paths have the form {form}"


def test_one_place_of_azure_has_one_name_whatever_form_its_path_has(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [
        "azfs://acme/logs/run",
        "abfs://logs@acme.dfs.core.windows.net/run/",
        "abfss://logs@acme.blob.core.windows.net//run",
    ]
    assert len({real_path(path) for path in named}) == 1
    assert real_path("az://logs/run") == real_path("abfs://logs/run")
    assert real_path("abfs://logs@acme.dfs.core.windows.net/run") != real_path(
        "abfs://logs@other.dfs.core.windows.net/run"
    )
    inside = "abfss://logs@acme.dfs.core.windows.net/run/alerts/x.jsonl"
    assert first_inside([inside], ["azfs://acme/logs/run"]) == inside
