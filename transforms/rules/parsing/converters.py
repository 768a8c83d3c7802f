"""Converters that vendor mappings name: one raw value in, one out (`schemas.mapping`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address
from typing import Any, Final, TypeVar

from uncommon_im.transforms.rules.columns.coerce import Scalar, to_integer
from uncommon_im.transforms.rules.columns.text import MISSING, base_name, clean_remote_host, is_address
from uncommon_im.transforms.rules.parsing.defender import DEFENDER
from uncommon_im.transforms.rules.parsing.sensors import SENSORS, digest, file_signature_state

Converter = Callable[[Any], Scalar]
"""One raw value that is not null in, one out; `None` says that it is no value."""

Result = TypeVar("Result")

_LONGEST: Final = 1000
_INT64: Final = 1 << 63
_FLAGS: Final = re.ASCII | re.IGNORECASE
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:[.,]\d+)?) ?(?:(Z|UTC)|([+-]\d\d)(?::?(\d\d))?)?", _FLAGS
)
_USUAL_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
_DOTNET: Final = re.compile(r"/Date\((\d{1,15})\)/", _FLAGS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND: Final = 1 << 33
_HEX: Final = re.compile(r"0x[0-9a-f]{1,15}", _FLAGS)
_VOLUME: Final = re.compile(r"\\device\\harddiskvolume\d+\\", _FLAGS)
_DELETED: Final = " (deleted)"
_SHA256: Final = re.compile(r"(?<![a-z0-9])SHA256=([0-9a-f]{64})(?![0-9a-f])", _FLAGS)
_WIDENED: Final = re.compile(r"([0-9a-f]{1,4}):([0-9a-f]{1,4})(?::3[0-9]00){6}", _FLAGS)
_DNS_CODES: Final = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
"""RFC 1035, section 4.1.1."""
_WINDOWS_ERROR: Final = re.compile(r"(?:DNS_|ERROR_|WSA)[A-Z0-9_]+", _FLAGS)
_OTHER_ERROR: Final = 9504
"""DNS_ERROR_RCODE, an error that is not said ("System Error Codes"): stands for Windows' errors that are named."""
_PLAIN_NAME: Final = r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$"
"""Host names as nearly all are; no address looks like one."""
_UNKNOWN_IMAGE: Final = frozenset(("-", "<unknown process>", "&lt;unknown process&gt;"))


def memoise(convert: Callable[[Scalar], Result]) -> Callable[[Scalar], Result]:
    """A converter with a memory of bounded size: hosts, images, channels come again and again."""
    known = lru_cache(maxsize=8192, typed=True)(convert)

    def recall(value: Scalar) -> Result:
        return convert(value) if isinstance(value, str) and len(value) > _LONGEST else known(value)

    return recall


def _rfc3339(value: Scalar, default_zone: str = "") -> Scalar:
    """A text of date, time and perhaps zone as RFC 3339.

    `None` for other texts, for numbers, and where there is no zone and no default: nobody knows a local time's zone.
    """
    if not isinstance(value, str):
        return None
    if _USUAL_TIME.fullmatch(value):
        return value
    found = _TIME.fullmatch(value.strip())
    if found is None:
        return None
    day, time, utc, hours, minutes = found.groups()
    zone = "Z" if utc else f"{hours}:{minutes or '00'}" if hours else default_zone
    return f"{day}T{time.replace(',', '.')}{zone}" if zone else None


def whole_computer(value: Scalar) -> Scalar:
    """A computer's whole name as `host_id`: lower case, without the dot that may end it."""
    return str(value).strip().lower().rstrip(".")


@memoise
def _computer(value: Scalar) -> Scalar:
    """The first label of a computer's name, lower case; an address has no labels and is kept whole."""
    name = str(whole_computer(value))
    return name if is_address(name) else name.partition(".")[0] or name


@memoise
def _image(value: Scalar) -> str | None:
    """A process's image; `None` for `-` and `<unknown process>`, XML-escaped or not (Sysmon 3, 22)."""
    text = str(value).strip()
    return None if text.lower() in _UNKNOWN_IMAGE else text


