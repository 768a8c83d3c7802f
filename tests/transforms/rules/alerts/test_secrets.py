"""Secrets in text: the two corpora of command lines (`tests/secrets`), and what must hold of any text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.secrets.corpus import Planted, ordinary, planted
from uncommon_im.schemas.catalogue import Catalogue, load_catalogue
from uncommon_im.transforms.rules.alerts.secret_finders import Finder, Secret
from uncommon_im.transforms.rules.alerts.secrets import SecretText

CATALOGUE: Catalogue = load_catalogue()
SECRETS = SecretText(CATALOGUE)
PIECES = (
    *(hint for finder in SECRETS.finders.all for hint in finder.hints),
    *(
        " ",
        '"',
        "'",
        "\\",
        "\\\\",
        "\n",
        "=",
        ":",
        "@",
        "/",
        "//",
        "-",
        "--",
        "?",
        "&",
        ";",
        "%",
        "$",
        "${",
        "<",
        "*",
        "é",
        "İ",
    ),
    *("hunter22", "0123456789abcdef" * 4, "bob", "true", "[redacted:password]", "[redacted:", "]", "[redacted:x]abc"),
)
"""What patterns look for, and what may confuse them."""


@pytest.mark.parametrize("case", planted(0), ids=lambda case: case.line[:60])
def test_a_planted_secret_is_masked_by_its_kind(case: Planted) -> None:
    masked = SECRETS.masked(case.line)
    assert f"[redacted:{case.kind}]" in masked
    assert not [secret for secret in case.secrets if secret in masked]


def test_no_planted_secret_is_left_whatever_it_is_made_of() -> None:
    left = [
        case.line
        for seed in range(1, 20)
        for case in planted(seed)
        if any(secret in SECRETS.masked(case.line) for secret in case.secrets)
    ]
    assert left == []


def test_no_ordinary_line_is_changed() -> None:
    assert [line for line in ordinary() if SECRETS.masked(line) != line] == []


def test_the_corpora_are_as_large_as_they_are_said_to_be_and_repeat_nothing() -> None:
    lines = [case.line for case in planted(0)]
    assert len(lines) == len(set(lines)) >= 232 + 250
    assert len(ordinary()) == len(set(ordinary())) >= 533 + 500


def test_every_kind_that_patterns_of_our_own_know_is_planted() -> None:
    library = {detector.kind for detector in CATALOGUE.secrets.detectors}
    kinds = {finder.kind for finder in SECRETS.finders.all} - library
    assert kinds <= {case.kind for case in planted(0)}


def test_the_same_secret_gets_the_same_mask_and_what_is_around_it_stays() -> None:
    assert SECRETS.masked("curl -u bob:hunter22 https://x -d 'a' && curl -u bob:hunter22 https://y") == (
        "curl -u bob:[redacted:password] https://x -d 'a' && curl -u bob:[redacted:password] https://y"
    )


def test_whose_a_token_is_stays() -> None:
    masked = SECRETS.masked(f"curl https://api.telegram.org/bot6123456789:AA{'x' * 33}/getMe?chat_id=55")
    assert masked == "curl https://api.telegram.org/bot6123456789:[redacted:telegram-bot-token]/getMe?chat_id=55"
    masked = SECRETS.masked(f"curl https://discord.com/api/webhooks/1056789012345678901/{'x' * 68}")
    assert masked == "curl https://discord.com/api/webhooks/1056789012345678901/[redacted:discord-webhook]"


def test_of_matches_that_overlap_the_one_that_says_most_names_the_mask() -> None:
    assert SECRETS.masked(f"tool --password=xoxb-{'1' * 12}-{'a' * 24}") == "tool --password=[redacted:slack-token]"


def test_a_token_inside_of_a_longer_value_leaves_nothing_of_it() -> None:
    assert SECRETS.masked(f"tool --password=abcghp_{'a1' * 18}") == "tool --password=[redacted:github-token]"


def test_a_password_with_signs_of_its_own_is_masked_whole() -> None:
    for password in ("a;b&c|d", "p@ss:w/rd", "$ecret!1", "none-of-it", "%1", "*x*", "[x]", "it's", "a,b)c}d"):
        assert SECRETS.masked(f"tool --password={password} --next") == "tool --password=[redacted:password] --next"


@pytest.mark.parametrize("value", ["$PW", "${PW}", "%PW%", "$(pass show x)", "{{ pw }}", "<password>", "true", "*"])
def test_what_only_stands_for_a_secret_stays(value: str) -> None:
    assert SECRETS.masked(f"tool --password={value} --next") == f"tool --password={value} --next"


@pytest.mark.parametrize(
    ("script", "masked"),
    [
        ("api.telegram.org/bot*:aab*cd-e*fghijk/x", "api.telegram.org/bot*:[redacted:telegram-bot-token]/x"),
        (f"discord.com/api/webhooks/*/{'a*b-' * 9}", "discord.com/api/webhooks/*/[redacted:discord-webhook]"),
        (
            "hooks.slack.com/services/t*be*ld/b*be*/a*cdef*hij",
            "hooks.slack.com/services/t*be*ld/b*be*/[redacted:slack-webhook]",
        ),
    ],
)
def test_what_a_folded_script_has_of_a_webhook_is_masked_too(script: str, masked: str) -> None:
    assert SECRETS.masked(f"mshta|script:https://{script}") == f"mshta|script:https://{masked}"


def test_an_encoded_command_without_a_secret_stays() -> None:
    harmless = next(line for line in ordinary() if "-EncodedCommand" in line)
    assert SECRETS.masked(harmless) == harmless


def test_every_one_of_a_programs_secrets_is_masked() -> None:
    assert SECRETS.masked("curl -u a:b1 -U c:d2 --user e:f3 x") == " ".join(
        ("curl", "-u a:[redacted:password]", "-U c:[redacted:password]", "--user e:[redacted:password]", "x")
    )


def test_a_thousand_secrets_of_a_program_are_masked_one_by_one() -> None:
    assert SECRETS.masked("curl" + " -u bob:hunter22" * 1000) == "curl" + " -u bob:[redacted:password]" * 1000


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("x --password 'a b' --y", "x --password '[redacted:password]' --y"),
        ('x --password "a \\"b\\" c" --y', 'x --password "[redacted:password]" --y'),
        ('x --password "cut off here', 'x --password "[redacted:password]'),
        ('sh -c "x --password \\"a b\\" --y"', 'sh -c "x --password \\"[redacted:password]\\" --y"'),
        ("curl ^-u b^ob:p^w x", "curl ^-u b^ob:[redacted:password] x"),
        ("git clone https://bob:a/b@x/y@z", "git clone https://bob:[redacted:password]@x/y@z"),
        ("wget http://x:8080/a@2x.png", "wget http://x:8080/a@2x.png"),
        ('curl -H "X-Key: a b" x', 'curl -H "X-Key: [redacted:header]" x'),
        ("smbclient -U bob%pw //x/c$", "smbclient -U bob%[redacted:password] //x/c$"),
        ("PW=a; SSHPASS=b; PWD=/tmp", "PW=[redacted:password]; SSHPASS=[redacted:password]; PWD=/tmp"),
    ],
)
def test_a_secret_is_masked_to_its_end_and_what_is_around_it_stays(text: str, masked: str) -> None:
    assert SECRETS.masked(text) == masked


def test_base64_is_looked_into_as_deep_as_four_times() -> None:
    text = "curl -u bob:hunter22 x"
    for _ in range(4):
        text = base64.b64encode(text.encode()).decode()
        assert SECRETS.masked(f"run {text}") == "run [redacted:password]"


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@settings(max_examples=400, deadline=None)
def test_masked_text_stays_as_it_is(text: str) -> None:
    masked = SECRETS.masked(text)
    assert SECRETS.masked(masked) == masked


@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    assert isinstance(SECRETS.masked(text), str)


@given(st.lists(st.one_of(st.sampled_from([case.line for case in planted(3)]), st.text(max_size=20)), max_size=4))
@settings(deadline=None)
def test_lines_with_secrets_in_any_company_stay_masked(lines: list[str]) -> None:
    masked = SECRETS.masked("\n".join(lines))
    assert SECRETS.masked(masked) == masked


HOSTILE = (
    *("curl ", "password= ", '--password "', "eyJ", "net use ", "http://a:", "aws key ", "A", '"', "'", "=", "YWJj"),
    *("pw=a;", "security import -p", 'curl -u "a:', '-H "X-Key:', "psexec.py a/b:", "jdbc:a:b/", "%3a%2f%2fa%3a", "^a"),
    *("{", '\\"', "cGFzc3dvcmQ9YWJj", "[redacted:", ".a", "curl\n", "0123456789abcdef:", "a-", 'connect("a","'),
    "-----BEGIN PRIVATE KEY-----",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_does_not_hold_a_run_up(piece: str) -> None:
    """Where work grew with the square of these lengths, the test would take hours."""
    SECRETS.masked(piece * (300_000 // len(piece)))


@pytest.mark.parametrize("piece", HOSTILE)
def test_work_grows_with_the_length_of_a_text(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    find = Finder.find

    def counting(self: Finder, text: str) -> Iterator[Secret]:
        nonlocal looked_at
        looked_at += sum(end - start for start, end in self._places(text))
        return find(self, text)

    monkeypatch.setattr(Finder, "find", counting)
    work = []
    for length in (2_000, 20_000):
        looked_at = 0
        SECRETS.masked(piece * (length // len(piece)))
        work.append(looked_at)
    assert work[1] <= 11 * work[0]


def test_a_mask_names_a_kind_in_plain_letters() -> None:
    masks = {mask for case in planted(0) for mask in re.findall(r"\[redacted:[^\]]*\]", SECRETS.masked(case.line))}
    assert all(re.fullmatch(r"\[redacted:[a-z0-9-]+\]", mask) for mask in masks)
