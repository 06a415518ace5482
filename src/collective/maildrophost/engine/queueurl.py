"""The URL of the queue's database, whose password is never shown."""

from __future__ import annotations

import re
from urllib.parse import unquote

from .wording import Unfit, _

# Up to the last @: a password may hold any character, an unescaped one too.
_PASSWORD = re.compile(r"(://[^:/@]*:).*(@)")
_PARAMETER = re.compile(r"([?&])([^=&]*)=([^&]*)")
# What stands where must be clear: a part of a password that is taken for the host or
# the port gets into the words of an error.
_SERVER = re.compile(
    r"(?:[^:/?@]*(?::[^@]*)?@)?(?:\[[^]/?@]*\]|[^][:/?@]*)(?::[0-9]+)?"
    r"(?:/[^?@]*)?(?:\?[^@]*)?"
)
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
SCHEMES = ("sqlite:///", "postgresql+psycopg://")
EXPECTED = _("expected sqlite:////PATH or postgresql+psycopg://USER@HOST/DATABASE")


class QueueURL(str):
    """Works as the whole URL, prints as the URL with ``***`` for its password."""

    __slots__ = ()

    def redacted(self) -> str:
        """The URL as logs and people may see it."""
        plain = str.__str__(self)
        return _PARAMETER.sub(_shown, _PASSWORD.sub(r"\1***\2", plain))

    @property
    def holds_password(self) -> bool:
        """Whether somebody who reads it knows how to get in."""
        return self.redacted() != str.__str__(self)

    def __repr__(self) -> str:
        return repr(self.redacted())

    def __str__(self) -> str:
        return self.redacted()

    def __format__(self, specification: str) -> str:
        return format(self.redacted(), specification)


def _shown(parameter: re.Match[str]) -> str:
    separator, name, value = parameter.groups()
    # However it is written: pass%77ord is the same to whoever opens the database.
    secret = unquote(name).lower().endswith("password")
    return f"{separator}{name}={'***' if secret else value}"


def parse_queue_url(text: str) -> QueueURL:
    """A URL that the queue can open; Unfit, without the URL, when it cannot."""
    scheme = next((scheme for scheme in SCHEMES if text.startswith(scheme)), None)
    if scheme is None or not text.isprintable():
        raise Unfit(EXPECTED)
    if scheme == SCHEMES[0]:
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
    # Another file would be meant, with %XX only by some releases of SQLAlchemy.
    if "?" in path or _ENCODED.search(path):
        raise Unfit(
            _(
                "${expected}; the path has no ? and nothing like %41 in it",
                mapping={"expected": EXPECTED},
            )
        )
