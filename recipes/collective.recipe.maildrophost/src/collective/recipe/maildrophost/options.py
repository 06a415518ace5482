"""The table of the options that a daemon understands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What has to be done to a value before the daemon understands it."""

    TEXT = "nothing"
    SECRET = "nothing, and nobody else may see it"  # noqa: S105
    SWITCH = "yes or no to a number"
    PATH = "a relative path to an absolute one"
    PATHS = "the same for each of several paths, joined to one line"
    RELAYS = "several relays joined to one line"
    QUEUE = "nothing, but it may hold a password"
    USER = "looked up among the users of the machine"


@dataclass(frozen=True)
class Option:
    """One option: ``name`` in the buildout, ``variable`` in the configuration."""

    variable: str
    kind: Kind

    @property
    def name(self) -> str:
        """In lower case with hyphens, without the prefix of most variables."""
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
    Option("SMTP_PORT", Kind.TEXT),
    Option("MAILDROP_TLS", Kind.TEXT),
    Option("MAILDROP_TLS_CA_FILE", Kind.PATH),
    Option("MAILDROP_TLS_VERIFY", Kind.SWITCH),
    Option("MAILDROP_HELO_NAME", Kind.TEXT),
    Option("MAILDROP_LOGIN", Kind.TEXT),
    Option("MAILDROP_PASSWORD", Kind.SECRET),
    Option("MAILDROP_PASSWORD_FILE", Kind.PATH),
    Option("MAILDROP_ALLOW_CLEARTEXT_LOGIN", Kind.SWITCH),
    Option("MAILDROP_AUTH", Kind.TEXT),
    Option("MAILDROP_OAUTH_TOKEN_URL", Kind.TEXT),
    Option("MAILDROP_OAUTH_CLIENT_ID", Kind.TEXT),
    Option("MAILDROP_OAUTH_CLIENT_SECRET_FILE", Kind.PATH),
    Option("MAILDROP_OAUTH_SCOPE", Kind.TEXT),
    Option("MAILDROP_OAUTH_REFRESH_TOKEN_FILE", Kind.PATH),
    Option("MAILDROP_INTERVAL", Kind.TEXT),
    Option("MAILDROP_CONCURRENCY", Kind.TEXT),
    Option("MAILDROP_BATCH", Kind.TEXT),
    Option("MAILDROP_RATE", Kind.TEXT),
    Option("WAIT_INTERVAL", Kind.TEXT),
    Option("MAILDROP_RETRY_MIN", Kind.TEXT),
    Option("MAILDROP_RETRY_MAX", Kind.TEXT),
    Option("MAILDROP_LIFETIME", Kind.TEXT),
    Option("MAILDROP_WARN_AFTER", Kind.TEXT),
    Option("MAILDROP_BOUNCE", Kind.SWITCH),
    Option("MAILDROP_POSTMASTER", Kind.TEXT),
    Option("ADD_MESSAGEID", Kind.SWITCH),
    Option("MAILDROP_HISTORY_DAYS", Kind.TEXT),
    Option("MAILDROP_FAILED_DAYS", Kind.TEXT),
    Option("MAILDROP_STOP_TIMEOUT", Kind.TEXT),
    Option("MAILDROP_METRICS", Kind.TEXT),
    Option("DEBUG", Kind.SWITCH),
    Option("DEBUG_RECEIVER", Kind.TEXT),
    Option("SUPERVISED_DAEMON", Kind.SWITCH),
)

OF_THE_SYSTEM: tuple[Option, ...] = (Option("USER", Kind.USER),)
"""Not in the configuration: how the system runs the daemon."""

BY_NAME: dict[str, Option] = {
    option.name: option for option in (*OPTIONS, *OF_THE_SYSTEM)
}
