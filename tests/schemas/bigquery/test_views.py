"""The statements that make the views. What the views hold is tested on an emulator (`tests/cloud`)."""

from __future__ import annotations

import re

from uncommon_im.schemas.bigquery.views import cases_ddl, latest_ddl, view_ddls
from uncommon_im.transforms.rules.advice.cases import SEVERITIES


def test_the_ddl_names_views_and_what_they_read_by_their_full_names() -> None:
    assert latest_ddl("p.d").startswith("CREATE OR REPLACE VIEW `p.d.alerts_latest`\nOPTIONS (description = '")
    assert cases_ddl("p.d").startswith("CREATE OR REPLACE VIEW `p.d.cases`\nOPTIONS (description = '")
    assert re.findall("`.*?`", latest_ddl("p.d")) == ["`p.d.alerts_latest`", "`p.d.alerts`"]
    assert re.findall("`.*?`", cases_ddl("p.d")) == ["`p.d.cases`", "`p.d.alerts_latest`"]


def test_a_view_is_made_after_what_it_reads() -> None:
    assert view_ddls("p.d") == [latest_ddl("p.d"), cases_ddl("p.d")]


def test_the_recursion_is_where_bigquery_allows_one_and_has_the_form_that_it_takes() -> None:
    """At the top level of the view, by UNION ALL, and with one reference to itself."""
    ddl = cases_ddl("p.d")
    assert "\nAS\nWITH RECURSIVE " in ddl
    (rounds,) = re.findall(r"\nrounds AS \((.*?)\n\),\n", ddl, re.DOTALL)
    _base, step = rounds.split("UNION ALL")
    assert len(re.findall(r"\bFROM rounds\b", step)) == 1


def test_severities_are_ranked_as_cases_rank_them() -> None:
    ranks = {name: int(rank) for name, rank in re.findall(r"WHEN '(\w+)' THEN (\d)", cases_ddl("p.d"))}
    assert ranks == {name: rank for rank, name in enumerate(SEVERITIES)}
