"""Identity as the oracle reads it, against the examples of the detector's specification, sections 2 to 4."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.oracle import catalogue, identity
from tests.oracle.catalogue import Match
from tests.oracle.command_lines import engine_of, execution_of, fingerprint
from tests.oracle.events import DeadLetterError, Event, normalise
from tests.oracle.folding import fold_folder, fold_script

TIME = "2026-04-10T12:00:00Z"


def sha16(code: str) -> str:
    """The digest of inline code."""
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def event(**columns: Any) -> Event:
    """A valid event with these columns."""
    defaults = {"event_time": TIME, "host_id": "h", "process_name": "x", "remote_host": "t.me"}
    return normalise(defaults | columns, "default")


def reasons(service: str = "telegram", **columns: Any) -> list[str]:
    """Suspicion reasons of an event with these columns."""
    return list(identity.suspicion_reasons(event(**columns), service))


@pytest.mark.parametrize(
    ("line", "windows", "expected"),
    [
        (r"powershell.exe -ep Bypass -File C:\Users\al\x.ps1", True, "powershell|script:c:/users/*/x.ps1"),
        ("pwsh -nop -w hidden -enc SQBFAFgA", True, "pwsh|inline:" + sha16("sqbfafga")),
        ("python3 -X dev -m http.server", False, "python|module:http.server"),
        ("node --require ./a.js /srv/app/b.js", False, "node|script:/srv/app/b.js"),
        ("php -f /var/www/c.php", False, "php|script:/var/www/c.php"),
        (r"wscript //B //Nologo C:\t\d.vbs", True, "wscript|script:c:/t/d.vbs"),
        ("mshta javascript:alert(1)", True, "mshta|inline:" + sha16("javascript:alert(1)")),
        ("java -cp a.jar -jar /opt/x-1.2/e.jar", False, "java|script:/opt/x-*/e.jar"),
        (r"python C:\Users\al\bot.py", True, "python|script:c:/users/*/bot.py"),
        ("python -Bc 'print( 1)' A  b", False, "python|inline:" + sha16("print( 1) a b")),
        ("python -cCODE", False, "python|inline:" + sha16("code")),
        ("python -Wignore -X dev -", False, "python|stdin"),
        ("python3.11 --check-hash-based-pycs=always -u", False, "python|interactive"),
        ("python", False, "python|interactive"),
        ('python "my bot.py"', True, "python|script:my bot.py"),
        ("python 'my bot.py'", True, "python|script:'my"),
        ("node -pe CODE", False, "node|inline:" + sha16("code")),
        ("node --eval=CODE x", False, "node|inline:" + sha16("code x")),
        ("deno run --allow-net main.ts", False, "deno|script:main.ts"),
        ("deno eval CODE", False, "deno|inline:" + sha16("code")),
        ("perl -Mstrict -lne CODE", False, "perl|inline:" + sha16("code")),
        ("php -d a=b -r CODE", False, "php|inline:" + sha16("code")),
        ("java --class-path=a.jar -Dx=y com.example.Main", False, "java|script:com.example.main"),
        ("powershell iwr https://t.me", True, "powershell|inline:" + sha16("iwr https://t.me")),
        ("powershell /c Get-Date", True, "powershell|inline:" + sha16("get-date")),
        ("powershell -e AA", True, "powershell|inline:" + sha16("aa")),
        ("powershell -ex Bypass -noexit x.ps1", True, "powershell|script:x.ps1"),
        ("powershell -wd C:\\ -f -", True, "powershell|stdin"),
        ("pwsh /srv/x.ps1", False, "pwsh|script:/srv/x.ps1"),
        ("tclsh -x a.tcl", False, "tclsh|script:a.tcl"),
        (None, False, "ruby|unknown"),
    ],
)
def test_fingerprints(line: str | None, windows: bool, expected: str) -> None:
    engine = engine_of((line or "ruby").split()[0])
    assert engine is not None
    assert fingerprint(engine, line, None, windows) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r"C:\Program Files\py\python.exe a.py", "python|script:a.py"),
        (r'"c:\program files\PY\python.exe" a.py', "python|script:a.py"),
        (r"C:\Program Files\py\python.exe", "python|interactive"),
        (r"C:\Program Files\py\python.exe2 a.py", "python|script:files/py/python.exe2"),
    ],
)
def test_own_path_is_no_argument(line: str, expected: str) -> None:
    path = r"C:\Program Files\py\python.exe"
    found = event(process_name="python.exe", process_path=path, process_command_line=line, os="windows")
    assert execution_of(found) == expected


def test_engines() -> None:
    assert engine_of("Python3.11") == "python"
    assert engine_of("C:\\x\\PowerShell.exe") == "powershell"
    assert engine_of("AutoIt3.exe") == "autoit"
    assert [engine_of(name) for name in ("bash", "cmd.exe", "busybox", "chrome.exe", None)] == [None] * 5
    owner = event(causality_process_name="pwsh", causality_process_command_line="pwsh a.ps1")
    assert execution_of(owner) == "pwsh|script:a.ps1"


@pytest.mark.parametrize(
    ("columns", "origin"),
    [
        ({"process_signature_status": "signed", "process_signer": "Google LLC"}, "google llc"),
        (
            {
                "process_signature_status": "invalid",
                "process_path": r"C:\Users\al\AppData\Local\Temp\7zS1\x.exe",
                "os": "windows",
            },
            "unsigned:c:/users/*/appdata/local/temp/*",
        ),
        ({"process_path": "/usr/bin/x", "process_signer": "Google LLC"}, "unknown:/usr/bin"),
        (
            {
                "process_signature_status": "signed",
                "process_path": r"C:\Users\al\AppData\Local\Discord\app-1.0.9012\x",
            },
            "unknown:c:/users/*/appdata/local/discord/app-*",
        ),
        ({}, "unknown:"),
        ({"process_path": "x"}, "unknown:"),
        ({"process_path": "/x"}, "unknown:"),
    ],
)
def test_origins(columns: dict[str, Any], origin: str) -> None:
    assert identity.origin_of(event(**columns)) == origin


def test_folding() -> None:
    assert fold_folder("/tmp/a/b/x", "linux") == "/tmp/*"
    assert fold_folder("/tmp/a/b/x", "other") == "/tmp/a/b"
    assert fold_folder("C:\\Users\\Public\\Music\\x", "windows") == "c:/users/public/*"
    assert fold_folder("/home/al/bin/x", "linux") == "/home/*/bin"
    assert fold_folder("/Users/Shared/x", "windows") == "/users/shared"
    guid = "8e1f7f0e-0f5d-4f4e-9d0c-0123456789ab"
    assert fold_folder(f"d:/a/{{{guid}}}/deadbeef0/v1.2.3-4/x", "windows") == "d:/a/{*}/*/v*-*"
    assert fold_script("/srv/run-20260401.7/job2.ps1") == "/srv/run-*.*/job*.ps1"


def test_program_script() -> None:
    owner = {"causality_process_name": "powershell.exe", "causality_process_command_line": "powershell a.ps1"}
    curl = event(process_name="CURL.exe", os="windows", **owner)
    assert identity.program_of(curl) == ("curl.exe", "unknown:", "powershell|script:a.ps1")
    assert identity.program_of(event(process_name="quiet.exe", os="windows", **owner)).script == ""
    assert identity.program_of(event(process_name="curl.exe", os="linux", **owner)).script == ""


def test_reduced_scripts() -> None:
    assert identity.reduced_script("python|inline:0123", "linux") == "python|inline"
    assert identity.reduced_script("python|stdin", "linux") == "python|stdin"
    assert identity.reduced_script("python|module:a.b", "linux") == "python|module:a.b"
    assert identity.reduced_script("python|script:/tmp/*/y.py", "linux") == "python|script:/tmp/*"
    assert identity.reduced_script("python|script:/srv/y.py", "linux") == "python|script:/srv/y.py"
    tasks = identity.reduced_script("pwsh|script:c:/windows/system*/tasks/a.ps1", "windows")
    assert tasks == "pwsh|script:c:/windows/system*/tasks/*"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"os": "windows", "process_signature_status": "invalid"}, ["unsigned"]),
        ({"os": "linux", "process_signature_status": "unsigned"}, []),
        ({"process_name": "WinWord.exe", "os": "windows"}, ["office"]),
        ({"process_name": "bash", "os": "linux"}, ["shell"]),
        ({"process_name": "python3", "os": "linux"}, []),
        ({"process_name": "curl", "os": "windows"}, []),
        ({"process_name": "curl"}, ["transfer-tool"]),
        ({"process_path": r"D:\Temp\x", "os": "windows"}, ["untrusted_path"]),
        ({"process_path": "/opt/tmp/x", "os": "linux"}, []),
        ({"process_name": "report.pdf.exe"}, ["double_extension"]),
        ({"parent_process_name": r"C:\o\OUTLOOK.EXE", "os": "windows"}, ["office_child"]),
        ({"process_name": "svchost.exe", "process_path": r"C:\Windows\System32\svchost.exe"}, []),
        ({"process_name": "svchost.exe", "process_path": r"C:\Win\svchost.exe"}, ["masquerading"]),
        ({"process_name": "svchost.exe"}, []),
    ],
)
def test_suspicion(columns: dict[str, Any], expected: list[str]) -> None:
    assert reasons(**columns) == expected


def test_masquerading_and_exemptions() -> None:
    def by(name: str, signer: str, os: str = "windows", service: str = "telegram") -> list[str]:
        return reasons(service, process_name=name, process_signer=signer, os=os, process_signature_status="signed")

    assert by("Telegram.exe", "Evil") == ["masquerading"]
    assert by("Telegram.exe", "CN=Telegram FZ-LLC, O=x, C=AE") == []
    assert by("Telegram", "Developer ID Application: Whoever (6N38VWS5BX)", "macos") == []
    assert by("chrome.exe", "Microsoft Windows") == []
    assert by("chrome.exe", "Microsofty") == ["masquerading"]
    assert by("Wire.exe", "Anyone") == []
    assert by("Update.exe", "Discord Inc.", service="discord") == []
    assert by("Update.exe", "Discord Inc.", service="telegram") == ["lolbin-network"]
    assert by("winword.exe", "Microsoft Corporation", service="microsoft-teams") == []


@pytest.mark.parametrize(
    ("host", "ip", "expected"),
    [
        ("t.me", None, Match("telegram", "domain", "t.me")),
        ("a.cdn.discordapp.com", None, Match("discord", "domain", "cdn.discordapp.com")),
        ("notdiscord.com", None, None),
        ("a.api.sgroup.qq.com", None, None),
        ("qyapi.weixin.qq.com", None, Match("wecom", "domain", "qyapi.weixin.qq.com")),
        ("a.webhook.office.com", None, Match("microsoft-teams", "domain", "webhook.office.com")),
        ("config.skype.com", None, None),
        ("a.config.edge.skype.com", None, Match("skype", "domain", "skype.com")),
        ("config.edge.skype.com", "149.154.167.1", Match("telegram", "ip_range", "149.154.160.0/20")),
        (None, "::ffff:149.154.175.255", Match("telegram", "ip_range", "149.154.160.0/20")),
        (None, "149.154.176.0", None),
        (None, "52.112.0.1", None),
        (None, "2001:67c:4e8::1", Match("telegram", "ip_range", "2001:67c:4e8::/48")),
    ],
)
def test_destinations(host: str | None, ip: str | None, expected: Match | None) -> None:
    assert catalogue.match_destination(host, ip, operator_ranges=False) == expected


def test_operator_ranges() -> None:
    found = catalogue.match_destination(None, "52.112.0.1", operator_ranges=True)
    assert found == Match("microsoft-teams", "ip_range", "52.112.0.0/14")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_type": "file", "host_id": ""}, "malformed"),
        ({"event_time": None, "host_id": None}, "missing_field:event_time"),
        ({"host_id": "-", "event_time": "x"}, "missing_field:host_id"),
        ({"process_name": " ", "process_path": "N/A"}, "missing_field:process_name"),
        ({"remote_host": "null", "event_time": "x"}, "missing_field:remote_host"),
        ({"event_time": "2026-04-10"}, "bad_timestamp"),
        ({"event_time": "1999-12-31T23:59:59Z"}, "bad_timestamp"),
    ],
)
def test_dead_letters(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(DeadLetterError, match=f"^{reason}$"):
        event(**change)


def test_normalised_columns_and_id() -> None:
    given = {"process_name": r"C:\a\NULL", "remote_host": "HTTPS://Bücher.Discord.com.:443/x", "os": "BeOS"}
    columns = event(**given, process_signature_status="odd", user_name=" N/a ").columns
    digested = {
        "event_time": 1775822400000000,
        "host_id": "h",
        "os": "other",
        "process_name": "NULL",
        "process_signature_status": "unknown",
        "remote_host": "xn--bcher-kva.discord.com",
    }
    document = json.dumps(digested, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected_id = hashlib.sha256(document.encode()).hexdigest()
    defaults = {"event_type": "network", "tenant_id": "default", "event_id": expected_id}
    assert columns == digested | defaults
    moved = event(remote_host="91.108.4.1:443").columns
    assert (moved.get("remote_host"), moved["remote_ip"]) == (None, "91.108.4.1")
    kept = event(remote_host="91.108.4.1", remote_ip="10.0.0.1").columns
    assert (kept.get("remote_host"), kept["remote_ip"]) == (None, "10.0.0.1")
