"""What a snapshot learned of what turned out to be malicious is left out, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from fnmatch import fnmatchcase

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from uncommon_im.schemas.exceptions import ExceptionEntry
from uncommon_im.transforms.rules.baseline.history import pack, unpack
from uncommon_im.transforms.rules.baseline.subjects import subject
from uncommon_im.transforms.rules.baseline.tables import SIGHTING_SCHEMA
from uncommon_im.transforms.rules.baseline.unlearning import NOTHING, Unlearning
from uncommon_im.transforms.rules.columns.days import day_number

AS_OF = date(2026, 5, 10)
NAMES, ORIGINS, SERVICES, HOSTS = ("bot.exe", "app"), ("unsigned:", "acme"), ("telegram", "slack"), ("H1", "h2")
Shown = tuple[str, str, str, str, int]
"""(name, origin, service, host, days before `AS_OF`)."""

shown = st.tuples(*map(st.sampled_from, (NAMES, ORIGINS, SERVICES, HOSTS)), st.integers(1, 30))
globs = st.fixed_dictionaries(
    {},
    optional={
        "process_name": st.sampled_from(("bot.exe", "b*", "zip")),
        "origin": st.sampled_from(("acme", "unsigned:*")),
        "service_id": st.sampled_from(SERVICES),
        "host_id": st.sampled_from(("h1", "h2")),
        "user_name": st.just("al"),
    },
).filter(bool)
days = st.one_of(st.none(), st.integers(1, 30))


def table(rows: list[tuple[str, str, int]]) -> pa.Table:
    first = day_number(AS_OF)
    columns = [["t"] * len(rows), [row[0] for row in rows], [row[1] for row in rows], [first - row[2] for row in rows]]
    return pa.table(
        [pa.array(column, kind.type) for column, kind in zip(columns, SIGHTING_SCHEMA, strict=True)],
        schema=SIGHTING_SCHEMA,
    )


def text(row: Shown) -> tuple[str, str, int]:
    name, origin, service, host, ago = row
    return subject("communication", name, origin, "", service), host, ago


@given(rows=st.lists(shown, unique=True, max_size=20), given_globs=globs, oldest=days, newest=days)
def test_sightings_and_masks_lose_the_days_of_what_an_entry_matches(
    rows: list[Shown], given_globs: dict[str, str], oldest: int | None, newest: int | None
) -> None:
    begins, until = (None if ago is None else AS_OF - timedelta(days=ago) for ago in (oldest, newest))
    unlearning = Unlearning((ExceptionEntry(tuple(given_globs.items()), "r", until, begins),))

    def is_kept(row: Shown) -> bool:
        values = dict(zip(("process_name", "origin", "service_id", "host_id"), row, strict=False))
        within = (oldest is None or row[4] <= oldest) and (newest is None or row[4] >= newest)
        told = all(name in values and fnmatchcase(values[name].lower(), glob) for name, glob in given_globs.items())
        return not (within and told)

    others = [(subject("execution", "python|stdin"), "H1", 3), (subject("service", "telegram"), "H1", 3)]
    before = table([*map(text, rows), *others])
    after = sorted([*map(text, filter(is_kept, rows)), *others])
    expected = table(after).to_pylist()

    def in_order(found: pa.Table) -> list[dict[str, object]]:
        return sorted(found.to_pylist(), key=lambda row: (row["subject"], row["host"], -row["day"]))

    as_of = day_number(AS_OF)
    assert in_order(unlearning.sightings(before)) == in_order(table(after))
    assert in_order(unpack(unlearning.masks(pack(before, as_of), as_of), as_of)) == in_order(table(after))
    assert len(expected) == len(after)


def test_without_entries_what_was_learned_is_handed_on_as_it_is() -> None:
    rows = table([text(("bot.exe", "acme", "slack", "H1", 1))])
    assert NOTHING.sightings(rows) is rows
    assert NOTHING.masks(rows, 0) is rows
    assert Unlearning((ExceptionEntry((("user_name", "al"),), "r"),)).sightings(rows) is rows
