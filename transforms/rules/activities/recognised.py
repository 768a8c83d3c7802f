"""What a batch of events holds, before anything of it is added up (specification, sections 1 and 2a)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uncommon_im.transforms.rules.columns.column import Codes, Longs, Mask
from uncommon_im.transforms.rules.events import tally
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter
from uncommon_im.transforms.rules.events.normalise import Events
from uncommon_im.transforms.rules.events.tally import Tally
from uncommon_im.transforms.rules.instances.event_rows import lack_process, start_rows
from uncommon_im.transforms.rules.recognition.communications import Communications, Recogniser


@dataclass(frozen=True, eq=False)
class Recognised:
    """What some rows of a batch are.

    Args:
        communications: that lack nothing, or that nothing is looked for.
        executions: (rows, code of each row's fingerprint, fingerprints).
        unfinished: rows that may be communications once the start of their process is known; nothing else is known of
            them yet.
        starts: rows of the starts of processes.
        nameless: how many would be communications, but nobody knows whose.
        unknown_signatures: how many communications say of their signature what nobody knows.
    """

    communications: Communications
    executions: tuple[Longs, Codes, list[str]]
    unfinished: Longs
    starts: Longs
    nameless: int
    unknown_signatures: int

    @property
    def counts(self) -> Tally:
        """What the communications count for."""
        return Tally(
            {
                tally.COMMUNICATIONS: len(self.communications.rows),
                tally.WITHOUT_PROCESS: self.nameless,
                tally.UNKNOWN_SIGNATURES: self.unknown_signatures,
            }
        )


def recognise(recogniser: Recogniser, events: Events, used: Mask, *, unfinished: bool) -> Recognised:
    """What the `used` rows of a batch are.

    Args:
        unfinished: whether what lacks anything of its process is to wait for the start of that.
    """
    candidates = recogniser.candidates(events, used)
    waiting = starts = candidates.rows[:0]
    if unfinished:
        lacking = lack_process(events, candidates.rows)
        waiting, candidates = candidates.rows[lacking], candidates.take(~lacking)
        used = used.copy()
        used[waiting] = False
        starts = start_rows(events, used)
    found = recogniser.communications(events, candidates)
    executions = recogniser.executions(events, used, found)
    nameless = int((~events.text_at("process_name", candidates.rows).present).sum())
    status = events.text_at("process_signature_status", found.rows)  # what is missing is no value, and not `unknown`
    unknown = int(status.lookup(lambda value: value == "unknown", False, np.bool_).sum())
    return Recognised(found, executions, waiting, starts, nameless, unknown)


def counts_of(events: Events, used: Mask, dead: Sequence[DeadLetter], lost: int) -> Tally:
    """What a batch counts for beside its communications.

    Args:
        used: rows of valid events within the range.
        dead: what is no event.
        lost: how many of these were given up before they were rows.
    """
    counts = Tally(tally.dead_letter(letter.reason) for letter in dead)
    counts[tally.READ] = events.num_rows + lost
    counts[tally.VALID] = int(events.valid.sum())
    counts[tally.OUT_OF_RANGE] = int(events.valid.sum() - used.sum())
    return counts


def counts_of_lost(letter: DeadLetter) -> Tally:
    """What a batch counts for that is one dead letter as a whole."""
    return Tally((tally.READ, tally.dead_letter(letter.reason)))
