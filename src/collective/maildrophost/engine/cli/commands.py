"""The table of every command: where it lives, how it is typed, what it may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command.

    Its `module` is imported when the command is asked for, and imports the database or
    the daemon only when it runs. `examples` are shown at the end of its help. One that
    `acts_on_mail` may have done its work even when it fails to say so.
    """

    module: str
    examples: tuple[str, ...]
    acts_on_mail: bool = False


COMMANDS = {
    "init": Command("init", ("init /srv/mail/maildrop.conf",)),
    "check": Command("check", ("check", "check --json")),
    "run": Command("foreground", ("run", "run --once")),
    "start": Command("background", ("start",)),
    "stop": Command("background", ("stop",)),
    "restart": Command("background", ("restart",)),
    "reload": Command("background", ("reload",)),
    "fg": Command("foreground", ("fg",)),
    "logtail": Command("logtail", ("logtail --lines 100",)),
    "status": Command("status", ("status", "status --json")),
    "send": Command(
        "send", ("send -f cron@example.org root@example.org",), acts_on_mail=True
    ),
    "queue": Command("listing", ("queue --state failed", "queue --limit 1000 --json")),
    "show": Command("listing", ("show 17", "show 17 --raw")),
    "retry": Command(
        "actions", ("retry 17 18", "retry --all --state failed"), acts_on_mail=True
    ),
    "hold": Command("actions", ("hold 17", "hold --lane bulk"), acts_on_mail=True),
    "release": Command(
        "actions", ("release 17", "release --lane bulk"), acts_on_mail=True
    ),
    "delete": Command(
        "actions", ("delete 17", "delete --all --state failed"), acts_on_mail=True
    ),
    "stats": Command("stats", ("stats --json",)),
    "import": Command(
        "takeover", ("import /srv/plone/var/mailqueue",), acts_on_mail=True
    ),
    "backup": Command("backup", ("backup /srv/backup/queue-monday.db",)),
}
"""In the order of the help."""
