"""The table of every option: its name, kind, default, meaning."""

from __future__ import annotations

from .option import Kind, Option

_YEAR_SECONDS = 31_536_000

OPTIONS: tuple[Option, ...] = (
    Option(
        "PYTHON",
        Kind.TEXT,
        "",
        "Accepted because old files have it: only old shell scripts used it.",
    ),
    Option(
        "MAILDROP_HOME",
        Kind.PATH,
        None,
        "The working directory.",
    ),
    Option(
        "MAILDROP_SPOOL",
        Kind.PATHS,
        "$MAILDROP_HOME/spool",
        "Drop directories: any program may put a mail file there.",
    ),
    Option(
        "MAILDROP_VAR",
        Kind.PATH,
        "$MAILDROP_HOME/var",
        "Directory of the log, pid and socket files.",
    ),
    Option(
        "MAILDROP_PID_FILE",
        Kind.PATH,
        "$MAILDROP_VAR/maildrop.pid",
        "Where the daemon writes its process id.",
    ),
    Option(
        "MAILDROP_LOG_FILE",
        Kind.PATH,
        "$MAILDROP_VAR/maildrop.log",
        "The log. It is safe to rotate it at any time, without a signal. A name that "
        "ends in .jsonl makes it JSON lines.",
    ),
    Option(
        "MAILDROP_QUEUE",
        Kind.QUEUE,
        "sqlite:///$MAILDROP_HOME/queue.db",
        "SQLAlchemy URL of the queue: sqlite:///FILE, or postgresql+psycopg://… "
        "when several machines share it.",
    ),
    Option(
        "SMTP_HOST",
        Kind.RELAYS,
        "localhost",
        "The relay. Several are tried in order (failover), each host or host:port.",
    ),
    Option(
        "SMTP_PORT",
        Kind.WHOLE,
        "25",
        "Port of the relays that name none.",
        minimum=1,
        maximum=65535,
    ),
    Option(
        "MAILDROP_TLS",
        Kind.WHOLE,
        "0",
        "0: never. 1: STARTTLS when offered. 2: STARTTLS required, certificate and "
        "name verified. 3: TLS from the first byte (port 465), verified.",
        maximum=3,
    ),
    Option(
        "MAILDROP_TLS_CA_FILE",
        Kind.FILE,
        "",
        "An extra bundle of certificate authorities (PEM).",
    ),
    Option(
        "MAILDROP_TLS_VERIFY",
        Kind.SWITCH,
        "1",
        "0: accept any certificate of the relay. 1: verify it with MAILDROP_TLS 2 and "
        "3, and with MAILDROP_TLS 1 before a login to another machine.",
    ),
    Option(
        "MAILDROP_HELO_NAME",
        Kind.HOST,
        "",
        "The machine's name in EHLO and in the From header of notifications. Empty: "
        "its own name; if that has no dot, EHLO gives its address.",
    ),
    Option("MAILDROP_LOGIN", Kind.TEXT, "", "User name for SMTP AUTH."),
    Option("MAILDROP_PASSWORD", Kind.SECRET, "", "Password for SMTP AUTH."),
    Option(
        "MAILDROP_PASSWORD_FILE",
        Kind.FILE,
        "",
        "Reads the password from a file (one line).",
    ),
    Option(
        "MAILDROP_ALLOW_CLEARTEXT_LOGIN",
        Kind.SWITCH,
        "0",
        "1: send credentials over an unencrypted link to a host that is not loopback.",
    ),
    Option(
        "MAILDROP_AUTH",
        Kind.CHOICE,
        "",
        "plain, login or xoauth2. Empty: plain or login, whichever the relay offers.",
        choices=("", "plain", "login", "xoauth2"),
    ),
    Option(
        "MAILDROP_OAUTH_TOKEN_URL",
        Kind.WEB,
        "",
        "Where access tokens for xoauth2 come from.",
    ),
    Option("MAILDROP_OAUTH_CLIENT_ID", Kind.TEXT, "", "Client id for xoauth2."),
    Option(
        "MAILDROP_OAUTH_CLIENT_SECRET_FILE",
        Kind.FILE,
        "",
        "File with the client secret for xoauth2, or a Google service account's key.",
    ),
    Option("MAILDROP_OAUTH_SCOPE", Kind.TEXT, "", "Scope asked for with xoauth2."),
    Option(
        "MAILDROP_OAUTH_REFRESH_TOKEN_FILE",
        Kind.FILE,
        "",
        "File with a refresh token, written anew when the provider replaces it. "
        "Without one, client credentials are used.",
    ),
    Option(
        "MAILDROP_INTERVAL",
        Kind.SECONDS,
        "10",
        "Longest time in seconds between two checks. A commit wakes the daemon.",
        above=0,
    ),
    Option(
        "MAILDROP_CONCURRENCY",
        Kind.WHOLE,
        "10",
        "SMTP connections at once.",
        minimum=1,
        maximum=1000,
    ),
    Option(
        "MAILDROP_BATCH",
        Kind.WHOLE,
        "0",
        "Messages per SMTP connection; 0: no limit.",
    ),
    Option(
        "MAILDROP_RATE",
        Kind.WHOLE,
        "0",
        "Most messages per minute over all connections; 0: no limit.",
    ),
    Option(
        "WAIT_INTERVAL",
        Kind.SECONDS,
        "0.0",
        "Pause in seconds between two mails.",
    ),
    Option(
        "MAILDROP_RETRY_MIN",
        Kind.SECONDS,
        "60",
        "Seconds until the first retry; the wait doubles with each one.",
        above=0,
        maximum=_YEAR_SECONDS,
    ),
    Option(
        "MAILDROP_RETRY_MAX",
        Kind.SECONDS,
        "4000",
        "Longest wait in seconds between two retries.",
        above=0,
        maximum=_YEAR_SECONDS,
    ),
    Option(
        "MAILDROP_LIFETIME",
        Kind.SECONDS,
        "432000",
        "Seconds until an undelivered message fails.",
    ),
    Option(
        "MAILDROP_WARN_AFTER",
        Kind.SECONDS,
        "14400",
        "Seconds until the sender is told once that mail is delayed; 0: never.",
    ),
    Option(
        "MAILDROP_BOUNCE",
        Kind.SWITCH,
        "1",
        "Send a delivery status notification to the envelope sender on failure.",
    ),
    Option(
        "MAILDROP_POSTMASTER",
        Kind.ADDRESS,
        "",
        "Told when a notification itself fails, or when a relay stays broken.",
    ),
    Option("ADD_MESSAGEID", Kind.SWITCH, "1", "Add a Message-Id where there is none."),
    Option(
        "MAILDROP_HISTORY_DAYS",
        Kind.WHOLE,
        "30",
        "Days that the record of sent mail is kept (never its body).",
    ),
    Option(
        "MAILDROP_FAILED_DAYS",
        Kind.WHOLE,
        "0",
        "Days that failed messages are kept; 0: until somebody deletes them.",
    ),
    Option(
        "MAILDROP_STOP_TIMEOUT",
        Kind.SECONDS,
        "30",
        "Seconds given to mails in flight when stopping.",
    ),
    Option(
        "MAILDROP_METRICS",
        Kind.LISTEN,
        "",
        "host:port for Prometheus metrics and /health. A port alone means loopback.",
    ),
    Option(
        "DEBUG",
        Kind.SWITCH,
        "0",
        "1: log what relay and daemon say to each other, without credentials and "
        "content, and log to the console too: with 'run' that is standard error, with "
        "'start' it is maildrop.out in MAILDROP_VAR.",
    ),
    Option(
        "DEBUG_RECEIVER",
        Kind.ADDRESSES,
        "",
        "When set, every envelope recipient is replaced by these addresses. "
        "Headers stay untouched.",
    ),
    Option(
        "SUPERVISED_DAEMON",
        Kind.SWITCH,
        "0",
        "Accepted because old files have it: the daemon never detaches by itself.",
    ),
)

BY_NAME: dict[str, Option] = {option.name: option for option in OPTIONS}
