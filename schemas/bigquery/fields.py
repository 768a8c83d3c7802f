"""The columns of each table: the one definition of what alerts, verdicts, dead letters and summaries are made of.

`REQUIRED` are only columns by which rows are found: BigQuery lets nobody require a column later. Columns that a newer
version adds are `NULLABLE` or `REPEATED`, and come last.
"""

from __future__ import annotations

from typing import Final

from google.cloud.bigquery import SchemaField

from uncommon_im.schemas.detector import VARIATION_IDS, VERDICT_IDS


def _text(name: str, description: str, mode: str = "NULLABLE") -> SchemaField:
    return SchemaField(name, "STRING", mode, description=description)


def _number(name: str, description: str, mode: str = "NULLABLE") -> SchemaField:
    return SchemaField(name, "INTEGER", mode, description=description)


def _truth(name: str, description: str) -> SchemaField:
    return SchemaField(name, "BOOLEAN", description=description)


def _day(name: str, description: str) -> SchemaField:
    return SchemaField(name, "DATE", description=description)


def _time(name: str, description: str) -> SchemaField:
    return SchemaField(name, "TIMESTAMP", "REQUIRED", description=description)


def _record(name: str, description: str, *fields: SchemaField, mode: str = "NULLABLE") -> SchemaField:
    return SchemaField(name, "RECORD", mode, description=description, fields=fields)


def _prevalence(name: str, description: str) -> SchemaField:
    return _record(name, f"{description}; null: the event did not name it", *_FIGURES)


_DIGEST: Final = _text("content_digest", "Digest of what the row says, but for run_id: a rerun compares it", "REQUIRED")
_COPY: Final = _number("copy", "1, 2, ... among the rows of a run that say the same; null: a stream wrote it")
_RUN_ID: Final = _text("run_id", "The run or stream that wrote the row as it is")
_FIGURES: Final = (
    _number("other_hosts", "Other hosts that showed it in the window, exact up to the limit, which plus 1 means more"),
    _number("host_days", "Days of the window on which this host showed it"),
    _number("active_days", "Days of the window on which any host showed it"),
    _day("first_day", "The first of these days"),
    _day("last_day", "The last of these days"),
)

ALERTS: Final = (
    _text("alert_id", "Id of the alert: the same whoever finds it", "REQUIRED"),
    _text("group_id", "What the alerts of a roll-out or an outbreak share on a day"),
    _text("detector_id", "The detector"),
    _text("detector_version", "Its version"),
    _text("tenant_id", "The tenant", "REQUIRED"),
    _text("title", "What was found, in a few words"),
    _text("description", "What was found, with its figures, in a few sentences"),
    _text("severity", "Informational or Low"),
    _text("variation", f"What decided: one of {', '.join(VARIATION_IDS)}"),
    _text("matched_variations", "All variations that hold, the deciding one first", "REPEATED"),
    _time("timestamp", "When the first event of the activity happened"),
    _record(
        "host",
        "The host",
        _text("id", "Stable id of its agent"),
        _text("name", "Its name"),
        _text("os", "windows, macos, linux or other"),
    ),
    _text("user_name", "The user"),
    _record(
        "process",
        "The process that communicated",
        _text("name", "Base name of its image"),
        _text("path", "Path of its image"),
        _text("command_line", "Its command line"),
        _text("sha256", "Digest of its image"),
        _number("pid", "Its number on the host"),
        _text("signature_status", "signed, unsigned, invalid or unknown"),
        _text("signer", "Who signed its image"),
        _text("origin", "The signer, or signature status and folded folder: part of what the program is"),
        _text("script", "What a scripting engine runs: part of what the program is; empty for others"),
    ),
    _record(
        "execution",
        "What a scripting engine runs; null: there is none",
        _text("engine", "The engine"),
        _text("fingerprint", "Engine and target"),
    ),
    _record("parent", "The parent process", _text("name", "Its name"), _text("command_line", "Its command line")),
    _record(
        "causality", "The owner of the causality group", _text("name", "Its name"), _text("command_line", "Its command")
    ),
    _record(
        "service",
        "The instant messaging service",
        _text("id", "Its id in the catalogue"),
        _text("name", "Its name"),
        _text("category", "Its category"),
    ),
    _record(
        "destination",
        "The server",
        _text("host", "Its name, as the process asked for it"),
        _text("ip", "Its address"),
        _number("port", "Its port"),
        _text("attribution", "domain or ip_range: how it was recognised"),
        _text("matched", "The domain or range that it matched"),
    ),
    _record(
        "baseline",
        "What is usual: prevalence of the program with this service in the window before the day",
        _day("window_start", "First day of the window"),
        _day("window_end", "Last day of the window"),
        _number("coverage_days", "Days of the window with telemetry of the tenant"),
        _number("guard_days", "Newest days that do not vouch for a suspicious process"),
        *_FIGURES,
        _day("as_of", "Of the snapshot that the run started from; null: none"),
    ),
    _text("suspicion_reasons", "Why the process is suspicious", "REPEATED"),
    _record(
        "investigation",
        "What an analyst asks next",
        _record(
            "application",
            "Is the application legitimate?",
            _text("signer", "Who signed it"),
            _truth("own_client", "Whether it is a client of the service, signed by its publisher"),
            _prevalence("program", "Prevalence of the program with this service"),
            _prevalence("binary", "Prevalence of its image, with any known service"),
            _text("signature_status", "signed, unsigned, invalid or unknown"),
            _text("client_of", "The service whose client it is; null: it is none's that the catalogue knows"),
            _text("client_known_by", "signature (of its publisher) or name (alone): what says so"),
            _text("reasons", "Why the process is suspicious, in words", "REPEATED"),
            _record("execution", "Prevalence of what a scripting engine runs; null: there is none", *_FIGURES),
        ),
        _record(
            "parent",
            "What is its parent process?",
            _text("name", "The parent"),
            _text("causality", "The owner of the causality group"),
            _prevalence("parentage", "Prevalence of this parent for this program, with any known service"),
            _text("chain", "Causality owner, parent, process, as far as known, each once", "REPEATED"),
        ),
        _record(
            "time",
            "Is the time unusual?",
            _number("hour_utc", "Hour of the day, UTC"),
            _text("weekday", "Day of the week, local"),
            _text("time_zone", "Whose hours are local: --time-zone"),
            _text("local_time", "When the first event happened, with the offset from UTC"),
            _number("hour", "Hour of the day, local"),
            _truth("weekend", "Whether it was a Saturday or Sunday, local"),
            _record(
                "service_at_this_hour",
                "On which days of the window anybody used the service in this local hour of the day",
                *_FIGURES[2:],
            ),
            _number("covered_days", "Days of the window with telemetry of the tenant"),
            _number("window_days", "Days of the window"),
        ),
        _record(
            "missing",
            "What is null, or says less than it could, and why",
            _text("what", "The field of the investigation"),
            _text("why", "Why"),
            mode="REPEATED",
        ),
    ),
    _record(
        "attack",
        "MITRE ATT&CK",
        _record("tactic", "The tactic", _text("id", "Its id"), _text("name", "Its name")),
        _record("technique", "The technique", _text("id", "Its id"), _text("name", "Its name")),
    ),
    _record(
        "activity",
        "What was communicated in the hour, as far as it was known when it was judged",
        _number("events", "Events"),
        _number("bytes_sent", "Bytes sent"),
        _number("bytes_received", "Bytes received"),
    ),
    _text("config_digest", "Digest of limits, catalogue and identity rules"),
    _RUN_ID,
    _truth("group_saturated", "The last alert of its group and variation on its day: more hosts may do the same"),
    _truth("late", "A late record made it (streams only)"),
    _text("event_id", "Id of the first event"),
    _text("service_id", "service.id once more: tables are clustered by columns of their own only", "REQUIRED"),
    _DIGEST,
    _record(
        "steps",
        "What to do next",
        _text("question", "What to ask"),
        _text("why", "Why"),
        _text("bigquery_sql", "The query in BigQuery's SQL, over native columns: set DATASET"),
        _text("xql", "The query in Cortex XDR's XQL"),
        mode="REPEATED",
    ),
)

