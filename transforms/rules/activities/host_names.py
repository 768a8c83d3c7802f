"""Names of hosts that their events do not tell. No verdict looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa


@dataclass(frozen=True)
class HostNames:
    """Names of hosts, from a list beside the events.

    Args:
        names: host id, in lower case -> name.
    """

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, host: str, name: str | None) -> str | None:
        """The name of a host: what its event says, else what the list says; `None` if neither does."""
        return name or self.names.get(host.lower())

    def named(self, activity: Mapping[str, Any]) -> Mapping[str, Any]:
        """An activity, a row of `ACTIVITY_SCHEMA`, with the name of its host."""
        return {**activity, "host_name": self.of(activity["host"], activity["host_name"])}

    def column(self, activities: pa.Table) -> pa.Array:
        """The names of the hosts of activities, of `ACTIVITY_SCHEMA`."""
        pairs = (activities.column(name).to_pylist() for name in ("host", "host_name"))
        return pa.array(map(self.of, *pairs), pa.string())


NO_NAMES: Final = HostNames()
"""There is no list."""
