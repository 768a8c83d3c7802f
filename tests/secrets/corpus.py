"""The two corpora of command lines, made for the project: with planted secrets, and ordinary ones."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import string
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_LETTERS = string.ascii_letters + string.digits
_ALPHABETS = {
    "a": _LETTERS,
    "h": "0123456789abcdef",
    "l": string.ascii_lowercase + string.digits,
    "u": string.ascii_uppercase + string.digits,
    "w": _LETTERS + "-_",
    "b": _LETTERS + "+/",
    "d": string.digits,
}
_PLACE = re.compile(r"<<(?:(enc|utf8|urlsafe|gzip|twice)\{((?:(?!<<).)*?)\}|(\w+))>>")
"""Without another place in it: those inside are filled first."""


@dataclass(frozen=True)
class Planted:
    """A command line with secrets: what masks must say, and the texts that may be in no output."""

    kind: str
    line: str
    secrets: tuple[str, ...]


def planted(seed: int) -> list[Planted]:
    """Every line of `planted.txt`, its secrets made up by the seed."""
    rng = random.Random(seed)
    return [_planted(*line.split(maxsplit=1), rng) for line in _lines("planted.txt")]


def ordinary() -> list[str]:
    """Every line of `ordinary.txt`: none holds a secret."""
    return list(_lines("ordinary.txt"))


def _lines(name: str) -> Iterator[str]:
    for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            yield line


def _planted(kind: str, template: str, rng: random.Random) -> Planted:
    secrets: list[str] = []

    def fill(place: re.Match[str]) -> str:
        coding, inner, name = place.groups()
        secrets.append(_encoded(coding, inner) if coding else _made_up(name, rng))
        return secrets[-1]

    line = template
    while _PLACE.search(line):
        line = _PLACE.sub(fill, line)
    return Planted(kind, line, tuple(secrets))


def _made_up(name: str, rng: random.Random) -> str:
    """A secret, as the head of `planted.txt` names them."""
    if name == "uuid":
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if name == "pw":  # one that needs no quotes in any shell, and no escape in a URL
        return rng.choice(_LETTERS) + "".join(rng.choices(_LETTERS + "!*._+-", k=8)) + rng.choice(string.digits)
    if name == "word":
        return rng.choice(string.ascii_letters) + "".join(rng.choices(_LETTERS, k=11))
    if name == "basic":
        return base64.b64encode(f"bob:{_made_up('pw', rng)}".encode()).decode()
    if name == "jwt":
        parts = (json.dumps(part).encode() for part in ({"alg": "HS256"}, {"sub": rng.getrandbits(64)}))
        coded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
        return ".".join([*coded, _made_up("w43", rng)])
    if name.startswith("AA"):  # of a Telegram bot
        return "AA" + _made_up("w33", rng)
    return "".join(rng.choices(_ALPHABETS[name[0]], k=int(name[1:])))


def _encoded(coding: str, text: str) -> str:
    """Base64 of a text, as the head of `planted.txt` names its ways."""
    if coding == "twice":
        return _encoded("utf8", _encoded("utf8", text))
    data = text.encode("utf-16-le" if coding == "enc" else "utf-8")
    if coding == "gzip":
        data = gzip.compress(data, mtime=0)
    return (base64.urlsafe_b64encode if coding == "urlsafe" else base64.b64encode)(data).decode()