VERDICTS: Final = (
    _time("hour_start", "Begin of the activity's hour"),
    _text("tenant", "The tenant", "REQUIRED"),
    _text("host", "Stable id of the host's agent"),
    _text("program", "Name of the process, in lower case"),
    _text("origin", "Signer, or signature status and folded folder"),
    _text("script", "What a scripting engine runs"),
    _text("service", "Id of the service", "REQUIRED"),
    _number("hour", "Hours since 1970"),
    _text("verdict", "What became of the activity"),
    _text("duplicate_of", "Of a duplicate: the alert that it repeats"),
    _text("alert_id", "Of a rare activity: the id that its alert has or would have"),
    _RUN_ID,
    _DIGEST,
    _COPY,
)

DEAD_LETTERS: Final = (
    _time("found_at", "When the run that found it was started, or the stream wrote it"),
    _text("reason", "Why the record cannot be used", "REQUIRED"),
    _text("detail", "What exactly is wrong, and where"),
    _text("source", "The file or message that it came from", "REQUIRED"),
    _number("record", "Its number in the source, from 1"),
    _text("raw", "The record itself: reading it again gives the event once the cause is mended"),
    _RUN_ID,
    _text("run_key", "Of a backfill: what a rerun shares with the run that it repeats; a stream has none"),
    _DIGEST,
    _COPY,
)


def _counts(name: str, description: str, *names: str) -> SchemaField:
    return _record(name, description, *(_number(each, each.replace("_", " ")) for each in names))


SUMMARIES: Final = (
    _text("run_key", "What a rerun shares with the run that it repeats: its days, inputs and tenant", "REQUIRED"),
    _day("first_day", "First day that was judged; null: no event was read"),
    _day("end_day", "First day that was not judged any more"),
    _text("inputs", "What was read", "REPEATED"),
    _record(
        "events",
        "Records: read = valid + out of range + dead letters",
        _number("read", "All records"),
        _number("valid", "Valid events"),
        _number("out_of_range", "Valid events after the last day"),
        _record(
            "dead_letter",
            "Records that cannot be used",
            _text("reason", "Why"),
            _number("records", "How many"),
            mode="REPEATED",
        ),
    ),
    _number("communications", "Events that go out to a known server"),
    _number("activities", "Hours of a program, a host and a service"),
    _counts("verdicts", "Activities by verdict", *VERDICT_IDS),
    _counts("alerts", "Alerts by variation", *VARIATION_IDS),
    _record(
        "unknown_values",
        "Values that nobody knows",
        _text("name", "The column"),
        _number("communications", "How many have one"),
        mode="REPEATED",
    ),
    _record(
        "coverage",
        "Days of the run with telemetry",
        _text("tenant_id", "The tenant"),
        _day("day", "The day"),
        _number("events", "Valid events"),
        mode="REPEATED",
    ),
    _text("detector_version", "Version of the detector"),
    _text("config_digest", "Digest of limits, catalogue and identity rules"),
    _RUN_ID,
    _DIGEST,
)
