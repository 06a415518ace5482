"""The control panel's first page: health, figures, the last day, mail in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel import chart
from collective.maildrophost.controlpanel.moments import moment, times_of_day
from collective.maildrophost.controlpanel.page import Page
from collective.maildrophost.controlpanel.query import Query
from collective.maildrophost.controlpanel.words import (
    BADGES,
    LANES,
    QUIET,
    STATES,
    STATES_EXPLAINED,
)
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.queue import (
    PreparedBatch,
    Search,
    State,
    aside_length,
    prepared_batches,
)
from collective.maildrophost.engine.queue.batches import IN_DOUBT_SECONDS
from collective.maildrophost.i18n import _
from collective.maildrophost.installation.leftmail import LeftMail, left_by
from collective.maildrophost.installation.swap import swap_of

VERDICTS = ("sent", "deferred", "failed")


class Overview(Page):
    """Whether mail is moving, and what became of it today."""

    index = ViewPageTemplateFile("templates/overview.pt")
    figures_fragment = ViewPageTemplateFile("templates/figures.pt")

    def states(self) -> list[dict[str, Any]]:
        """How many messages there are in each state, with where they are listed."""
        counts = self.stats.states if self.stats else {}
        return [
            {
                "word": STATES[state],
                "explained": STATES_EXPLAINED[state],
                "badge": BADGES[state.value] if counts.get(state) else QUIET,
                "count": self.number(counts.get(state, 0)),
                "url": self.list_of(Query(Search(states=(state,)))),
            }
            for state in State
        ]

    def lanes(self) -> list[dict[str, Any]]:
        """How many messages are not sent yet in each lane, and whether it is held."""
        if self.stats is None:
            return []
        return [
            {
                "code": lane.label,
                "word": LANES[lane],
                "count": self.number(count),
                "held": lane in self.stats.held_lanes,
                "url": self.list_of(Query(Search(lane=lane))),
            }
            for lane, count in self.stats.lanes.items()
        ]

    def daemons(self) -> list[dict[str, Any]]:
        """The daemons that work on the queue."""
        return [
            {
                "host": each.host,
                "pid": each.pid,
                "relay": each.relay,
                "started": moment(each.started, self.request),
            }
            for each in (self.stats.daemons if self.stats else ())
        ]

    def hours(self) -> list[dict[str, Any]]:
        """The figures of the chart, the newest first."""
        hours = self._hours()
        return [
            {
                **{name: self.number(getattr(hour, name)) for name in VERDICTS},
                "label": label,
            }
            for hour, label in zip(hours, _labels(hours), strict=True)
        ][::-1]

    def chart(self) -> str:
        """The last 24 hours as SVG."""
        hours = self._hours()
        totals = {
            name: self.number(sum(getattr(hour, name) for hour in hours))
            for name in VERDICTS
        }
        words = chart.Words(
            title=self.translated(
                _("chart_title", default="Verdicts of the last 24 hours, by the hour")
            ),
            description=self.translated(
                _(
                    "chart_description",
                    default="A bar for each hour. In all: ${sent} sent, ${deferred} "
                    "deferred, ${failed} failed. The table below has every figure.",
                    mapping=totals,
                )
            ),
            sent=self.translated(_("chart_sent", default="sent")),
            deferred=self.translated(_("chart_deferred", default="deferred")),
            failed=self.translated(_("chart_failed", default="failed")),
            number=self.number,
        )
        return chart.svg(hours, _labels(hours), words)

    def _hours(self) -> tuple[chart.HourRecord, ...]:
        return chart.every_hour(self.stats.hours if self.stats else (), self.now)

    def left_mail(self) -> LeftMail | None:
        """What waits in the queue of the MailHost that the Maildrop Host replaced."""
        swap = swap_of(self.context)
        return left_by(swap.original) if swap else None

    def batches(self) -> list[dict[str, Any]]:
        """Mail whose transaction has not ended; `in_doubt`: it was cut off."""
        return [
            {
                **each.__dict__,
                "mails": self._mails(each.mails),
                "created": moment(each.created, self.request),
                "in_doubt": not each.running
                and self.now - each.created > IN_DOUBT_SECONDS,
            }
            for each in self._prepared[0]
        ]

    def _mails(self, count: int) -> Any:
        if count == 1:
            return _("batch_one_mail", default="1 mail")
        mapping = {"count": self.number(count)}
        return _("batch_mails", default="${count} mails", mapping=mapping)

    def moving_elsewhere(self) -> int:
        """How many messages are not sent from here, as they are being moved."""
        return self._prepared[1]

    @cached_property
    def _prepared(self) -> tuple[list[PreparedBatch], int]:
        if self.stats is None:
            return [], 0  # Asking once more may mean waiting as long again.
        try:
            with self.site_mail_host.queue().read() as tx:
                return prepared_batches(tx), aside_length(tx)
        except MaildropError:
            return [], 0


class FiguresOnly(Overview):
    """The figures alone, which a script of the page asks for again and again."""

    index = ViewPageTemplateFile("templates/figures.pt")


def _labels(hours: Sequence[chart.HourRecord]) -> list[str]:
    return times_of_day([hour.hour for hour in hours])
