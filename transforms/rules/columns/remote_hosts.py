"""Remote hosts as sensors write them, many at a time: names and addresses (specification, section 2)."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from uncommon_im.transforms.rules.columns.arrow_text import matches, offsets_of
from uncommon_im.transforms.rules.columns.column import Text
from uncommon_im.transforms.rules.columns.text import LONGEST_MARKER, clean_remote_host, memoise

_PLAIN_NAME: Final = r"^[a-z0-9._-]*[a-z_-][a-z0-9._-]*[a-z0-9_-]$"
"""Names that are written as the detector writes them, unless they are as short as a marker of missing values."""
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
_REMEMBERED: Final = 1 << 18
"""Distinct values whose result is remembered: bounds memory, not correctness."""

_clean: Final = memoise(clean_remote_host, _REMEMBERED)


def split_remote_hosts(hosts: Text) -> tuple[Text, Text]:
    """(names, addresses): what `clean_remote_host` makes of each row's host; of most values a pattern tells it."""
    values = hosts.dictionary
    odd = (np.diff(offsets_of(values)) <= LONGEST_MARKER) | ~matches(values, _PLAIN_NAME)
    ipv4 = np.zeros(len(values), np.bool_)
    ipv4[odd] = matches(values.filter(pa.array(odd)), _IPV4)
    odd &= ~ipv4
    names = hosts.only(~ipv4).amend(odd, lambda value: _clean(value)[0])
    return names, hosts.only(ipv4 | odd).amend(odd, lambda value: _clean(value)[1])