@memoise
def _device_path(value: Scalar) -> Scalar:
    """A path of Security 5156 as programs write it. The event does not say a volume's letter: it is taken for C."""
    return _VOLUME.sub(r"C:\\", str(value).strip(), count=1)


@memoise
def _executable(value: Scalar) -> Scalar:
    """An image's path, on a drive, and without Linux' remark that its file was deleted since."""
    return str(_device_path(value)).removesuffix(_DELETED)


@memoise
def _executable_name(value: Scalar) -> Scalar:
    """The base name of such a path."""
    return base_name(_image(_executable(value)) or "") or None


def _sysmon_address(value: Scalar) -> Scalar:
    """An address; an IPv4 one that Sysmon 9.01 widened to IPv6 is narrowed again.

    It wrote four bytes and left UTF-16 digits behind them: `a00:203:3000:3000:3000:3000:3000:3300` is 10.0.2.3.
    """
    widened = _WIDENED.fullmatch(value.strip()) if isinstance(value, str) else None
    return str(IPv4Address(int(widened[1], 16) << 16 | int(widened[2], 16))) if widened else value


def _sha256(value: Scalar) -> Scalar:
    """The SHA256 of Sysmon's `Hashes` (`SHA1=...,SHA256=...`), lower case; `None` if it is not among them."""
    found = _SHA256.search(str(value))
    return found[1].lower() if found else None


def _epoch_or_zoned(value: Scalar) -> Scalar:
    """A time in epoch milliseconds as it is, other texts only with their zone."""
    if not isinstance(value, str):
        return value
    return _rfc3339(value) or (value if value.strip().isdecimal() else None)


def _system_time(value: Scalar) -> Scalar:
    """`SystemTime` of an event, which is UTC ("SystemPropertiesType"): in epoch seconds from some, in milliseconds from
    PowerShell; Splunk leaves the quotes around it. `None` for other texts."""
    if isinstance(value, str):
        value = value.strip().strip("'\"")
        milliseconds = _DOTNET.fullmatch(value)
        return int(milliseconds[1]) if milliseconds else _rfc3339(value, "Z")
    if value is None or not 0 < value < _LAST_SECOND:
        return None
    return (_EPOCH + timedelta(microseconds=round(value * 1_000_000))).isoformat()


@memoise
def _hex_integer(value: Scalar) -> Scalar:
    """A whole number, or digits in text, hexadecimal ones after `0x`; `None` for anything else."""
    text = str(value).strip()
    return int(text, 16) if _HEX.fullmatch(text) else _integer(value)


def _enum(value: Scalar) -> Scalar:
    """A name of an enumeration however it is spelt: `ENUM.Invalid Signature` is `invalid_signature`, 1.0 is `1`."""
    text = str(value).strip().lower().removeprefix("enum.").removesuffix(".0")
    return text if text in MISSING else text.replace(" ", "_").replace("-", "_")


def _integer(value: Scalar) -> Scalar:
    """A whole number, or digits in text; `None` for anything else, so that an odd value costs the column only."""
    if type(value) is int and -_INT64 <= value < _INT64:
        return value
    try:
        return to_integer(value)
    except ValueError:
        return None


def _dns_code(value: Scalar) -> Scalar:
    """A DNS response code as its number, however it is written; `None` for other texts."""
    return _DNS_CODES.get(str(value).strip().upper(), _integer(value))


def _windows_dns_status(value: Scalar) -> Scalar:
    """A status of Windows' DNS client: a number, `SUCCESS`, or any error's name; `None` for other texts."""
    text = str(value).strip().upper()
    if text == "SUCCESS":
        return 0
    return _OTHER_ERROR if _WINDOWS_ERROR.fullmatch(text) else _integer(value)


@memoise
def _address(value: Scalar) -> Scalar:
    """The address that a destination is; `None` for names."""
    return clean_remote_host(str(value))[1]


@memoise
def _name(value: Scalar) -> Scalar:
    """A destination unless it is an address."""
    return None if _address(value) else value


