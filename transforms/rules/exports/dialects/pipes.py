"""Exports in languages of stages with bars between them: KQL, XQL, Splunk's SPL, Falcon's CQL.

In none of them it is cheap to take only starts of processes that communicated, so all are exported. They make every day
on which a host is used a covered day.

Sources: Kusto "matches regex operator", "replace_regex()", "union operator"; Cortex XDR "XQL functions" (`replex`,
`lowercase`) and "Supported operators" (`~=`); Splunk Search Reference "Text functions", "Comparison and conditional
functions"; CrowdStrike Query Language "Regular expression syntax", "in()", "select()".
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from uncommon_im.transforms.rules.exports.dialects.words import Request, Words, in_quotes
from uncommon_im.transforms.rules.exports.predicate import BETWEEN, Peers, Ran


class Kql(Words):
    """Kusto's, for Microsoft Defender's advanced hunting, Sentinel and Azure Data Explorer."""

    def has(self, field: str, texts: tuple[str, ...]) -> str:
        return f"{field} in~ ({', '.join(map(in_quotes, texts))})"

    def joined(self, fields: tuple[str, ...]) -> str:
        between = f', "{BETWEEN}", '.join(f"tostring({field})" for field in fields)
        return f"tolower(strcat({between}))"

    def cut(self, text: str, pattern: str) -> str:
        return f'replace_regex({text}, {in_quotes(pattern)}, "{BETWEEN}")'

    def finds(self, text: str, pattern: str) -> str:
        return f"{text} matches regex {in_quotes(pattern)}"

    def export(self, request: Request) -> str:
        """The query."""
        time = request.source.time
        days = [f"where {time} >= datetime({request.start})"] if request.start else []
        days += [f"where {time} < datetime({request.end})"] if request.end else []
        wanted = f"where {self.condition(request.condition)}"
        return "\n| ".join([request.table, *days, wanted, f"project {', '.join(request.columns)}"]) + "\n"


class Xql(Words):
    """Cortex XDR's."""

    def has(self, field: str, texts: tuple[str, ...]) -> str:
        return f"{field} in ({', '.join(text for text in texts if text.startswith('ENUM.'))})"

    def joined(self, fields: tuple[str, ...]) -> str:
        between = f', "{BETWEEN}", '.join(f'coalesce({field}, "")' for field in fields)
        return f"lowercase(concat({between}))"

    def cut(self, text: str, pattern: str) -> str:
        return f'replex({text}, {in_quotes(pattern)}, "{BETWEEN}")'

    def finds(self, text: str, pattern: str) -> str:
        return f"{text} ~= {in_quotes(pattern)}"

    def export(self, request: Request) -> str:
        """The query; without both days the time is that of the query's form."""
        stages = [f"dataset = {request.table}", f"filter {self.condition(request.condition)}"]
        stages += [f"fields {', '.join(request.columns)}"]
        if request.start and request.end:
            first, last = (f"{day} 00:00:00 +0000" for day in (request.start, request.end))
            stages.insert(0, f'config timeframe between "{first}" and "{last}"')
        return "\n| ".join(stages) + "\n"


class Spl(Words):
    """Splunk's. Events go out as they came in, in `_raw`."""

    either = " OR "
    both = " AND "

    def has(self, field: str, texts: tuple[str, ...]) -> str:
        return f"in({field}, {', '.join(map(in_quotes, texts))})"

    def joined(self, fields: tuple[str, ...]) -> str:
        between = f'."{BETWEEN}".'.join(f'coalesce({field}, "")' for field in fields)
        return f"lower({between})"

    def cut(self, text: str, pattern: str) -> str:
        return f'replace({text}, {in_quotes(pattern)}, "{BETWEEN}")'

    def finds(self, text: str, pattern: str) -> str:
        return f"match({text}, {in_quotes(pattern)})"

    def export(self, request: Request) -> str:
        """The query."""
        days = f" earliest={_seconds(request.start)}" if request.start else ""
        days += f" latest={_seconds(request.end)}" if request.end else ""
        stages = [f"search {request.table}{days}", f"where {self.condition(request.condition)}"]
        return "\n| ".join([*stages, "table _time, host, source, sourcetype, _raw"]) + "\n"


class Cql(Words):
    """Falcon's (Next-Gen SIEM, LogScale)."""

    def has(self, field: str, texts: tuple[str, ...]) -> str:
        return f"in(field={in_quotes(field)}, values=[{', '.join(map(in_quotes, texts))}])"

    def ran(self, ran: Ran) -> str:
        return self._one(ran.fields, ran.pattern)

    def peers(self, peers: Peers) -> str:
        named = [f"({field}=/{peers.named}/i{self._unless(field, peers.out)})" for field in peers.fields]
        ranged = [self._one(peers.all_addresses, peers.ranged)] if peers.ranged else []
        return f"({self.either.join([*named, *ranged])})"

    def joined(self, fields: tuple[str, ...]) -> str:
        raise NotImplementedError("CQL has no functions in conditions: fields are looked at one by one")

    def cut(self, text: str, pattern: str) -> str:
        raise NotImplementedError("CQL has no functions in conditions")

    def finds(self, text: str, pattern: str) -> str:
        return f"{text}=/{pattern}/i"

    def _one(self, fields: tuple[str, ...], pattern: str) -> str:
        return f"({self.either.join(self.finds(field, pattern) for field in fields)})"

    def _unless(self, field: str, out: str) -> str:
        return f"{self.both}{field}!=/{out}/i" if out else ""

    def export(self, request: Request) -> str:
        """The query."""
        time = request.source.time
        days = [f"{time} >= {_seconds(request.start)}000"] if request.start else []
        days += [f"{time} < {_seconds(request.end)}000"] if request.end else []
        fields = ", ".join(f'"{field}"' if field[0] in "#@" else field for field in request.columns)
        return "\n| ".join([request.table, *days, self.condition(request.condition), f"select([{fields}])"]) + "\n"


def _seconds(day: date) -> int:
    """Seconds of the epoch at a day's midnight."""
    return int(datetime.combine(day, time(), UTC).timestamp())
