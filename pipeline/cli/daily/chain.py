"""A chain of days: each is judged once it is complete, from the snapshot of the one before."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from datetime import date, timedelta

from msgspec.structs import replace

from uncommon_im.pipeline.baselines.read_snapshot import open_snapshot
from uncommon_im.pipeline.cli.commands.backfill import judge
from uncommon_im.pipeline.cli.daily import words
from uncommon_im.pipeline.cli.daily.lake import came_late, files_of, missing_from
from uncommon_im.pipeline.cli.daily.options import DailyOptions
from uncommon_im.pipeline.cli.daily.state import Files, Ledger, StateFolder
from uncommon_im.pipeline.cli.doubts import check_recognised
from uncommon_im.pipeline.errors import NotReady
from uncommon_im.schemas.documents import require

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Chain:
    """The work of `uncommon-im daily`.

    Args:
        options: of the command.
        rest: Beam's own options.
        state: the folder of the chain, which this process has claimed.
    """

    options: DailyOptions
    rest: list[str]
    state: StateFolder

    def run(self) -> None:
        """Judges all days that are over, and again those whose files came late.

        Raises:
            NotReady: a day is not complete yet; says which, and why.
            ConfigurationError: an option, a file or the state is wrong.
        """
        until = self.options.until
        ledger = self._from_late_files(self.state.read() or self._begin(), until)
        self.state.tidy([day for day in self.state.snapshots() if day <= ledger.next][-self.options.keep_snapshots :])
        if ledger.next > until:
            print(f"{until}: nothing to do: all days until then are judged", flush=True)
        while ledger.next <= until:
            ledger = self._judge(ledger, until)

    def _begin(self) -> Ledger:
        """The state of a new chain; it starts from the last snapshot that somebody has put there."""
        known = self.state.snapshots()
        first = self.options.days.first_day or (known[-1] if known else self.options.until)
        if not known:
            limits, lake = self.options.detector.card().limits, self.options.lake
            before = [first - number * _DAY for number in range(limits.training_days, 0, -1)]
            there = [day for day in before if files_of(lake, day)]
            require(
                there or files_of(lake, first),
                f"--lake {' '.join(lake.lake)}: no file for any day from {before[0]} to {first}: check the path",
            )
            print(words.first_run(there, first, limits), flush=True)
        return self.state.write(Ledger(first, first))

    def _from_late_files(self, ledger: Ledger, until: date) -> Ledger:
        """The state from which a day can be judged again whose files came after its run, with all days after it."""
        for day in sorted(day for day in ledger.days if day <= until):
            if late := came_late(files_of(self.options.lake, day), ledger.days[day]):
                print(f"{day}: {len(late)} files came late, such as {late[0]}: judged again from there on", flush=True)
                earlier = {each: files for each, files in ledger.days.items() if each < day}
                return self.state.write(Ledger(ledger.first, day, earlier))
        return ledger

    def _judge(self, ledger: Ledger, until: date) -> Ledger:
        """Judges the next day; gives the state after it."""
        day, wait = ledger.next, self.options.days.wait_days
        waits, files = (until - day).days < wait, files_of(self.options.lake, day)
        doubt = missing_from(self.options.lake, files)
        if waits and (doubt := doubt or (ledger.why if files == ledger.thin else None)):
            raise self._not_ready(day, doubt)
        if not files:
            print(f"{day}: passed over: {doubt}", flush=True)
            return self._enter(ledger, files)
        line = self._backfill(ledger)
        coverage = open_snapshot(self.state.snapshot(day + _DAY)).coverage()
        few = words.few_events(coverage, day)
        if few and waits:
            self.state.write(replace(ledger, thin=files, why=few))
            raise self._not_ready(day, few)
        taken = f"taken as it is: {doubt or few}" if doubt or few else None
        learning = words.learning(coverage, day + _DAY, self.options.detector.card().limits)
        print(f"{day}: {'; '.join(part for part in (line, taken, learning) if part)}", flush=True)
        return self._enter(ledger, files)

    def _backfill(self, ledger: Ledger) -> str:
        """The run of a day; what it counted, in a line."""
        day = ledger.next
        before = max((each for each in self.state.snapshots() if each <= day), default=None)
        start = before or ledger.first
        passed = [start + number * _DAY for number in range((day - start).days)]
        require(
            all(ledger.days.get(each) == {} for each in passed),
            f"--state {self.state.path}: the snapshot of {day} is gone: put it back, or begin anew with an empty "
            f"--state and --first-day {day}",
        )
        snapshot = self.state.snapshot(before) if before else None
        options = self.options.of_day((start, day), self.state.snapshot(day + _DAY), snapshot)
        summary = judge(options, self.rest)
        gc.collect()  # a graph of Beam's refers to itself, and would stay through all days that are caught up
        require(summary is not None, "daily cannot be made a template: a scheduler starts it on a machine of its own")
        assert summary is not None
        files = options.input.files
        check_recognised(summary, files.records.format, files.input[0], options.folder.output)
        return words.counted(summary)

    def _enter(self, ledger: Ledger, files: Files) -> Ledger:
        """Enters a day as done, and lets go of what no later day needs."""
        following, keep = ledger.next + _DAY, self.options.keep_snapshots
        known = [day for day in self.state.snapshots() if day <= following]
        days = ledger.days | {ledger.next: files}
        if len(known) > keep:
            days = {day: read for day, read in days.items() if day >= known[-keep]}
        entered = self.state.write(Ledger(ledger.first, following, days))
        self.state.tidy(known[-keep:])
        return entered

    def _not_ready(self, day: date, why: str) -> NotReady:
        taken = day + (self.options.days.wait_days + self.options.lake.partition_slack_days + 1) * _DAY
        return NotReady(
            f"{day} is not complete yet: {why}. Run the same command later: on {taken} the day is taken as it is"
        )
