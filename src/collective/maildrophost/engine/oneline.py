"""What strangers and libraries say, made fit for a line of text."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with "?" for each character that is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "?" for char in text)


def on_one_line(text: str) -> str:
    """The same, with one blank for each run of blanks and line breaks."""
    return printable(" ".join(text.split()))
