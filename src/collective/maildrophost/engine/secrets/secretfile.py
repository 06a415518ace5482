"""Files that hold a secret."""

from __future__ import annotations

from ..systemwords import reason
from ..wording import Unfit, _
from .secret import Secret

MOST_OCTETS = 100_000
"""A private key has a few thousand; what has more is a log or a device."""


def read_line(path: str) -> Secret:
    """The one line of a file that holds nothing else; Unfit says what is wrong."""
    line = read_text(path)
    # SASL takes no NUL (RFC 4616 section 2).
    if any(each in line for each in "\r\n\0"):
        raise Unfit(_("expected exactly one line in ${path}", mapping={"path": path}))
    return Secret(line)


def read_text(path: str) -> str:
    """The text of a file without line ends around it; Unfit says what is wrong."""
    try:
        text = _octets(path).decode("utf-8-sig").strip("\r\n")
    except OSError as error:
        raise Unfit(
            _(
                "expected a readable file: ${path}: ${reason}",
                mapping={"path": path, "reason": reason(error)},
            )
        ) from None
    except UnicodeDecodeError:
        raise Unfit(
            _("expected UTF-8 text in ${path}", mapping={"path": path})
        ) from None
    if not text:
        raise Unfit(
            _(
                "expected exactly one line in ${path}, which is empty",
                mapping={"path": path},
            )
        )
    return text


def _octets(path: str) -> bytes:
    with open(path, "rb") as file:
        octets = file.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        # Half a secret is a wrong one.
        raise Unfit(
            _(
                "expected at most ${count} bytes in ${path}",
                mapping={"count": MOST_OCTETS, "path": path},
            )
        )
    return octets