def _unresolved(value: Scalar) -> Scalar:
    """The status of a lookup whose event is called resolved or unresolved; `None` for other texts."""
    text = str(value).strip().lower()
    return (_OTHER_ERROR if text.endswith("unresolved") else 0) if text.endswith("resolved") else None


def _absent(value: Scalar) -> Scalar:
    """`absent` for false, else `None`: of what says whether something is there."""
    return "absent" if _if_false(value) else None


def _if_failure(value: Scalar) -> Scalar:
    """True for an outcome that is a failure, else `None`."""
    return True if str(value).strip().lower() == "failure" else None


@memoise
def _guid(value: Scalar) -> Scalar:
    """A sensor's name of a process's instance: lower case, without braces; `None` for `0` and for one of zeros only."""
    text = str(value).strip().lower().removeprefix("{").removesuffix("}")
    return text if text.strip("0-") else None


def _joined_args(value: object) -> Scalar:
    """A command line of a list of arguments, program first; those with white space are quoted. A text stays.

    The specification's tokens (section 4) know no escapes: an argument with both kinds of quotes is not told exactly.
    """
    if isinstance(value, list):
        arguments = [str(each) for each in value if isinstance(each, str | int | float)]
        return " ".join(map(_quoted, arguments)) or None
    return value if isinstance(value, str) else None


def _quoted(argument: str) -> str:
    if argument and not any(map(str.isspace, argument)):
        return argument
    return f"'{argument}'" if '"' in argument else f'"{argument}"'


def _process_id(value: Scalar) -> Scalar:
    """A process id; `None` for 0, which stands for an unknown one."""
    return _integer(value) or None


def _if_denied(value: object) -> Scalar:
    """True for `denied`, alone or in a list, else `None`."""
    texts = value if isinstance(value, list) else [value]
    return True if any(isinstance(text, str) and text.strip().lower() == "denied" for text in texts) else None


def _if_false(value: Scalar) -> Scalar:
    """True for false, else `None`."""
    return True if str(value).strip().lower() in ("false", "0", "0.0", "no") else None


CONVERTERS: Final[dict[str, Converter]] = {
    "utc_time": lambda value: _rfc3339(value, "Z") or value,  # Sysmon's `UtcTime` does not say that it is UTC
    "zoned_time": _rfc3339,
    "system_time": _system_time,
    "hex_integer": _hex_integer,
    "computer": _computer,
    "image": _image,
    "image_name": lambda value: base_name(_image(value) or "") or None if isinstance(value, str) else None,
    "device_path": _device_path,
    "sysmon_address": _sysmon_address,
    "sha256": _sha256,
    "lower": lambda value: str(value).strip().lower(),
    "whole_computer": whole_computer,
    "epoch_or_zoned": _epoch_or_zoned,
    "enum": _enum,
    "integer": _integer,
    "dns_code": _dns_code,
    "windows_dns_status": _windows_dns_status,
    "address": _address,
    "name": _name,
    "if_false": _if_false,
    "if_failure": _if_failure,
    "absent": _absent,
    "unresolved": _unresolved,
    "executable": _executable,
    "executable_name": _executable_name,
    "if_denied": _if_denied,
    "process_id": _process_id,
    **DEFENDER,
    "guid": _guid,
    "joined_args": _joined_args,
    "digest": digest,
    "file_signature_state": file_signature_state,
    "text_integer": lambda value: _hex_integer(value) if isinstance(value, str) else None,
    **SENSORS,
}

TAKE_LISTS: Final[frozenset[Converter | None]] = frozenset((_joined_args, _if_denied, digest, file_signature_state))
"""Converters that are given a list as it is; others get its first value."""

FORESEEN: Final[dict[Converter | None, tuple[str | None, bool]]] = {
    None: (None, True),
    _name: (_PLAIN_NAME, True),
    _address: (_PLAIN_NAME, False),
}
"""Converter -> pattern of texts that need no look (`None`: any text), and whether they stay or are no value."""
