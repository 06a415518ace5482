"""RFC 3339 text for times that are kept as seconds since the epoch."""

from __future__ import annotations

import re
from datetime import datetime, timezone

LATEST_SECONDS = 253_402_300_799.0
"""The end of the year 9999, the last one that RFC 3339 has."""
_DAY_SECONDS = 86400
# The ranges of RFC 3339 section 5.6: fromisoformat takes 24:00:00 in some releases of
# Python, an offset of 99 minutes in others.
_HOUR_AND_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SHAPE = re.compile(
    r"([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))[Tt ]"
    rf"({_HOUR_AND_MINUTE}:(?:[0-5][0-9]|60))(\.[0-9]+)?"
    rf"([Zz]|[+-]{_HOUR_AND_MINUTE})\Z"
)


def rfc3339(epoch_seconds: float) -> str:
    """The time in UTC, to the millisecond: ``2026-11-23T09:30:00.123Z``."""
    moment = datetime.fromtimestamp(epoch_seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> float:
    """Seconds since the epoch; ValueError when `text` is no RFC 3339 date-time.

    The offset is required (RFC 3339 section 5.6): a time without one means another
    moment on every machine.
    """
    match = _SHAPE.match(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a date and time like 2026-11-23T09:30:00Z "
            "(the offset, Z or +01:00, is required)"
        )
    date, time, fraction, offset = match.groups()
    leap = time.endswith(":60")
    time = f"{time[:-2]}59" if leap else time
    offset = "+00:00" if offset in "Zz" else offset
    # datetime takes at most six digits of a fraction.
    micros = (fraction or ".0")[:7].ljust(7, "0")
    moment = datetime.fromisoformat(f"{date}T{time}{micros}{offset}").timestamp()
    if not leap:
        return moment
    # A clock that counts from the epoch has no leap second (RFC 3339 5.7, appendix D).
    if int(moment + 1) % _DAY_SECONDS:
        raise ValueError(
            f"{text!r}: only the last minute of a day, in UTC, has 61 seconds"
        )
    return moment + 1
