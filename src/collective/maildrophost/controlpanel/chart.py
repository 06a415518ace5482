"""The last 24 hours as a chart and as figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pygal
from lxml import etree

from collective.maildrophost.engine.queue.hours import (
    HOURS_SHOWN,
    SECONDS_PER_HOUR,
    HourRecord,
)

WIDTH, HEIGHT = 960, 280


@dataclass(frozen=True)
class Words:
    """What is written on the chart, in the reader's language."""

    title: str
    description: str
    sent: str
    deferred: str
    failed: str
    number: Callable[[int], str]
    """How a number is written."""


def every_hour(hours: Iterable[HourRecord], now: float) -> tuple[HourRecord, ...]:
    """The last 24 hours, the current one last; those without a verdict are zeros."""
    known = {hour.hour: hour for hour in hours}
    last = int(now) // SECONDS_PER_HOUR
    numbers = range(last - HOURS_SHOWN + 1, last + 1)
    starts = [number * SECONDS_PER_HOUR for number in numbers]
    return tuple(
        known.get(start, HourRecord(start, sent=0, deferred=0, failed=0))
        for start in starts
    )


def svg(hours: Sequence[HourRecord], labels: Sequence[str], words: Words) -> str:
    """The chart as an SVG element; `labels` name the hours.

    It has no script and no style of its own, which a strict Content-Security-Policy
    would refuse: its colours are in our style sheet.
    """
    chart = pygal.StackedBar(
        width=WIDTH,
        height=HEIGHT,
        disable_xml_declaration=True,
        no_prefix=True,
        js=[],
        css=[],
        show_legend=False,
        margin=8,
        spacing=12,
        x_labels_major_every=4,
        show_minor_x_labels=False,
        y_labels_major_count=4,
        max_scale=5,
        range=(0, _highest(hours)),
        value_formatter=lambda value: words.number(round(value)),
        truncate_label=-1,
    )
    chart.x_labels = list(labels)
    chart.add(words.sent, [hour.sent for hour in hours])
    chart.add(words.deferred, [hour.deferred for hour in hours])
    chart.add(words.failed, [hour.failed for hour in hours])
    chart.add_xml_filter(lambda root: _make_accessible(root, words, hours, labels))
    return str(chart.render(is_unicode=True))


def _highest(hours: Sequence[HourRecord]) -> int:
    # On a quiet day, too, the scale is to have whole mails only.
    return max(4, *(hour.sent + hour.deferred + hour.failed for hour in hours))


def _make_accessible(
    root: Any, words: Words, hours: Sequence[HourRecord], labels: Sequence[str]
) -> Any:
    for name in ("defs", "title", "desc"):
        _remove(root.xpath(f"//*[local-name() = '{name}']"))
    # Boxes that pygal's own script would fill.
    for overlay in ("text-overlay", "tooltip-overlay"):
        _remove(root.xpath(f"//*[contains(@class, '{overlay}')]"))
    _remove(root.xpath("//comment()"))
    root.attrib.pop("id", None)  # pygal leaves it empty
    root.set("role", "img")
    root.set("aria-labelledby", "maildrop-chart-title maildrop-chart-description")
    title = etree.Element("title", id="maildrop-chart-title")
    title.text = words.title
    description = etree.Element("desc", id="maildrop-chart-description")
    description.text = words.description
    root.insert(0, title)
    root.insert(1, description)
    _name_bars(root, words, hours, labels)
    return root


def _remove(elements: Iterable[Any]) -> None:
    for element in elements:
        element.getparent().remove(element)


def _name_bars(
    root: Any, words: Words, hours: Sequence[HourRecord], labels: Sequence[str]
) -> None:
    """Give every bar the hint that a pointer over it shows."""
    for number, name in enumerate(("sent", "deferred", "failed")):
        bars = root.xpath(
            f"//*[contains(@class, 'series') and contains(@class, 'serie-{number}')]"
            "//*[local-name() = 'rect']"
        )
        for bar, hour, label in zip(bars, hours, labels, strict=False):
            hint = etree.SubElement(bar, "title")
            count = words.number(getattr(hour, name))
            hint.text = f"{label}: {count} {getattr(words, name)}"
