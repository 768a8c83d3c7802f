"""Reasons of suspicion, and who is a resolver."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.transforms.rules.records import CATALOGUE
from uncommon_im.transforms.rules.recognition.suspicion import Process, Suspicions, signer_names

SUSPICIONS = Suspicions(CATALOGUE)
SIGNED = {"signature_status": "signed", "signer": "Acme Corp"}


def reasons(os: str | None, name: str, service: str | None = "telegram", **more: Any) -> tuple[str, ...]:
    return SUSPICIONS.reasons(Process(os, name, **more), service)


@pytest.mark.parametrize("os", ["windows", "macos"])
@pytest.mark.parametrize("status", ["unsigned", "invalid"])
def test_an_unsigned_program_is_suspicious_where_programs_are_signed(os: str, status: str) -> None:
    assert reasons(os, "app", signature_status=status) == ("unsigned",)


@pytest.mark.parametrize(
    ("os", "status"),
    [("linux", "unsigned"), ("other", "unsigned"), (None, "invalid"), ("windows", "unknown"), ("macos", None)],
)
def test_elsewhere_or_if_nobody_knows_a_missing_signature_is_not(os: str | None, status: str | None) -> None:
    assert reasons(os, "app", signature_status=status) == ()


@pytest.mark.parametrize(
    ("os", "name", "reason"),
    [
        ("windows", "CertUtil.exe", "lolbin-network"),
        ("windows", "rundll32.exe", "lolbin-network"),
        ("linux", "kubectl", "gtfobin-network"),
        ("macos", "tar", "gtfobin-network"),
        ("windows", "CURL.exe", "transfer-tool"),
        ("linux", "wget", "transfer-tool"),
        ("windows", "winword.exe", "office"),
        ("macos", "Microsoft Word", "office"),
        ("windows", "acrord32.exe", "pdf-reader"),
        ("windows", "cmd.exe", "shell"),
        ("linux", "busybox", "shell"),
        ("macos", "fish", "shell"),
        (None, "certutil.exe", "lolbin-network"),
        (None, "wget", "transfer-tool"),
    ],
)
def test_a_name_in_a_suspicious_class_is_a_reason(os: str | None, name: str, reason: str) -> None:
    assert reasons(os, name) == (reason,)


@pytest.mark.parametrize(
    ("os", "name"),
    [
        ("linux", "certutil.exe"),
        ("windows", "wget"),
        ("other", "wget"),
        ("windows", "python.exe"),
        ("windows", "powershell.exe"),
        ("linux", "node"),
        ("windows", "outlook.exe"),
        ("windows", "chrome.exe"),
        ("windows", "MsMpEng.exe"),
        ("windows", "grafana-server.exe"),
        ("windows", "xcurl.exe"),
    ],
)
def test_other_systems_engines_and_other_roles_are_no_reason(os: str, name: str) -> None:
    assert reasons(os, name) == ()


@pytest.mark.parametrize("name", ["Update.exe", "Squirrel.exe"])
@pytest.mark.parametrize(
    ("service", "more", "expected"),
    [
        ("discord", {"signature_status": "signed", "signer": "Discord Inc."}, ()),
        ("discord", {"signature_status": "signed", "signer": "CN=Discord Inc., O=Discord Inc."}, ()),
        ("slack", {"signature_status": "signed", "signer": "Slack Technologies, LLC"}, ()),
        ("telegram", {"signature_status": "signed", "signer": "Discord Inc."}, ("lolbin-network",)),
        ("discord", {"signature_status": "unknown", "signer": "Discord Inc."}, ("lolbin-network",)),
        ("discord", {"signature_status": "signed"}, ("lolbin-network",)),
        ("discord", SIGNED, ("lolbin-network",)),
        ("discord", {}, ("lolbin-network",)),
        ("line", SIGNED, ("lolbin-network",)),
    ],
)
def test_an_updater_is_expected_only_of_its_own_service(
    name: str, service: str, more: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert reasons("windows", name, service, **more) == expected


def test_a_publisher_excuses_its_updater_and_nothing_else() -> None:
    assert reasons("windows", "certutil.exe", "discord", signature_status="signed", signer="Discord Inc.") == (
        "lolbin-network",
    )


@pytest.mark.parametrize(
    ("name", "service", "expected"),
    [
        ("excel.exe", "microsoft-teams", ()),
        ("excel.exe", "slack", ("office",)),
        ("excel.exe", None, ("office",)),
        ("acrord32.exe", "microsoft-teams", ("pdf-reader",)),
        ("curl.exe", "microsoft-teams", ("transfer-tool",)),
    ],
)
def test_office_may_talk_to_teams_only(name: str, service: str | None, expected: tuple[str, ...]) -> None:
    assert reasons("windows", name, service) == expected


@pytest.mark.parametrize(
    ("os", "path"),
    [
        ("windows", "C:\\Users\\al\\AppData\\Local\\Temp\\x\\app.exe"),
        ("windows", "d:/temp/app.exe"),
        ("windows", "C:\\PerfLogs\\app.exe"),
        ("windows", "C:\\$RECYCLE.BIN\\S-1\\app.exe"),
        ("windows", "C:\\Users\\al\\Music\\app.exe"),
        ("macos", "/private/tmp/app"),
        ("macos", "/Users/Shared/app"),
        ("linux", "/dev/shm/app"),
        ("linux", "/var/tmp/x/app"),
        (None, "/dev/shm/app"),
        (None, "C:\\PerfLogs\\app.exe"),
    ],
)
def test_a_program_in_a_suspicious_location_is_suspicious(os: str | None, path: str) -> None:
    assert reasons(os, "app", path=path) == ("untrusted_path",)


@pytest.mark.parametrize(
    ("os", "path"),
    [
        ("windows", "C:\\Program Files\\Temp\\app.exe"),
        ("windows", "C:\\Temperature\\app.exe"),
        ("windows", "/tmp/app"),
        ("linux", "/home/al/tmp/app"),
        ("linux", "/srv/tmp/app"),
        ("linux", "/private/tmp/app"),
        ("linux", "/tmpfiles/app"),
        ("other", "/tmp/app"),
        ("linux", None),
    ],
)
def test_a_program_elsewhere_is_not(os: str, path: str | None) -> None:
    assert reasons(os, "app", path=path) == ()


@pytest.mark.parametrize(
    ("os", "name", "signer"),
    [
        ("windows", "chrome.exe", "Acme Corp"),
        ("windows", "Discord.exe", "Google LLC"),
        ("macos", "Slack", "Developer ID Application: Acme (ABCDE12345)"),
        ("windows", "telegram.exe", "CN=Acme, O=Telegram FZ-LLC"),
        ("windows", "discord.exe", "Discord Inc. Updates"),
        ("windows", "slack.exe", "Microsoftish Corp"),
        (None, "telegram.exe", "Acme Corp"),
    ],
)
def test_a_known_name_with_anothers_signature_masquerades(os: str | None, name: str, signer: str) -> None:
    assert reasons(os, name, signature_status="signed", signer=signer) == ("masquerading",)


@pytest.mark.parametrize(
    ("os", "name", "status", "signer"),
    [
        ("windows", "chrome.exe", "signed", "Google LLC"),
        ("windows", "chrome.exe", "signed", "GOOGLE llc"),
        ("windows", "chrome.exe", "signed", "O=Google LLC, CN=Google LLC, C=US"),
        ("windows", "Slack.exe", "signed", 'CN="Slack Technologies, LLC", O=Slack'),
        ("macos", "Slack", "signed", "Developer ID Application: Slack Technologies, Inc. (BQR82RBBHL)"),
        ("macos", "Slack", "signed", "CN=Developer ID Application: Whoever (BQR82RBBHL), OU=x"),
        ("windows", "discord.exe", "signed", "Microsoft Corporation"),
        ("macos", "Discord", "signed", "Apple Mac OS Application Signing"),
        ("windows", "chrome.exe", "unknown", "Acme Corp"),
        ("windows", "chrome.exe", None, "Acme Corp"),
        ("windows", "chrome.exe", "signed", None),
        ("linux", "Telegram.exe", "signed", "Acme Corp"),
        ("windows", "LINE.exe", "signed", "Acme Corp"),
        ("windows", "thunderbird.exe", "signed", "Acme Corp"),
        ("windows", "app.exe", "signed", "Acme Corp"),
    ],
)
def test_its_own_publisher_the_platforms_or_an_unknown_one_does_not(
    os: str, name: str, status: str | None, signer: str | None
) -> None:
    assert reasons(os, name, signature_status=status, signer=signer) == ()


@pytest.mark.parametrize("name", ["svchost.exe", "lsass.exe", "Explorer.EXE"])
@pytest.mark.parametrize(
    ("os", "path", "expected"),
    [
        ("windows", "C:\\Windows\\System32\\x.exe", ()),
        ("windows", "D:\\windows\\x.exe", ()),
        ("windows", "\\\\?\\C:\\Windows\\x.exe", ()),
        ("windows", "\\Device\\HarddiskVolume3\\Windows\\System32\\x.exe", ()),
        ("windows", None, ()),
        ("linux", "/opt/x.exe", ()),
        ("windows", "C:\\ProgramData\\x.exe", ("masquerading",)),
        ("windows", "C:\\x\\Windows\\x.exe", ("masquerading",)),
        ("windows", "C:\\Windows2\\x.exe", ("masquerading",)),
        (None, "C:\\ProgramData\\x.exe", ("masquerading",)),
    ],
)
def test_a_system_process_outside_the_windows_folder_masquerades(
    name: str, os: str | None, path: str | None, expected: tuple[str, ...]
) -> None:
    assert reasons(os, name, path=path) == expected


@pytest.mark.parametrize("document", ["pdf", "docx", "xls", "pptx", "jpeg", "7z", "html", "mp4"])
@pytest.mark.parametrize("program", ["exe", "scr", "com", "js", "ps1", "msi"])
def test_a_document_extension_before_a_programs_is_suspicious(document: str, program: str) -> None:
    assert reasons("windows", f"Report.{document.upper()}.{program}") == ("double_extension",)


@pytest.mark.parametrize(
    "name", ["report.pdf", "report.exe", "report.exe.pdf", "report.pdf.x.exe", "reportpdf.exe", "a.py.exe", "pdf.exe"]
)
def test_other_dots_in_a_name_are_not(name: str) -> None:
    assert reasons("windows", name) == ()


@pytest.mark.parametrize(
    ("os", "parent", "expected"),
    [
        ("windows", "WINWORD.EXE", ("office_child",)),
        ("windows", "C:\\Office\\excel.exe", ("office_child",)),
        ("windows", "outlook.exe", ("office_child",)),
        ("windows", "acrobat.exe", ("office_child",)),
        ("linux", "thunderbird", ("office_child",)),
        (None, "Microsoft Word", ("office_child",)),
        ("linux", "winword.exe", ()),
        ("windows", "explorer.exe", ()),
        ("windows", "word.exe", ()),
        ("windows", None, ()),
    ],
)
def test_a_child_of_a_document_program_is_suspicious(
    os: str | None, parent: str | None, expected: tuple[str, ...]
) -> None:
    assert reasons(os, "app", parent_name=parent) == expected


def test_all_reasons_that_hold_are_kept_and_sorted() -> None:
    assert reasons(
        "windows",
        "svchost.exe",
        path="C:\\Temp\\svchost.exe",
        signature_status="invalid",
        parent_name="excel.exe",
    ) == ("masquerading", "office_child", "unsigned", "untrusted_path")


@pytest.mark.parametrize(
    ("signer", "names"),
    [
        ("Discord Inc.", {"discord inc."}),
        (" Discord Inc. ", {"discord inc."}),
        ("CN=Discord Inc., O=Discord, C=US", {"discord inc."}),
        ("C=US, O=Discord, CN=Discord Inc.", {"discord inc."}),
        ("cn=Slack Technologies, LLC, O=Slack", {"slack technologies, llc"}),
        ('CN="Slack Technologies, LLC", O=Slack', {"slack technologies, llc"}),
        ("Developer ID Application: X (AB12)", {"x (ab12)", "x", "ab12"}),
        ("CN=Developer ID Application: X, Inc. (AB12), OU=AB12", {"x, inc. (ab12)", "x, inc.", "ab12"}),
        ("Kakao (Corp) Ltd", {"kakao (corp) ltd"}),
        ("ACN=x", {"acn=x"}),
    ],
)
def test_a_signer_is_known_by_its_common_name_and_team_id(signer: str, names: set[str]) -> None:
    assert signer_names(signer) == names


@pytest.mark.parametrize(
    ("os", "name"),
    [
        ("windows", "SVCHOST.exe"),
        ("macos", "mDNSResponder"),
        *(("linux", name) for name in ("systemd-resolved", "dnsmasq", "unbound", "nscd", "NetworkManager")),
        (None, "svchost.exe"),
    ],
)
def test_resolvers_are_known_by_name(os: str | None, name: str) -> None:
    assert SUSPICIONS.is_resolver(Process(os, name))


@pytest.mark.parametrize(("os", "name"), [("linux", "svchost.exe"), ("windows", "chrome.exe"), ("other", "unbound")])
def test_others_are_no_resolvers(os: str, name: str) -> None:
    assert not SUSPICIONS.is_resolver(Process(os, name))


@pytest.mark.parametrize(
    ("os", "name", "signature", "clients"),
    [
        ("windows", "Telegram.exe", ("signed", "Telegram FZ-LLC"), {"telegram": "signature"}),
        ("windows", "Telegram.exe", (None, "Telegram FZ-LLC"), {"telegram": "name"}),
        ("windows", "telegram.exe", (None, None), {"telegram": "name"}),
        ("windows", "telegram.exe", ("unsigned", None), {}),
        ("windows", "Telegram.exe", ("signed", "Acme Corp"), {}),
        ("linux", "Telegram.exe", (None, None), {}),
        ("windows", "LINE.exe", ("signed", "Acme Corp"), {"line": "name"}),
        ("windows", "chrome.exe", ("signed", "Google LLC"), {}),
    ],
)
def test_a_services_own_client_is_known_by_name_unless_its_signature_speaks_against_it(
    os: str, name: str, signature: tuple[str | None, str | None], clients: dict[str, str]
) -> None:
    assert SUSPICIONS.clients(Process(os, name, None, *signature)) == clients


def test_a_name_without_known_publishers_never_masquerades() -> None:
    services = tuple(replace(service, publishers=frozenset()) for service in CATALOGUE.services)
    suspicions = Suspicions(replace(CATALOGUE, services=services))
    assert suspicions.reasons(Process("windows", "discord.exe", **SIGNED), None) == ()
