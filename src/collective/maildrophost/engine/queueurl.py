"""The URL of the queue's database, whose secrets are never shown."""

from __future__ import annotations

import re
from urllib.parse import unquote

from .wording import Unfit, _

# Up to the last @: a password may hold any character, even an unescaped @.
_PASSWORD = re.compile(r"(://[^:/@]*:).*(@)")
_PARAMETER = re.compile(r"([?&])([^?&=]*)(=?)([^?&]*)")
# Any other parameter may be a secret, or the rest of one after an unescaped & or ?.
_NO_SECRET = frozenset(
    {
        *("application_name", "client_encoding", "connect_timeout", "dbname", "host"),
        *("hostaddr", "keepalives", "keepalives_count", "keepalives_idle"),
        *("keepalives_interval", "load_balance_hosts", "passfile", "port", "service"),
        *("sslcert", "sslkey", "sslmode", "sslnegotiation", "sslrootcert"),
        *("target_session_attrs", "tcp_user_timeout", "user"),
        *("channel_binding", "gssencmode", "requirepeer"),
    }
)
# It must be clear what each part is: a piece of a password that is taken for the host
# or the port would get into the words of an error.
_SERVER = re.compile(
    r"(?:[^:/?@]*(?::[^@]*)?@)?(?:\[[^]/?@]*\]|[^][:/?@]*)(?::[0-9]+)?"
    r"(?:/[^?@]*)?(?:\?[^@]*)?"
)
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
SQLITE = "sqlite:///"
SCHEMES = (SQLITE, "postgresql+psycopg://")
EXPECTED = _("expected sqlite:////PATH or postgresql+psycopg://USER@HOST/DATABASE")


class QueueURL(str):
    """Works as the whole URL, prints with ``***`` for what may be a secret."""

    __slots__ = ()

    def redacted(self) -> str:
        """The URL as logs and people may see it."""
        plain = str.__str__(self)
        server, mark, query = _PASSWORD.sub(r"\1***\2", plain).partition("?")
        return server + _PARAMETER.sub(_shown, mark + query)

    @property
    def holds_password(self) -> bool:
        """Whether it may hold a password, so that a part of it is never shown."""
        return self.redacted() != str.__str__(self)

    def __repr__(self) -> str:
        return repr(self.redacted())

    def __str__(self) -> str:
        return self.redacted()

    def __format__(self, specification: str) -> str:
        return format(self.redacted(), specification)


def _shown(parameter: re.Match[str]) -> str:
    separator, name, equals, value = parameter.groups()
    if name and not equals:
        return f"{separator}***"
    # However it is written: who opens the database reads pass%77ord as password.
    secret = value and unquote(name).lower() not in _NO_SECRET
    return f"{separator}{name}{equals}{'***' if secret else value}"


def parse_queue_url(text: str) -> QueueURL:
    """A URL that the queue can open; Unfit, without the URL, when it cannot."""
    scheme = next((scheme for scheme in SCHEMES if text.startswith(scheme)), None)
    if scheme is None or not text.isprintable():
        raise Unfit(EXPECTED)
    if scheme == SQLITE:
        _check_sqlite_path(text.removeprefix(scheme))
    else:
        _check_server(text.removeprefix(scheme))
    return QueueURL(text)


def _check_server(rest: str) -> None:
    if not rest:
        raise Unfit(EXPECTED)
    if not _SERVER.fullmatch(rest):
        raise Unfit(
            _(
                "${expected}; a port is a number, and an @ in a name or a password is "
                "written as %40",
                mapping={"expected": EXPECTED},
            )
        )


def _check_sqlite_path(path: str) -> None:
    # A relative path would be another queue in every working directory; the fourth
    # slash of the URL is the first one of the path.
    if not path.startswith("/") or path.endswith("/"):
        raise Unfit(
            _(
                "${expected}; the path starts with / and names a file",
                mapping={"expected": EXPECTED},
            )
        )
    # A ? or %XX would name another file; %XX only in some releases of SQLAlchemy.
    if "?" in path or _ENCODED.search(path):
        raise Unfit(
            _(
                "${expected}; the path has no ? and nothing like %41 in it",
                mapping={"expected": EXPECTED},
            )
        )
