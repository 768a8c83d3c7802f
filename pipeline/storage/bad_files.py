"""What to do about a source that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from uncommon_im.pipeline.errors import RunFailed
from uncommon_im.transforms.rules.events.dead_letter import DeadLetter, LostBatch

OnBadFile = Literal["fail", "skip"]


class UnreadableInput(RunFailed):
    """An input cannot be read; the message is one line that names it and says why."""


@dataclass(frozen=True)
class BadFilePolicy:
    """Whether a file that cannot be read ends the run, or costs one dead letter and only what is unreadable of it."""

    on_bad_file: OnBadFile = "fail"

    def lost(self, source: str, record: int, problem: str, raw: str = "") -> DeadLetter:
        """The dead letter that stands for everything of `source` from a record on.

        Raises:
            UnreadableInput: the policy is to fail.
        """
        detail = f"cannot be read from record {record:,} on: {' '.join(problem.split())}"
        if self.on_bad_file == "fail":
            raise UnreadableInput(f"{source}: {detail}; --on-bad-file skip reads the rest")
        return DeadLetter("malformed", detail, source, record, raw)

    def lose(self, source: str, record: int, problem: str) -> NoReturn:
        """Gives a whole batch up.

        Raises:
            UnreadableInput: the policy is to fail.
            LostBatch: it is to skip.
        """
        raise LostBatch(self.lost(source, record, problem))


FAIL: Final = BadFilePolicy("fail")
