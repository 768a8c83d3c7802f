"""A run as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.filters import do_filesizeformat as filesizeformat
from markupsafe import Markup

from uncommon_im.pipeline.report.charts import Series, over_time
from uncommon_im.pipeline.report.run import Run
from uncommon_im.schemas.catalogue import Catalogue
from uncommon_im.transforms.rules.advice.cases import Case
from uncommon_im.transforms.rules.columns.visible import visible

MOST_CASES: Final = 50
"""Cases that are listed."""
MOST_NAMED: Final = 2
"""Related cases that are named; of the others it is said how many there are."""
MOST_PAIRS: Final = 200
"""Rare pairs that are listed."""
MOST_TENANTS: Final = 100
"""Tenants that are listed."""
MOST_KEPT_BACK: Final = 20_000
"""Rows of rare activities without an alert that the pages of hosts show."""
MOST_CHARACTERS: Final = 200
"""Of a value in a table; what is longer is cut. Alerts are whole, at a click."""
MOST_OF_A_RECORD: Final = 2000
"""Characters of a dead letter's record; what is longer is cut, and said to be."""

VARIATIONS: Final = (
    Series("suspicious_process", "by a suspicious process", "--suspicious"),
    Series("uncommon_scripting_engine", "by an uncommon scripting engine execution", "--scripting"),
    Series("base", "base", "--base"),
)
OUTCOMES: Final = (
    Series("rare", "rare", "--suspicious"),
    Series("common", "common", "--base"),
    Series("learning", "learning", "--learning"),
)
VERDICTS: Final = {
    "training": ("Before the judged days: only for the baseline", "learning"),
    "too_late": ("Too late to be judged: only for the baseline", "learning"),
    "learning": ("The detector was still learning", "learning"),
    "common_in_organisation": ("Common in the organisation", "common"),
    "common_on_host": ("Common on that host", "common"),
    "excepted": ("Rare, but an exception covers it", "rare"),
    "duplicate": ("Rare, but repeats an earlier alert", "rare"),
    "rolled_up": ("Rare, but rolled up with many like it", "rare"),
    "alert": ("Alert", "rare"),
}
"""Verdict -> its words, and its outcome in the chart of days."""


SCRIPT: Final = ("elements", "triage", "queries", "evidence", "exports", "card", "list", "places", "start")
"""The files of the page's script, each after those that it needs."""


def render(run: Run, catalogue: Catalogue, virustotal: bool = False, queries: str = "bigquery_sql") -> str:
    """The page.

    Whatever comes from telemetry is escaped by Jinja, or packed and later written as text by the page's own script.
    The page's content security policy names that script and the style by their digests and forbids all else.

    Args:
        run: what it is about.
        catalogue: names of services that no alert names.
        virustotal: digests are links to VirusTotal, which learns of them only when somebody follows one.
        queries: the language in which queries come first, until another one is chosen on the page: a key of `DIALECTS`
            in `script/queries.js`.
    """
    style, script = _own("report.css"), script_text()
    names = {id: service.name for id, service in catalogue.services_by_id.items()} | run.alerts.service_names
    pairs, all_pairs = run.activities.pairs(MOST_PAIRS)
    tenants, by_day = run.activities.tenants(), run.activities.by_day()
    days = [day for day, _ in by_day]
    return _template().render(
        run=run,
        policy=f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'",
        style=Markup(style),
        script=Markup(script),
        packed=pack(_data(run, names) | {"virustotal": virustotal, "queries": queries}),
        cases=run.cases[:MOST_CASES],
        all_cases=len(run.cases),
        cases_by_id={case.case_id: case for case in run.cases},
        repeats=_repeats(run),
        most_named=MOST_NAMED,
        total_alerts=run.alerts.by_day.total(),
        days=_range(days),
        alerts_chart=over_time(run.alerts.by_day, _and_others(VARIATIONS, run.alerts.by_day), days),
        days_chart=over_time(_outcomes(by_day), OUTCOMES) if run.has_verdicts else None,
        pairs=pairs,
        all_pairs=all_pairs,
        services=run.activities.services(),
        service_name=lambda id: names.get(id, id),
        steps=_steps(run.summary.verdicts),
        tenants=tenants[:MOST_TENANTS],
        all_tenants=len(tenants),
        most_characters=MOST_CHARACTERS,
        most_of_a_record=MOST_OF_A_RECORD,
    )


