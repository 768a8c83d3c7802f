"""The process that reads a Windows event log and says its records on standard output: `event_log_reader.py FILE`.

Each line is a kind and a text: a record as JSON, or what is wrong with a part of the file. It imports nothing of the
project, so that it begins at once.
"""

from __future__ import annotations

import resource
import sys
from typing import Any, Final

RECORD: Final = b"+"
DAMAGE: Final = b"-"
NO_LOG: Final = b"!"
END: Final = b"."
MAX_MEMORY_BYTES: Final = 1 << 30
"""Memory that reading may take, whatever the file says; a chunk has 64 KiB."""
MAX_DAMAGES: Final = 1000
"""Damaged parts after which the rest of a file is given up."""


def main(path: str) -> None:
    """Reads the file and says what is in it."""
    from evtx import PyEvtxParser

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    try:
        records = PyEvtxParser(path, 1).records_json()
    except Exception as error:
        return _say(NO_LOG, str(error))
    for _ in range(MAX_DAMAGES):
        if _say_records(records):
            return _say(END, "")
    _say(DAMAGE, f"{MAX_DAMAGES:,} of its parts are damaged: the others are not read")
    return _say(END, "")


def _say_records(records: Any) -> bool:
    """Says records to the end, or to the next that cannot be read; true at the end."""
    try:
        for record in records:
            _say(RECORD, record["data"])
    except Exception as error:
        _say(DAMAGE, str(error))
        return False
    return True


def _say(kind: bytes, text: str) -> None:
    line = " ".join(text.splitlines()) if "\n" in text else text
    sys.stdout.buffer.write(kind + line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
