"""The query that exports what the detector reads, by the name of its language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from uncommon_im.transforms.rules.exports.dialects.elastic import Dsl
from uncommon_im.transforms.rules.exports.dialects.pipes import Cql, Kql, Spl, Xql
from uncommon_im.transforms.rules.exports.dialects.sql import ATHENA, BIGQUERY
from uncommon_im.transforms.rules.exports.dialects.words import Request
from uncommon_im.transforms.rules.exports.source import (
    CORTEX,
    DEFENDER,
    ELASTIC,
    FALCON,
    NATIVE_COLUMNS,
    SPLUNK,
    Source,
)


class Dialect(NamedTuple):
    """A language, and the store that speaks it."""

    source: Source
    export: Callable[[Request], str]
    says: str
    all_starts: bool = True

    @property
    def price(self) -> str:
        """What of the events is left, in a sentence; `docs/how-to/export.md` says how it was measured."""
        return PRICE[self.all_starts]


PRICE: Final = {
    True: (
        "It keeps 38 to 138 of 426 to 522 events per host and day (9 to 26 %) in the simulator's organisations; "
        "34 to 131 of them are starts of processes."
    ),
    False: ("It keeps 11 to 15 of 426 to 522 events per host and day (2 to 3 %) in the simulator's organisations."),
}
"""All starts of processes are exported, or those of processes that communicated -> what is left."""
DIALECTS: Final = {
    "elastic": Dialect(ELASTIC, Dsl().export, "the body of an Elasticsearch search"),
    "kql": Dialect(DEFENDER, Kql().export, "KQL for Microsoft Defender's tables"),
    "xql": Dialect(CORTEX, Xql().export, "XQL for Cortex XDR"),
    "splunk": Dialect(SPLUNK, Spl().export, "SPL for Sysmon in Splunk"),
    "falcon": Dialect(FALCON, Cql().export, "CQL for Falcon's Next-Gen SIEM"),
    "bigquery": Dialect(NATIVE_COLUMNS, BIGQUERY.export, "BigQuery's SQL for a table of native columns", False),
    "athena": Dialect(NATIVE_COLUMNS, ATHENA.export, "Athena's SQL for a table of native columns", False),
}
"""Name of the language -> the language."""