def script_text() -> str:
    """The page's own script: its files in one block, so that their names are nobody else's."""
    files = "\n".join(_own(f"script/{name}.js") for name in SCRIPT)
    return f'"use strict";\n{{\n{files}}}\n'


def pack(data: Mapping[str, Any]) -> str:
    """Data as base64 of a gzip of JSON: a tenth of its size, and no character that HTML reads."""
    return base64.b64encode(gzip.compress(msgspec.json.encode(data), mtime=0)).decode()


def _data(run: Run, service_names: Mapping[str, str]) -> dict[str, Any]:
    """What the script reads: the alerts, and what it says beside them."""
    kept_back, all_kept_back = run.activities.kept_back(run.alerts.hosts, MOST_KEPT_BACK)
    return {
        "alerts": run.alerts.listed,
        **_cases(run),
        "kept_back": [
            row | {"service": service_names.get(row["service"], row["service"]), "verdict": _words(row["verdict"])}
            for row in kept_back
        ],
        "all_kept_back": all_kept_back,
        "has_verdicts": run.has_verdicts,
        "hosts": run.activities.hosts() if run.has_verdicts else {},
    }


def _cases(run: Run) -> dict[str, Any]:
    """The cases that are listed, and of each alert that is listed the place of its case among them, or -1."""
    shown = run.cases[:MOST_CASES]
    place = {alert.alert_id: number for number, case in enumerate(shown) for alert in case.alerts}
    return {
        "cases": [[case.case_id, _name_of(case)] for case in shown],
        "case_of": [place.get(alert["alert_id"], -1) for alert in run.alerts.listed],
    }


def _repeats(run: Run) -> dict[str, int]:
    """Id of a case -> in how many hours its alerts were repeated."""
    repeats = run.activities.repeats()
    return {case.case_id: sum(repeats.get(alert.alert_id, 0) for alert in case.alerts) for case in run.cases}


def _name_of(case: Case) -> str:
    alert = case.open_first
    return f"{alert.process.name[:MOST_CHARACTERS]} → {alert.service.name[:MOST_CHARACTERS]}"


def _words(verdict: str) -> str:
    return VERDICTS.get(verdict, (verdict, ""))[0]


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("uncommon_im.pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["bytes"] = lambda number: "not reported" if number is None else filesizeformat(number)
    return environment.get_template("report.html.j2")


def _own(name: str) -> str:
    return resources.files("uncommon_im.pipeline.report").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _range(days: Sequence[date]) -> str | None:
    if not days:
        return None
    return f"{min(days)} to {max(days)}" if min(days) < max(days) else str(min(days))


def _and_others(known: Sequence[Series], counts: Mapping[tuple[date, str], int]) -> Sequence[Series]:
    others = sorted({key for _, key in counts} - {each.key for each in known})
    return (*known, *(Series(key, key, "--learning") for key in others))


def _outcomes(by_day: Mapping[tuple[date, str], int]) -> Mapping[tuple[date, str], int]:
    outcomes: Counter[tuple[date, str]] = Counter()
    for (day, verdict), count in by_day.items():
        outcomes[day, VERDICTS.get(verdict, (verdict, "common"))[1]] += count
    return outcomes


def _steps(verdicts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The verdicts in the order in which they are given: how many activities each takes, and are left before it."""
    left = whole = sum(verdicts.values())
    steps = []
    for verdict, count in verdicts.items():
        words, outcome = VERDICTS.get(verdict, (verdict, "common"))
        shares = {"share": count / (whole or 1), "start": (left - count) / (whole or 1)}
        steps.append({"verdict": verdict, "words": words, "outcome": outcome, "count": count} | shares)
        left -= count
    return steps
