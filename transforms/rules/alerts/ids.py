"""Ids of alerts and groups: the same for the same facts, whoever computes them (specification, section 7)."""

from __future__ import annotations

import hashlib
import json


def digest_of(parts: list[str | int]) -> str:
    """First 32 hex digits of the sha256 over a JSON list, UTF-8, no spaces, non-ASCII not escaped."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def alert_id(
    detector: str, tenant: str, host: str, program: tuple[str, str, str], service: str, variation: str, hour: int
) -> str:
    """Id of an alert; `program` is (name, origin, script), `hour` hours since 1970."""
    return digest_of([detector, tenant, host, *program, service, variation, hour])


def group_id(detector: str, tenant: str, program: tuple[str, str, str], service: str, day: int) -> str:
    """Id that alerts of a roll-out or an outbreak share; `program` has its reduced script, `day` since 1970."""
    return digest_of([detector, tenant, *program, service, day])
