"""Numbers, times, lengths of time and sizes as the site's readers write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from DateTime import DateTime
from plone.base.i18nl10n import ulocalized_time
from zope.component.hooks import getSite

from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.sizes import shortened
from collective.maildrophost.i18n import _, translated

DAY_SECONDS = 86400


def number(count: int, request: Any) -> str:
    """``1,234,567``; for a German reader ``1.234.567``."""
    separator = translated(_("thousands_separator", default=","), request)
    return f"{count:,}".replace(",", separator)


def moment(epoch_seconds: float, request: Any) -> dict[str, str]:
    """For a <time> element: what a person reads, and what a machine does."""
    date = _local(epoch_seconds)
    text = ulocalized_time(date, True, context=getSite(), request=request) or str(date)
    return {"text": text, "exact": rfc3339(epoch_seconds)}


def clock(epoch_seconds: float, request: Any, now: float) -> str:
    """The time of day; with its date when that is not today."""
    date = _local(epoch_seconds)
    if date.Date() == _local(now).Date():
        return date.strftime("%H:%M")
    return moment(epoch_seconds, request)["text"]


def _local(epoch_seconds: float) -> DateTime:
    """A DateTime whose date and time of day are those of clocks here."""
    # Made of seconds, it is an hour early in the hour before the clocks are set back.
    try:
        return DateTime(datetime.fromtimestamp(epoch_seconds))
    except (ValueError, OverflowError):  # the end of the year 9999, east of UTC
        return DateTime(epoch_seconds)


def times_of_day(epoch_seconds: Sequence[float]) -> list[str]:
    """``14:00`` for each moment of one day.

    When the clocks change, one time comes twice: those two have their offset from UTC
    as well.
    """
    local = [
        datetime.fromtimestamp(each, timezone.utc).astimezone()
        for each in epoch_seconds
    ]
    times = [each.strftime("%H:%M") for each in local]
    return [
        text if times.count(text) == 1 else f"{text} {each:%z}"
        for each, text in zip(local, times, strict=True)
    ]


def span(seconds: float) -> Any:
    """A length of time in its two largest units, for translation."""
    whole = max(0, round(seconds))
    days, rest = divmod(whole, DAY_SECONDS)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    units = {"days": days, "hours": hours, "minutes": minutes, "seconds": rest}
    mapping = {name: str(number) for name, number in units.items()}
    if days:
        return _("span_days", default="${days} d ${hours} h", mapping=mapping)
    if hours:
        return _("span_hours", default="${hours} h ${minutes} min", mapping=mapping)
    if minutes:
        return _("span_minutes", default="${minutes} min ${seconds} s", mapping=mapping)
    return _("span_seconds", default="${seconds} s", mapping=mapping)


def size(octets: int, request: Any) -> str:
    """``812 B``, ``4.4 kB``, ``12 MB``; for a German reader ``4,4 kB``."""
    digits, divisions = shortened(octets)
    point = translated(_("decimal_point", default="."), request)
    return f"{digits.replace('.', point)} {_UNITS[divisions]}"


_UNITS = ("B", "kB", "MB", "GB")
