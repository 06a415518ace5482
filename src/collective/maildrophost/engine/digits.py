"""Whole numbers in what people and programs type."""

from __future__ import annotations


def whole_number(text: str, most: int) -> int | None:
    """The number from 0 to `most` that ASCII digits mean; None for any other text.

    int() takes more than digits, and refuses with ValueError what str.isdigit() takes:
    "²", or more than 4300 digits.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(most)):
        return None
    number = int(digits)
    return number if number <= most else None
