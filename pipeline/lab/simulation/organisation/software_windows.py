"""Ordinary Windows software. Signers of clients and browsers are those of the catalogue."""

from __future__ import annotations

from uncommon_im.pipeline.lab.simulation.organisation.programs import (
    EXPLORER,
    INTUNE,
    MICROSOFT,
    OFFICE,
    POWERSHELL,
    SERVICES,
    SVCHOST,
    TEAMS_PARENT,
    WINDOWS,
    Program,
)

WINDOWS_PROGRAMS: dict[str, Program] = {
    "chrome": Program(
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        "Google LLC",
        EXPLORER,
        versions=("143.0.7499.110", "144.0.7559.60"),
    ),
    "edge": Program(
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
        MICROSOFT,
        EXPLORER,
        "--profile-directory=Default",
        versions=("143.0.3650.96", "144.0.3719.82"),
    ),
    "firefox": Program(r"C:\Program Files\Mozilla Firefox\firefox.exe", "Mozilla Corporation", EXPLORER),
    "teams": Program(
        r"C:\Program Files\WindowsApps\MSTeams_{version}_x64__8wekyb3d8bbwe\ms-teams.exe",
        MICROSOFT,
        EXPLORER,
        versions=("25332.1210.4188.1171", "26005.204.4249.1621"),
    ),
    "webview": Program(
        r"C:\Program Files (x86)\Microsoft\EdgeWebView\Application\{version}\msedgewebview2.exe",
        MICROSOFT,
        TEAMS_PARENT,
        "--embedded-browser-webview=1",
        versions=("143.0.3650.96", "144.0.3719.82"),
    ),
    "slack": Program(
        r"C:\Users\{user}\AppData\Local\slack\app-{version}\slack.exe",
        "Slack Technologies, LLC",
        EXPLORER,
        versions=("4.47.69", "4.47.72"),
    ),
    "discord": Program(
        r"C:\Users\{user}\AppData\Local\Discord\app-{version}\Discord.exe",
        "Discord Inc.",
        EXPLORER,
        versions=("1.0.9218", "1.0.9220"),
    ),
    "discord-update": Program(
        r"C:\Users\{user}\AppData\Local\Discord\Update.exe", "Discord Inc.", EXPLORER, "--processStart Discord.exe"
    ),
    "whatsapp": Program(
        r"C:\Program Files\WindowsApps\5319275A.WhatsAppDesktop_{version}_x64__cv1g1gvanyjgm"
        r"\WhatsApp.exe",
        "24803D75-212C-471A-BC57-9EF86AB91435",
        EXPLORER,
        versions=("2.2587.9.0", "2.2602.3.0"),
    ),
    "whatsapp-root": Program(
        r"C:\Program Files\WindowsApps\5319275A.WhatsAppDesktop_{version}_x64__cv1g1gvanyjgm"
        r"\WhatsApp.Root.exe",
        "24803D75-212C-471A-BC57-9EF86AB91435",
        EXPLORER,
        versions=("2.2604.1.0",),
    ),
    "signal": Program(
        r"C:\Users\{user}\AppData\Local\Programs\signal-desktop\Signal.exe", "Signal Messenger, LLC", EXPLORER
    ),
    "zoom": Program(r"C:\Users\{user}\AppData\Roaming\Zoom\bin\Zoom.exe", "Zoom Communications, Inc.", EXPLORER),
    "outlook": Program(OFFICE + "OUTLOOK.EXE", MICROSOFT, EXPLORER),
    "word": Program(OFFICE + "WINWORD.EXE", MICROSOFT, EXPLORER, "/n"),
    "excel": Program(OFFICE + "EXCEL.EXE", MICROSOFT, EXPLORER),
    "onedrive": Program(r"C:\Program Files\Microsoft OneDrive\OneDrive.exe", MICROSOFT, EXPLORER, "/background"),
    "svchost": Program(r"C:\Windows\System32\svchost.exe", WINDOWS, SERVICES, "-k netsvcs -p", service=True),
    "resolver": Program(
        r"C:\Windows\System32\svchost.exe", WINDOWS, SERVICES, "-k NetworkService -p -s Dnscache", service=True
    ),
    "defender": Program(
        r"C:\ProgramData\Microsoft\Windows Defender\Platform\{version}\MsMpEng.exe",
        WINDOWS,
        SERVICES,
        service=True,
        versions=("4.18.25110.6", "4.18.25120.2"),
    ),
    "background": Program(
        r"C:\Windows\System32\backgroundTaskHost.exe",
        WINDOWS,
        ("svchost.exe", r"C:\Windows\System32\svchost.exe -k DcomLaunch -p"),
    ),
    "agent": Program(
        r"C:\Program Files\Corp Endpoint Agent\agentd.exe", "Corp Endpoint Security Ltd", SERVICES, service=True
    ),
    "conhost": Program(
        r"C:\Windows\System32\conhost.exe", WINDOWS, ("cmd.exe", r"C:\Windows\System32\cmd.exe"), "0xffffffff -ForceV1"
    ),
    "runtime": Program(
        r"C:\Windows\System32\RuntimeBroker.exe",
        WINDOWS,
        ("svchost.exe", r"C:\Windows\System32\svchost.exe -k DcomLaunch -p"),
        "-Embedding",
    ),
    "updater": Program(
        r"C:\Program Files (x86)\Google\GoogleUpdater\{version}\updater.exe",
        "Google LLC",
        SVCHOST,
        "--wake --system",
        service=True,
        versions=("145.0.7569.0", "146.0.7602.0"),
    ),
    "code": Program(r"C:\Users\{user}\AppData\Local\Programs\Microsoft VS Code\Code.exe", MICROSOFT, EXPLORER),
    "git": Program(r"C:\Program Files\Git\cmd\git.exe", "Johannes Schindelin", ("Code.exe", "Code.exe"), "fetch"),
    "python": Program(
        r"C:\Users\{user}\AppData\Local\Programs\Python\Python313\python.exe",
        "Python Software Foundation",
        ("Code.exe", "Code.exe"),
        "-m pytest",
    ),
    "inventory": Program(
        POWERSHELL,
        WINDOWS,
        INTUNE,
        r"-NoProfile -ExecutionPolicy Bypass -File C:\ProgramData\Corp\inventory.ps1",
        service=True,
    ),
    "baseline": Program(
        POWERSHELL,
        WINDOWS,
        INTUNE,
        r"-NoProfile -ExecutionPolicy Bypass -File C:\ProgramData\Corp\baseline.ps1",
        service=True,
    ),
    "notify": Program(
        POWERSHELL,
        WINDOWS,
        SVCHOST,
        r"-NoProfile -File C:\ProgramData\Corp\notify-teams.ps1 -Channel helpdesk",
        service=True,
    ),
}
