"""The table of the options that a daemon understands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How an option is checked, then written into the configuration."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105
    SWITCH = "switch"
    WHOLE = "whole"
    SECONDS = "seconds"
    PATH = "path"
    PATHS = "paths"
    RELAYS = "relays"
    QUEUE = "queue"
    CHOICE = "choice"
    USER = "user"


@dataclass(frozen=True)
class Option:
    """One option: ``name`` in the buildout, ``variable`` in the configuration.

    ``minimum`` and ``maximum`` include their limit, ``above`` excludes it.
    """

    variable: str
    kind: Kind
    minimum: float = 0
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.variable.removeprefix("MAILDROP_").lower().replace("_", "-")


OPTIONS: tuple[Option, ...] = (
    Option("PYTHON", Kind.TEXT),
    Option("MAILDROP_HOME", Kind.PATH),
    Option("MAILDROP_SPOOL", Kind.PATHS),
    Option("MAILDROP_VAR", Kind.PATH),
    Option("MAILDROP_PID_FILE", Kind.PATH),
    Option("MAILDROP_LOG_FILE", Kind.PATH),
    Option("MAILDROP_QUEUE", Kind.QUEUE),
    Option("SMTP_HOST", Kind.RELAYS),
    Option("SMTP_PORT", Kind.WHOLE, minimum=1, maximum=65535),
    Option("MAILDROP_TLS", Kind.WHOLE, maximum=3),
    Option("MAILDROP_TLS_CA_FILE", Kind.PATH),
    Option("MAILDROP_TLS_VERIFY", Kind.SWITCH),
    Option("MAILDROP_LOGIN", Kind.TEXT),
    Option("MAILDROP_PASSWORD", Kind.SECRET),
    Option("MAILDROP_PASSWORD_FILE", Kind.PATH),
    Option("MAILDROP_ALLOW_CLEARTEXT_LOGIN", Kind.SWITCH),
    Option("MAILDROP_AUTH", Kind.CHOICE, choices=("", "plain", "login", "xoauth2")),
    Option("MAILDROP_OAUTH_TOKEN_URL", Kind.TEXT),
    Option("MAILDROP_OAUTH_CLIENT_ID", Kind.TEXT),
    Option("MAILDROP_OAUTH_CLIENT_SECRET_FILE", Kind.PATH),
    Option("MAILDROP_OAUTH_SCOPE", Kind.TEXT),
    Option("MAILDROP_OAUTH_REFRESH_TOKEN_FILE", Kind.PATH),
    Option("MAILDROP_INTERVAL", Kind.SECONDS, above=0),
    Option("MAILDROP_CONCURRENCY", Kind.WHOLE, minimum=1, maximum=1000),
    Option("MAILDROP_BATCH", Kind.WHOLE),
    Option("MAILDROP_RATE", Kind.WHOLE),
    Option("WAIT_INTERVAL", Kind.SECONDS),
    Option("MAILDROP_RETRY_MIN", Kind.SECONDS, above=0, maximum=31536000),
    Option("MAILDROP_RETRY_MAX", Kind.SECONDS, above=0, maximum=31536000),
    Option("MAILDROP_LIFETIME", Kind.SECONDS),
    Option("MAILDROP_WARN_AFTER", Kind.SECONDS),
    Option("MAILDROP_BOUNCE", Kind.SWITCH),
    Option("MAILDROP_POSTMASTER", Kind.TEXT),
    Option("ADD_MESSAGEID", Kind.SWITCH),
    Option("MAILDROP_HISTORY_DAYS", Kind.WHOLE),
    Option("MAILDROP_FAILED_DAYS", Kind.WHOLE),
    Option("MAILDROP_STOP_TIMEOUT", Kind.SECONDS),
    Option("MAILDROP_METRICS", Kind.TEXT),
    Option("DEBUG", Kind.SWITCH),
    Option("DEBUG_RECEIVER", Kind.TEXT),
    Option("SUPERVISED_DAEMON", Kind.SWITCH),
)

OF_THE_SYSTEM: tuple[Option, ...] = (Option("USER", Kind.USER),)
"""Not for the configuration: how the system runs the daemon."""

BY_NAME: dict[str, Option] = {
    option.name: option for option in (*OPTIONS, *OF_THE_SYSTEM)
}
