"""The message that everybody delivers."""

from __future__ import annotations

SENDER, RECIPIENT = "page@example.org", "reader@example.org"
LETTER_BYTES = 4400

_HEADERS = (
    f"From: {SENDER}\nTo: {RECIPIENT}\nSubject: a benchmark\n"
    "Date: Mon, 02 Feb 2026 10:00:00 +0000\n"
)
_LINE = "All work and no play makes mail a dull thing to read.\n"


def letter(number: int, size: int = LETTER_BYTES) -> str:
    """Message `number`, `size` characters long, complete with its Message-Id."""
    head = f"{_HEADERS}Message-Id: <{number:09}@bench.example.org>\n\n"
    body = _LINE * (size // len(_LINE) + 1)
    return f"{(head + body)[: size - 1]}\n"
