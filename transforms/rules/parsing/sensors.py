"""Converters of what endpoint sensors write in ways of their own: times, signatures, digests, questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from uncommon_im.transforms.rules.columns.coerce import Scalar

_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
_EPOCHS: Final = ((10**8, 1_000_000), (10**11, 1_000), (10**14, 1))
"""A number of seconds, milliseconds or microseconds is at least so large, and has so many microseconds a unit."""
_NANOSECONDS: Final = 10**17
_GO_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)(?: [A-Z]{3,4})?", re.ASCII)
_QUESTION: Final = re.compile(r"\s*type:\s*\d+\s+", re.ASCII | re.IGNORECASE)
_SHA256: Final = re.compile(r"\s*([0-9a-f]{64})\s*", re.ASCII | re.IGNORECASE)
_NO_SHA256: Final = "0" * 64
_OCSF_SHA256: Final = ("3", "")

_PREVENTED: Final = frozenset(("CONNECTION_CREATE_FAILED", "BLOCK", "TERMINATE", "BREAK"))

_NO_SIGNATURE: Final = 1 << 9
_HASH_MISMATCH: Final = 1 << 11
_VALID_SIGNATURE: Final = 1 << 18
_REVOKED: Final = 1 << 29
_EMBEDDED: Final = 1 << 19


def _epoch(value: Scalar) -> Scalar:
    """A time since 1970, number or text, as milliseconds, with a fraction if there are microseconds; `None` for others.

    The unit is seen from the size: from 2000 to 2100 times in seconds, milliseconds, microseconds and nanoseconds do
    not overlap.
    """
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return None
        value = float(text) if "." in text else int(text)
    if value is None:
        return None
    if abs(value) >= _NANOSECONDS:
        micros = int(value) // 1_000
    else:
        factor = next((factor for least, factor in reversed(_EPOCHS) if abs(value) >= least), 0)
        if not factor:
            return value
        micros = round(value * factor)
    return micros // 1_000 if micros % 1_000 == 0 else micros / 1_000


def _go_time(value: Scalar) -> Scalar:
    """A time as Go writes it (`2026-03-01 10:00:00.5 +0000 UTC`) as RFC 3339; other texts as they are."""
    found = _GO_TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    return f"{found[1]}T{found[2]}{found[3]}:{found[4]}" if found else value


def _question(value: Scalar) -> Scalar:
    """A name that was asked for, without the record's type that may stand before it (`type:  28 a.example`)."""
    return _QUESTION.sub("", value, count=1) if isinstance(value, str) else value


def _sign_info_flags(value: Scalar) -> Scalar:
    """Falcon's `SignInfoFlags` as a signature status; `None` if its bits say nothing.

    A valid signature counts though its chain does not end at Microsoft (bit 10), as most vendors' do not. Bits as in
    CrowdStrike's "Decode SignInfoFlags".
    """
    text = str(value).strip()
    if not text.isdecimal() or len(text) > 20:
        return None
    flags = int(text)
    if flags & (_HASH_MISMATCH | _REVOKED):
        return "invalid"
    if flags & _VALID_SIGNATURE:
        return "signed"
    if flags & _NO_SIGNATURE:
        return "unsigned"
    return "invalid" if flags & _EMBEDDED else None


def file_signature_state(value: object) -> Scalar:
    """Carbon Black's states of a signature as a signature status: a list, or `FILE_SIGNATURE_STATE_SIGNED | ...`."""
    written = value if isinstance(value, list) else str(value).split("|")
    states = {str(state).strip().upper().removeprefix("FILE_SIGNATURE_STATE_") for state in written}
    if "INVALID" in states:
        return "invalid"
    if "NOT_SIGNED" in states or "UNSIGNED" in states:
        return "unsigned"
    return "signed" if "SIGNED" in states and states & {"VERIFIED", "TRUSTED"} else None


def _signed_integer(value: Scalar) -> Scalar:
    """An integer of 64 bits, number or text, that was written as if it had no sign; `None`: it is none."""
    text = str(value).strip()
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number - (1 << 64) if number is not None and number >> 63 == 1 else number


def _actions(value: Scalar) -> set[str]:
    """Carbon Black's actions of a connection: `ACTION_CONNECTION_CREATE | ACTION_CONNECTION_ESTABLISHED`."""
    return {action.strip().upper().removeprefix("ACTION_") for action in str(value).split("|")}


def _if_listens(value: Scalar) -> Scalar:
    """`inbound` if one of Carbon Black's actions is to wait for connections, else `None`."""
    return "inbound" if "CONNECTION_LISTEN" in _actions(value) else None


def _if_prevented(value: Scalar) -> Scalar:
    """True if one of Carbon Black's actions says that no connection came about, else `None`."""
    return True if _actions(value) & _PREVENTED else None


def _unverified(value: Scalar) -> Scalar:
    """The signature status of what SentinelOne could not verify; `None` for other texts."""
    return "invalid" if str(value).strip().lower() in ("unverified", "not verified") else None


def digest(value: object) -> Scalar:
    """The SHA-256 that is a text or in a list of texts or of OCSF's fingerprints, lower case; `None`: there is none."""
    if isinstance(value, list):
        return next((each for each in map(digest, value[:20]) if each is not None), None)
    if isinstance(value, Mapping):
        algorithm = value.get("algorithm_id")
        value = value.get("value") if algorithm is None or str(algorithm).strip() in _OCSF_SHA256 else None
    found = _SHA256.fullmatch(value) if isinstance(value, str) else None
    return None if found is None or found[1] == _NO_SHA256 else found[1].lower()


SENSORS: Final[dict[str, Callable[[Scalar], Scalar]]] = {
    "epoch": _epoch,
    "go_time": _go_time,
    "if_listens": _if_listens,
    "if_prevented": _if_prevented,
    "question": _question,
    "sign_info_flags": _sign_info_flags,
    "signed_integer": _signed_integer,
    "unverified": _unverified,
}
