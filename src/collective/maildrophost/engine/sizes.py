"""A size in octets as a few digits for a person."""

from __future__ import annotations

_MOST_DIVISIONS = 3
"""Up to giga."""


def shortened(octets: int) -> tuple[str, int]:
    """The digits of a size, and how often it was divided by 1000 for them.

    ``("4.4", 1)`` for 4,400 octets. The digits are three at most, below 1,000 giga.
    """
    amount, divisions = float(octets), 0
    while round(amount) >= 1000 and divisions < _MOST_DIVISIONS:
        amount, divisions = amount / 1000, divisions + 1
    # By what is shown: 9.96 is 10, not 10.0.
    decimals = 1 if divisions and round(amount, 1) < 10 else 0
    return f"{amount:.{decimals}f}", divisions
