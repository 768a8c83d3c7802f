"""Patterns of secrets: what is read of them, and what is wrong with those that are none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.catalogue.load import parse_services
from uncommon_im.schemas.catalogue.secrets import SecretPattern
from uncommon_im.schemas.decoding import decode
from uncommon_im.schemas.documents import ConfigurationError, packaged_yaml

GOOD = {"kind": "corp-key", "hints": ["corp-"], "pattern": r"corp-(\d{6})"}


def patterns(*entries: Any) -> tuple[SecretPattern, ...]:
    return decode(list(entries), tuple[SecretPattern, ...], "own.yaml")


def test_a_pattern_is_read_with_its_parts_written_out() -> None:
    (secret,) = patterns(GOOD | {"pattern": "<run:a|b>-p<sep><value>"})
    assert (secret.kind, secret.hints) == ("corp-key", ("corp-",))
    (found,) = re.finditer(secret.pattern, "c -p no && b.exe -v -p hunter22")
    assert [group for group in found.groups() if group] == ["hunter22"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("x", "[1]: expected a mapping with kind, hints, pattern, not 'x'"),
        ({"kind": "a"}, "[1]: `hints` is missing"),
        (GOOD | {"more": 1}, "[1]: unknown key more: known are kind, hints, pattern"),
        (GOOD | {"kind": "Corp Key"}, "[1].kind: expected words of a-z and 0-9 with - between them, not 'Corp Key'"),
        (GOOD | {"hints": []}, "[1].hints: expected a list of pieces of text"),
        (GOOD | {"hints": "corp"}, "[1].hints: expected a list of pieces of text"),
        (GOOD | {"hints": ["Corp-"]}, "[1]: hints are looked for in lower case: ['Corp-'] never match"),
        (GOOD | {"pattern": 1}, "[1].pattern: expected a text, not 1"),
        (GOOD | {"pattern": "("}, "[1]: pattern is no regular expression: missing ), unterminated"),
        (GOOD | {"pattern": "x*"}, "[1]: pattern matches where there is nothing"),
    ],
)
def test_a_wrong_pattern_says_which_and_how_to_mend_it(entry: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        patterns(GOOD, entry)
    assert str(error.value).startswith(f"own.yaml: {message}")


def test_a_wrong_pattern_of_a_service_names_the_service() -> None:
    with pytest.raises(ConfigurationError, match=r"own.yaml: services\[0\] \(own\)\.secrets\[0\]: pattern is no"):
        parse_services({"services": [{"id": "own", "secrets": [GOOD | {"pattern": "["}]}]}, "own.yaml")


def test_every_detector_is_one_of_the_library() -> None:
    known = {plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values()}
    assert {detector.name for detector in load_catalogue().secrets.detectors} <= known


def test_a_hint_of_contexts_is_in_the_name_of_every_secret_value() -> None:
    secrets = load_catalogue().secrets
    hints = {hint for pattern in secrets.contexts for hint in pattern.hints}
    assert [key for key in secrets.keys if not any(hint in key for hint in hints)] == []


def test_how_secrets_are_recognised_changes_no_digest(tmp_path: Any) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("services:\n- id: slack\n  secrets:\n  - {kind: a, hints: [a], pattern: a1}\n")
    before, after = load_catalogue(), load_catalogue(str(own))
    assert after.services_by_id["slack"].secrets[-1].kind == "a"
    assert (after.digest, after.identity_digest) == (before.digest, before.identity_digest)
    assert after.service_digests == before.service_digests


def test_every_shipped_pattern_is_one_that_would_be_accepted_of_a_user() -> None:
    document = packaged_yaml("uncommon_im.schemas.catalogue", "secrets.yaml")
    entries = [*document["tokens"], *document["contexts"]]
    accepted = decode(entries, tuple[SecretPattern, ...], "secrets.yaml")
    shipped = load_catalogue().secrets
    assert [each.pattern for each in accepted] == [each.pattern for each in (*shipped.tokens, *shipped.contexts)]
    assert len(accepted) > 100
