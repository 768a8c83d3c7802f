"""Of what a process most likely died that a run needs: one of its workers, or the engine itself."""

from __future__ import annotations

import re
import signal
from typing import Final

from uncommon_im.pipeline.errors import RunFailed

_WORKER: Final = "a worker of the engine"
_OF_SUBPROCESS: Final = re.compile(r"Worker subprocess exited with return code (-?\d+)")
"""What the thread of Beam's direct runner says that waits for one of its processes."""
_OF_PRISM: Final = ("SDK worker disconnected", "didn't get control connection")
"""What Prism says of a worker whose connection is gone, or never came."""
_OF_ENGINE: Final = "StatusCode.UNAVAILABLE"
"""What gRPC says when nobody is there any more."""
_MOST_STATUS: Final = 128
"""A shell adds the number of the signal that killed its command to this."""


class WorkerDied(RunFailed):
    """A process ended before its work was done."""


def short_of_memory(option: str) -> str:
    """The likely cause and its remedy; `option` says how many workers there are."""
    return f"most likely the machine is short of memory: give fewer {option} or more --shards"


def death_of(who: str, status: int, option: str) -> WorkerDied:
    """How a process died.

    Args:
        who: it was.
        status: its exit status; of a signal as Python says it (-9), or as a shell does (137).
        option: says how many workers there are.
    """
    number = status - _MOST_STATUS if status > _MOST_STATUS else -status
    if number == signal.SIGKILL:
        return WorkerDied(f"{who} was killed (signal 9): {short_of_memory(option)}")
    how = f"was ended by signal {number}" if number > 0 else f"ended with status {status}"
    return WorkerDied(f"{who} {how} before its work was done: run again, with {option} 1 if it happens again")


def death_told_by(error: BaseException) -> WorkerDied | None:
    """The death of a worker or of the engine itself, if an error of Beam's says that this is why it came."""
    text = str(error)
    if found := _OF_SUBPROCESS.search(text):
        return death_of(_WORKER, int(found[1]), "--direct_num_workers")
    if any(sign in text for sign in _OF_PRISM):
        return WorkerDied(f"{_WORKER} is gone: most likely it was killed, the machine being short of memory")
    if _OF_ENGINE in text and "RPC that terminated" in text:
        return WorkerDied("the engine is gone: most likely it was killed, the machine being short of memory")
    return None
