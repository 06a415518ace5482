"""Files that hold a secret."""

from __future__ import annotations

from .secret import Secret

MOST_OCTETS = 100_000
"""Of a private key a few thousand; a log or a device has no secret in it."""


def read_line(path: str) -> Secret:
    """The one line of a file that holds nothing else; ValueError says what is wrong."""
    line = read_text(path)
    # SASL takes no NUL (RFC 4616 section 2).
    if any(each in line for each in "\r\n\0"):
        raise ValueError(f"expected exactly one line in {path}")
    return Secret(line)


def read_text(path: str) -> str:
    """The text of a file without line ends around it; ValueError says what is wrong."""
    try:
        text = _octets(path).decode("utf-8-sig").strip("\r\n")
    except OSError as error:
        reason = f"expected a readable file: {path}: {error.strerror}"
        raise ValueError(reason) from None
    except UnicodeDecodeError:
        raise ValueError(f"expected UTF-8 text in {path}") from None
    if not text:
        raise ValueError(f"expected exactly one line in {path}, which is empty")
    return text


def _octets(path: str) -> bytes:
    with open(path, "rb") as file:
        octets = file.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        # Half a secret is a wrong one.
        raise ValueError(f"expected at most {MOST_OCTETS} bytes in {path}")
    return octets
