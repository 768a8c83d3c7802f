"""How secrets are recognised: what `secrets.yaml` and the `secrets` of services hold."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from uncommon_im.schemas.decoding import Entry, Text

_Kind = Annotated[
    str, Meta(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z", description="words of a-z and 0-9 with - between them")
]
_Hints = Annotated[
    tuple[Annotated[str, Meta(min_length=1, description="a piece of text")], ...],
    Meta(min_length=1, description="a list of pieces of text, one of which is in every text with such a secret"),
]
_END: Final = r"(?![^\s\"';,)&|/:@}\]])"
_CODE: Final = (
    r"\$(?:(?:env|global|script|using):)?\w+[.\[]\w|\[[\w.]+\]::|\((?=(?-i:[A-Z][a-z]+-[A-Z]))|(?:os\.(?:environ|getenv)|process\.env|getenv|getpass|getattr"
    r"|System\.getenv|env|input|prompt|lookup|var|local|data|secrets?|vault|config|self|args|settings|options|params)[.\[(]"
    r"|(?-i:(?:Get|New|Read|Invoke|ConvertTo|ConvertFrom|Import|Select|Unprotect)-[A-Z]\w+)"
)
_NO_SECRET: Final = (
    rf"(?!\\?[\"']?(?:\$\{{|\$\(|\{{\{{|<\w[\w -]*>|--?[A-Za-z]|/[A-Za-z]+(?:[\s/:]|$)|~/|(?:file|env|fd|stdin)[:\s]"
    rf"|@keychain|{_CODE}"
    rf"|(?:\$(?:env:)?\w+|%\w+%|!\w+!|\*+|\.{{3}}|true|false|yes|no|null|none|prompt|required|\[redacted:[a-z0-9-]+\]){_END}))"
)
"""What is no secret, though it stands where one belongs: a reference, code, an option, a word of yes or no."""
_QUOTED: Final = (
    r"\\\"((?:[^\"\\]|\\(?!\"))*+)\\\"|\"((?:[^\"\\]|\\.|\"\"(?=\w))*+)(?:\"|\\?\Z)"
    r"|'((?:[^']|(?<=\\)'(?=\w)|''(?=\w)|'\"'\"'|'\\'')*+)(?:'|\Z)"
)
"""Text in quotes to its end, which is that of the text where it was cut."""
_BARE: Final = r"([^\s\"'](?:[^\s\"'\\]|\\[ ](?=\w)|\\|[\"'](?=\w))*+)"
_RUN: Final = r"(?i)(?<![\w.-])(?:impacket-)?(?:{})(?:\.exe|\.py|\.rb|\.sh|\.cmd|\.bat)?\\?[\"']?(?=[\s,])"
_ARGUMENTS: Final = r"(?#run:{})(?<=[\s\"',(])"
"""A comment that names the programs, and what stands before an argument."""
_PARTS: Final = {
    "no": _NO_SECRET,
    "gap": r"(?:\\?[\"']?[\s=,]+)?",
    "sep": r"\\?[\"']?(?:\s*[:=,]\s*|\s+)",
    "value": rf"{_NO_SECRET}(?:{_QUOTED}|{_BARE})",
    "word": rf"{_NO_SECRET}([^\s\"']+)",
    "quoted": rf"{_NO_SECRET}(?:{_QUOTED})",
    "pair": (
        rf"(?:\\\"[^\s:\"\\]*:{_NO_SECRET}((?:[^\"\\]|\\(?!\"))++)|\"[^:\"\\]*(?:\\[^:\"]*)?:{_NO_SECRET}((?:[^\"\\]|\\.)++)"
        rf"|'[^:']*:{_NO_SECRET}([^']++)|(?!\d+:\d+(?:\s|$))(?:\"[^\":]*\"|'[^':]*'|[^\s:\"'\[]*):(?!//){_NO_SECRET}(?:{_QUOTED}|{_BARE}))"
    ),
    "token": (
        r"(?=\\?[\"']?[^\s\"']{8})(?!\\?[\"']?(?:(?:[\w-]+,)?(?:id|type|src|source|target)=|/(?!(?=\S*\d)(?=\S*[A-Z])[A-Za-z0-9+/]{35,}={0,2}(?![\w.=/-]))|~|file:|\.{1,2}[/\\]|[a-z]:[\\/]|\d{1,12}(?![\w.-])"
        r"|[a-z]+(?:[-_][a-z]+)+(?![\w.-])"
        r"|[\w./\\:-]+\.(?:key|pem|crt|cer|der|pfx|p12|jks|json|ya?ml|txt|conf|env|ini|pub|kdbx|keytab)(?!\w)))"
    ),
    "short": rf"{_NO_SECRET}(?!\"\s|'\s)(?:{_QUOTED}|((?:[^\s\"';,&|)}}\]\\]|\\(?![\"']))++))",
    "pass": (
        r"(?<![\w.-])[\w.-]*(?:passwor[dt]|passwordd|passwordo|passwd|passphrase|passcode|kennwort|storepass|keypass"
        r"|(?<!by)(?<!com)(?<!sur)(?<!tres)(?<!over)(?<!under)(?<!multi-)(?<!single-)(?<!two-)(?<!first-)pass|pwd|pswd|pw)\d?"
    ),
    "key": (
        r"(?<![\w.-])[\w.-]*(?:(?:api|access|secret|auth|account|subscription|encryption|master|signing|license|deploy|setup"
        r"|pre-?shared|shared|private|storage|functions?|admin|client|app|service)[_.-]?(?:key|secret)"
        r"|(?<!existing)secret|(?<!publickey)(?<!channel-)(?<!pipe-)(?<!cancellation-)token|keymaterial|sharedaccesssignature|psk)\d?"
    ),
    "header": (
        r"(?!(?:[\w-]*(?:idempotency|surrogate|cache|sort|partition|routing|public|websocket)-key|access-control-[\w-]+"
        r"|www-authenticate|[\w-]*(?:keyword|keyboard|author(?!i[zs])|tokeni[zs])[\w-]*)\\?[\"']?\s*[:=,])"
        r"[\w-]*(?:key|token|auth|secret|cookie|credential|passw)[\w-]*"
    ),
}
_PART: Final = re.compile(rf"<run:([\w|.-]+)>|<({'|'.join(_PARTS)})>")
_PROGRAMS: Final = re.compile(r"\(\?#run:([^)]+)\)")


class SecretPattern(Entry, frozen=True):
    """How one kind of secret is written, as the head of `secrets.yaml` explains it.

    Args:
        kind: what a mask says was there.
        hints: pieces of text in lower case; the pattern is only tried where one of them occurs.
        pattern: a regular expression; what its groups match is the secret, or all of it if it has none. Its parts in
            `<...>` are written out.
    """

    kind: _Kind
    hints: _Hints
    pattern: str

    def __post_init__(self) -> None:
        """Raises `ValueError`: the hints or the pattern can match nothing, or the pattern matches everything."""
        self._write_out()
        if any(hint != hint.lower() for hint in self.hints):
            raise ValueError(f"hints are looked for in lower case: {list(self.hints)} never match: write them so")
        try:
            compiled = re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None
        if compiled.search(""):
            raise ValueError("pattern matches where there is nothing")

    def _write_out(self) -> None:
        pattern = _PART.sub(lambda part: _ARGUMENTS.format(part[1]) if part[1] else _PARTS[part[2]], self.pattern)
        msgspec.structs.force_setattr(self, "pattern", pattern)

    @property
    def programs(self) -> str | None:
        """A regular expression: the pattern is for the arguments of what it matches; `None`: for any text."""
        run = _PROGRAMS.match(self.pattern)
        return _RUN.format(run[1]) if run else None


class ShippedPattern(SecretPattern, frozen=True):
    """A pattern of `secrets.yaml`. A test checks it: compiling hundreds would take a fifth of a second of every run."""

    def __post_init__(self) -> None:
        self._write_out()


class SecretDetector(Entry, frozen=True):
    """A detector of the library `detect_secrets` that is used, by the name of its class."""

    kind: _Kind
    hints: _Hints
    name: Text


class Secrets(Entry, frozen=True):
    """How secrets are recognised that any program may be given.

    Args:
        tokens: patterns that are recognised by themselves.
        detectors: of the library.
        contexts: patterns of what stands where a secret belongs: after an option, in a header, in a URL.
        keys: names of values in JSON, in lower case, that are secrets whatever they look like.
    """

    format: Literal[1] = 1
    tokens: tuple[ShippedPattern, ...] = ()
    detectors: tuple[SecretDetector, ...] = ()
    contexts: tuple[ShippedPattern, ...] = ()
    keys: frozenset[str] = frozenset()
