"""Files of every kind that hold the same two connections, and reading of any bytes as a file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any, Final

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzzing.checks import Outcome, read_files
from uncommon_im.transforms.rules.events import tally

ROWS: Final[list[dict[str, Any]]] = [
    {
        "Timestamp": f"2026-03-0{day}T10:00:00.1234567Z",
        "DeviceId": f"00000000000000000000000000000000000000{day:02}",
        "ActionType": "ConnectionSuccess",
        "RemoteIP": "149.154.167.220",
        "RemotePort": 443,
        "RemoteUrl": "api.telegram.org",
        "InitiatingProcessFileName": "updäter.exe",
        "InitiatingProcessFolderPath": "c:\\programdata\\upd\\updäter.exe",
    }
    for day in (3, 4)
]
"""Two connections as Defender's tables have them."""
LINES: Final = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
EVENT: Final = """<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>
<Provider Name='Microsoft-Windows-Sysmon'/><EventID>3</EventID><Channel>Microsoft-Windows-Sysmon/Operational</Channel>
<Computer>lt-0042.corp.example</Computer></System><EventData><Data Name='UtcTime'>2026-03-03 10:00:00.123</Data>
<Data Name='Image'>C:\\ProgramData\\upd\\{name}.exe</Data></EventData></Event>"""


def csv_of(delimiter: str, rows: Iterable[dict[str, Any]] = ROWS) -> str:
    """The rows with a header, each cell in quotes."""
    lines = [list(ROWS[0]), *[list(row.values()) for row in rows]]
    return "".join(delimiter.join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)


def parquet_of(columns: dict[str, Any] | None = None) -> bytes:
    """The rows, or other columns, as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns) if columns is not None else pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue()


def avro_of(rows: list[Any] | None = None, schema: Any = None, codec: str = "deflate") -> bytes:
    """The rows, or others, as an Avro file."""
    kinds = {name: "long" if isinstance(value, int) else "string" for name, value in ROWS[0].items()}
    fields = [{"name": name, "type": ["null", kind]} for name, kind in kinds.items()]
    sink = io.BytesIO()
    fastavro.writer(sink, schema or {"type": "record", "name": "row", "fields": fields}, rows or ROWS, codec=codec)
    return sink.getvalue()


def zip_of(members: dict[str, bytes], way: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of members."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", way) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def read(data: bytes | str, format: str = "auto", file_type: str = "auto") -> Outcome:
    """Bytes or text as a file whose name says nothing."""
    content = data.encode() if isinstance(data, str) else data
    return read_files([content], "", format, file_type=file_type)


def read_and_valid(outcome: Outcome) -> tuple[int, int]:
    """Records that were read, and valid events among them."""
    return outcome.counts[tally.READ], outcome.counts[tally.VALID]


def said(outcome: Outcome) -> list[tuple[int, str]]:
    """(number of the record, detail) of each dead letter."""
    return [(letter.record, letter.detail) for letter in outcome.letters]
