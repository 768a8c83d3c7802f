"""One native event as a flat event of Cortex XDR: a row's fields, without the host's."""

from __future__ import annotations

import random

from tests.dialects.spelling import (
    ACCEPTED,
    CONNECTIONS,
    FAILED,
    FORWARDED_CONNECTIONS,
    FORWARDED_STARTS,
    LOOKUPS,
    NO,
    PROTOCOLS,
    SIGNATURES,
    STARTS,
    UNTYPED,
    YES,
    Fields,
    Kind,
    Speller,
)
from tests.oracle.builder import Record
from tests.oracle.events import DeadLetterError, clean_columns

HOSTS = ("action_external_hostname", "dst_action_external_hostname", "dns_query_name")


def is_malformed(record: Record) -> bool:
    """Whether a native record has an event type that there is not."""
    try:
        clean_columns(record)
    except DeadLetterError:
        return True
    return False


class EventWriter:
    """Writes events; `dialects` says which one each time."""

    def __init__(self, rng: random.Random) -> None:
        self.spell = Speller(rng)
        self.rng = rng

    def write(self, record: Record) -> tuple[str, Fields]:
        """The dialect, and the fields of an event in it: one of those that can carry what the event says."""
        meaning = clean_columns(record)
        kind = meaning.get("event_type", "network")
        fields: Fields = {"event_id": record["event_id"]} if "event_id" in record else {}
        fields |= self.spell.time(record.get("event_time"))
        if kind == "process":
            return self._start(fields, record, meaning)
        dialect = self._dialect(meaning, kind)
        forwarded = dialect == "forwarded connection"
        if dialect == "actor":
            self._process(fields, record, meaning, "actor")
            self._other_actor(fields, record, meaning)
        else:
            self._process(fields, record, meaning, "os_actor", signer=not forwarded)
            if self.spell.chance(0.5):
                fields |= {f"actor_process_image_{name}": self.spell.nothing() for name in ("name", "path")}
                fields["actor_process_signature_vendor"] = "nobody"
        self._user(fields, record, "os_actor" if forwarded else "actor")
        if not forwarded:
            self._causality(fields, record)
        if kind == "dns":
            self._lookup(fields, record, meaning)
        else:
            self._connection(fields, record, meaning, forwarded)
        return dialect, fields

    def _dialect(self, meaning: Record, kind: str) -> str:
        """`actor` can carry all; the OS's actor has no parent; forwarded events know neither names nor signers."""
        ways = ["actor"]
        if "parent_process_name" not in meaning:
            ways.append("os_actor")
            lacking = ("remote_host", "process_signer", "causality_process_name")
            if kind == "network" and not any(name in meaning for name in lacking):
                ways += ["forwarded connection"] * 3
        return self.rng.choice(ways)

    def _process(self, fields: Fields, record: Record, meaning: Record, who: str, signer: bool = True) -> None:
        """The process that acts, or that is started."""
        spell = self.spell
        name, path = record.get("process_name"), record.get("process_path")
        spell.text(fields, name, f"{who}_process_image_name")
        spell.text(fields, path, f"{who}_process_image_path")
        lines = (f"{who}_process_command_line", f"{who}_process_image_command_line")
        spell.text(fields, record.get("process_command_line"), *(lines if who != "action" else lines[::-1]))
        digest = meaning.get("process_sha256")
        spell.text(fields, digest.upper() if digest and spell.chance(0.5) else digest, f"{who}_process_image_sha256")
        status = meaning.get("process_signature_status")
        if status is not None:
            fields[f"{who}_process_signature_status"] = spell.one_of(SIGNATURES[status])
        elif spell.chance(0.3):
            fields[f"{who}_process_signature_status"] = spell.nothing()
        if signer:
            spell.text(fields, record.get("process_signer"), f"{who}_process_signature_vendor")
        if "process_pid" in meaning:
            fields[f"{who}_process_os_pid"] = spell.number(meaning["process_pid"])
        elif spell.chance(0.2):
            fields[f"{who}_process_os_pid"] = spell.nothing()
        if "process_guid" in meaning:
            fields[f"{who}_process_instance_id"] = spell.held(meaning["process_guid"].upper())

    def _other_actor(self, fields: Fields, record: Record, meaning: Record) -> None:
        """The OS's actor: the parent if there is one; else absent, or the actor itself."""
        by_guid, by_pid = "process_guid" in meaning, "process_pid" in meaning
        if "parent_process_name" in meaning:
            self._parent(fields, record, "os_actor")
            if by_guid:
                fields["os_actor_process_instance_id"] = f"other{meaning['process_guid']}"
            if by_pid and (not by_guid or self.spell.chance(0.5)):
                fields["os_actor_process_os_pid"] = self.spell.number(meaning["process_pid"] + 4)
        elif "process_name" in meaning and (by_guid or by_pid) and self.spell.chance(0.6):
            # A program's name as the system writes it, and a command line that is nobody's parent's.
            same = "process_instance_id" if by_guid else "process_os_pid"
            fields[f"os_actor_{same}"] = fields[f"actor_{same}"]
            fields |= {"os_actor_process_image_name": "DECOY.EXE", "os_actor_process_command_line": "decoy"}

    def _parent(self, fields: Fields, record: Record, who: str) -> None:
        """The parent: another actor, or the actor of a start."""
        name = record["parent_process_name"]
        places = (f"{who}_process_image_path", f"{who}_process_image_name")
        self.spell.text(fields, name, *(places if "\\" not in name and "/" not in name else places[1:]))
        lines = (f"{who}_process_command_line", f"{who}_process_image_command_line")
        self.spell.text(fields, record.get("parent_process_command_line"), *lines)
        fields[f"{who}_process_signature_status"] = "ENUM.SIGNED"
        fields[f"{who}_process_signature_vendor"] = "Parents Ltd"

    def _causality(self, fields: Fields, record: Record) -> None:
        name = record.get("causality_process_name")
        places = ("causality_actor_process_image_path", "causality_actor_process_image_name")
        self.spell.text(fields, name, *(places if name and "\\" not in name else places[1:]))
        lines = ("causality_actor_process_command_line", "causality_actor_process_image_command_line")
        self.spell.text(fields, record.get("causality_process_command_line"), *lines)

    def _user(self, fields: Fields, record: Record, who: str) -> None:
        places = [f"{who}_effective_username", f"{who}_primary_username"]
        if who == "action":
            places = ["action_process_username"]
        if who != "os_actor":
            places += ["os_actor_effective_username", "os_actor_primary_username"]
        self.spell.text(fields, record.get("user_name"), *places)

    def _lookup(self, fields: Fields, record: Record, meaning: Record) -> None:
        """A lookup; the address is the resolver's."""
        spell = self.spell
        places = (HOSTS[2], *HOSTS[:2])
        if "remote_host" not in meaning or spell.chance(0.9):
            self._type(fields, LOOKUPS)
            spell.text(fields, record.get("remote_host"), *places)
            if spell.chance(0.6):
                fields |= {"action_remote_ip": "149.154.167.99", "action_remote_port": 53}
                fields |= {"action_network_protocol": "UDP", "action_upload": 40, "action_network_is_server": False}
        else:
            self._type(fields, UNTYPED)
            fields["dns_query_name"] = spell.held(record["remote_host"])
        if "dns_status" in meaning:
            fields["dns_reply_code"] = spell.number(meaning["dns_status"])

    def _connection(self, fields: Fields, record: Record, meaning: Record, forwarded: bool) -> None:
        spell = self.spell
        self._direction(fields, meaning, forwarded)
        self._destination(fields, record, meaning, forwarded)
        if "remote_port" in meaning:
            ports = ("action_remote_port", "action_external_port", "dst_action_external_port")
            place = 0 if forwarded else self.rng.randrange(3)
            fields |= {name: spell.nothing() for name in ports[:place]}
            fields[ports[place]] = spell.number(meaning["remote_port"])
        if "protocol" in meaning:
            known = meaning["protocol"].lower()
            fields["action_network_protocol"] = spell.one_of(PROTOCOLS.get(known, (known,)))
        for column, name in (("bytes_sent", "upload"), ("bytes_received", "download")):
            if column in meaning:
                if forwarded or spell.chance(0.3):
                    fields[f"action_total_{name}"] = spell.number(meaning[column])
                else:
                    fields |= {f"action_{name}": spell.number(meaning[column]), f"action_total_{name}": 10**12}

    def _direction(self, fields: Fields, meaning: Record, forwarded: bool) -> None:
        """What is inbound may as well not have come about: neither is a communication."""
        direction = meaning.get("direction", "").lower()
        usual = FORWARDED_CONNECTIONS if forwarded else CONNECTIONS
        if direction == "inbound":
            way = self.rng.randrange(4)
            self._type(fields, (usual, ACCEPTED, FAILED, usual)[way])
            if way == 0:
                fields["action_network_is_server"] = self.spell.one_of(YES)
            elif way == 3:
                fields["action_network_success"] = self.spell.one_of(NO)
            return
        has_destination = bool({"remote_host", "remote_ip"} & meaning.keys())
        self._type(fields, UNTYPED if has_destination and self.spell.chance(0.1) else usual)
        if direction == "outbound":
            fields["action_network_is_server"] = self.spell.one_of(NO)
        elif self.spell.chance(0.3):
            fields["action_network_is_server"] = self.spell.nothing()
        if self.spell.chance(0.2):
            fields["action_network_success"] = self.spell.one_of((*YES, None))

    def _destination(self, fields: Fields, record: Record, meaning: Record, forwarded: bool) -> None:
        spell = self.spell
        host, address = meaning.get("remote_host"), meaning.get("remote_ip")
        if host is not None:
            # What no lookup is, judged by its columns, has its name in one of the first two.
            places = HOSTS[:2] if fields.get("event_type") in [kind for kind, _ in UNTYPED] else HOSTS
            spell.text(fields, record["remote_host"], *places)
        elif not forwarded and address is not None and spell.chance(0.3):
            # The address stands where the name is, before the proxy's.
            spell.text(fields, address, *HOSTS[:2])
            if fields.get(HOSTS[1]) == "decoy":
                del fields[HOSTS[1]]
            fields["action_remote_ip"] = "10.0.0.1"
            return
        if address is not None:
            spell.text(fields, address, "action_remote_ip", "action_remote_ip_v6")
        elif spell.chance(0.3):
            fields["action_remote_ip"] = spell.nothing()

    def _start(self, fields: Fields, record: Record, meaning: Record) -> tuple[str, Fields]:
        """The new process is `action_process`, its parent the actor, or the OS's actor in forwarded events."""
        forwarded = "causality_process_name" not in meaning and self.spell.chance(0.4)
        who = "os_actor" if forwarded else "actor"
        self._type(fields, FORWARDED_STARTS if forwarded else STARTS)
        self._process(fields, record, meaning, "action")
        if "parent_process_name" in meaning:
            self._parent(fields, record, who)
        if not forwarded:
            self._causality(fields, record)
        self._user(fields, record, "os_actor" if forwarded else "action")
        return "forwarded start" if forwarded else "actor", fields

    def _type(self, fields: Fields, kinds: tuple[Kind, ...]) -> None:
        """Type and sub type in one of these spellings."""
        for name, value in zip(("event_type", "event_sub_type"), self.rng.choice(kinds), strict=True):
            if value is not None or self.spell.chance(0.5):
                fields[name] = value
