"""Ordinary macOS and Linux software. Signers of clients and browsers are those of the catalogue."""

from __future__ import annotations

from uncommon_im.pipeline.lab.simulation.organisation.programs import (
    APPLE,
    CRON,
    INIT,
    LAUNCHD,
    SYSTEMD,
    Program,
    developer_id,
)

MAC_PROGRAMS: dict[str, Program] = {
    "chrome": Program(
        "/Applications/Google Chrome.app/Contents/Frameworks/Google Chrome Framework.framework/Helpers/"
        "Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper",
        developer_id("Google LLC", "EQHXZ8M8AV"),
        ("Google Chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
        "--type=utility",
        versions=("143.0.7499.110", "144.0.7559.60"),
    ),
    "edge": Program(
        "/System/Library/Frameworks/WebKit.framework/Versions/A/XPCServices/com.apple.WebKit.Networking"
        ".xpc/Contents/MacOS/com.apple.WebKit.Networking",
        APPLE,
        LAUNCHD,
    ),
    "teams": Program(
        "/Applications/Microsoft Teams.app/Contents/MacOS/MSTeams",
        developer_id("Microsoft Corporation", "UBF8T346G9"),
        LAUNCHD,
        versions=("25332", "26005"),
    ),
    "slack": Program(
        "/Applications/Slack.app/Contents/MacOS/Slack",
        developer_id("Slack Technologies, Inc.", "BQR82RBBHL"),
        LAUNCHD,
        versions=("4.47.69", "4.47.72"),
    ),
    "discord": Program(
        "/Applications/Discord.app/Contents/MacOS/Discord", developer_id("Discord, Inc.", "53Q6R32WPB"), LAUNCHD
    ),
    "whatsapp": Program(
        "/Applications/WhatsApp.app/Contents/MacOS/WhatsApp", developer_id("WhatsApp Inc.", "57T9237FN3"), LAUNCHD
    ),
    "zoom": Program(
        "/Applications/zoom.us.app/Contents/MacOS/zoom.us",
        developer_id("Zoom Video Communications, Inc.", "BJ4HAAB9B3"),
        LAUNCHD,
    ),
    "signal": Program(
        "/Applications/Signal.app/Contents/MacOS/Signal",
        developer_id("Quiet Riddle Ventures LLC", "U68MSDN6DR"),
        LAUNCHD,
    ),
    "outlook": Program("/System/Applications/Mail.app/Contents/MacOS/Mail", APPLE, LAUNCHD),
    "svchost": Program("/usr/libexec/trustd", APPLE, LAUNCHD, service=True),
    "resolver": Program("/usr/sbin/mDNSResponder", APPLE, LAUNCHD, service=True),
    "background": Program("/usr/libexec/nsurlsessiond", APPLE, LAUNCHD),
    "updater": Program(
        "/System/Library/CoreServices/Software Update.app/Contents/Resources/softwareupdated",
        APPLE,
        LAUNCHD,
        service=True,
    ),
    "code": Program(
        "/Applications/Visual Studio Code.app/Contents/Frameworks/Code Helper.app/Contents/MacOS/Code Helper",
        developer_id("Microsoft Corporation", "UBF8T346G9"),
        LAUNCHD,
    ),
    "git": Program("/usr/bin/git", APPLE, ("zsh", "-zsh"), "fetch"),
    "python": Program("/opt/homebrew/bin/python3", None, ("zsh", "-zsh"), "-m pytest", status="unsigned"),
    "agent": Program(
        "/Library/CorpEndpointAgent/agentd",
        developer_id("Corp Endpoint Security Ltd", "C0RPEPS123"),
        LAUNCHD,
        service=True,
    ),
    "inventory": Program(
        "/bin/bash", APPLE, ("jamf", "/usr/local/jamf/bin/jamf policy"), "/Library/Corp/inventory.sh", service=True
    ),
}

LINUX_PROGRAMS: dict[str, Program] = {
    "chrome": Program("/opt/google/chrome/chrome", None, SYSTEMD, status="unknown"),
    "edge": Program("/usr/lib/firefox/firefox", None, SYSTEMD, status="unknown"),
    "slack": Program("/usr/lib/slack/slack", None, SYSTEMD, status="unknown"),
    "discord": Program("/usr/share/discord/Discord", None, SYSTEMD, status="unknown"),
    "signal": Program("/opt/Signal/signal-desktop", None, SYSTEMD, status="unknown"),
    "svchost": Program("/usr/sbin/sshd", None, INIT, "-D", status="unknown", service=True),
    "resolver": Program("/usr/lib/systemd/systemd-resolved", None, INIT, status="unknown", service=True),
    "background": Program("/usr/lib/snapd/snapd", None, INIT, status="unknown", service=True),
    "updater": Program(
        "/usr/lib/apt/methods/https", None, ("apt-get", "apt-get update"), status="unknown", service=True
    ),
    "git": Program("/usr/bin/git", None, ("bash", "-bash"), "fetch", status="unknown"),
    "python": Program("/usr/bin/python3.11", None, ("bash", "-bash"), "-m pytest", status="unknown"),
    "inventory": Program(
        "/usr/bin/python3.11", None, CRON, "/usr/share/corp/inventory.py", status="unknown", service=True
    ),
    "agent": Program("/opt/corp/agentd", None, INIT, status="unknown", service=True),
    "ci-job": Program("/usr/bin/gitlab-runner", None, INIT, "run", status="unknown", service=True),
    "ci-notify": Program(
        "/usr/bin/python3.11",
        None,
        ("bash", "bash --login"),
        "/opt/ci/notify_slack.py --job build",
        status="unknown",
        service=True,
        causality=("gitlab-runner", "/usr/bin/gitlab-runner run"),
    ),
    "grafana": Program(
        "/usr/share/grafana/bin/grafana-server",
        None,
        INIT,
        "--config=/etc/grafana/grafana.ini",
        status="unknown",
        service=True,
    ),
    "backup-notify": Program(
        "/usr/bin/curl",
        None,
        ("sh", "sh /opt/backup/after.sh"),
        "-s -X POST -H Content-type:application/json -d @/run/backup.json "
        "https://hooks.slack.com/services/T000/B000/XXXX",
        status="unknown",
        service=True,
        causality=CRON,
    ),
}
