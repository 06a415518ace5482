"""Batches in doubt, held lanes, the MailHost that was replaced: one decision each."""

from __future__ import annotations

from typing import Any

from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile

from collective.maildrophost.controlpanel.faulttext import in_one_go
from collective.maildrophost.controlpanel.leftalonetext import reason
from collective.maildrophost.controlpanel.page import Action
from collective.maildrophost.controlpanel.words import LANES
from collective.maildrophost.engine.actions import (
    LANE_ACTIONS,
    act_on_lane,
    discard_batch,
    release_batch,
)
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.engine.message import LANES_BY_LABEL, Lane
from collective.maildrophost.engine.queue import Undecidable
from collective.maildrophost.i18n import _
from collective.maildrophost.installation.swap import put_maildrop_host_back


class DecideOnBatch(Action):
    """Release or discard the mail of a transaction whose end nobody knows."""

    confirmation = ViewPageTemplateFile("templates/confirm_batch.pt")

    def act(self) -> Any:
        """Do it; ask first before anything is lost."""
        decision = self.sent("decision")
        if decision == "discard" and "confirmed" not in self.request.form:
            return self.confirmation()
        decisions = {
            "release": (
                release_batch,
                _("batch_released", default="Released: ${count}"),
            ),
            "discard": (
                discard_batch,
                _("batch_discarded", default="Discarded: ${count}"),
            ),
        }
        if decision in decisions:
            self._do(*decisions[decision])
        else:
            self.say(_("There is no such action."), "error")
        return self.go(self.url(self.tab))

    @property
    def batch(self) -> str:
        """The name of the batch."""
        return self.sent("batch")

    def _do(self, decide: Any, said: Any) -> None:
        try:
            count = decide(self.site_mail_host.queue(), self.batch)
        except Undecidable as error:
            undecidable = _(
                "batch_undecidable",
                default="Nothing was done: this mail ${reason}.",
                mapping={"reason": reason(error.why, self.request)},
            )
            self.say(undecidable, "error")
            return
        except MaildropError as error:
            self.say(in_one_go(error), "error")
            return
        if count:
            mapping = {"count": self.number(count)}
            self.say(_(said, default=said.default, mapping=mapping))
        else:
            gone = _(
                "batch_gone",
                default="Nothing was done: somebody else has decided about this mail, "
                "or its transaction has ended.",
            )
            self.say(gone, "warning")


class HoldLane(Action):
    """Stop a whole lane, new mail included, or let it go on."""

    def act(self) -> Any:
        """Do it."""
        lane = LANES_BY_LABEL.get(self.sent("lane"))
        action = self.sent("decision")
        if lane is None:
            self.say(_("There is no such lane."), "error")
        elif action not in LANE_ACTIONS:
            self.say(_("There is no such action."), "error")
        else:
            self._do(lane, action)
        return self.go(self.url(self.tab))

    def _do(self, lane: Lane, action: str) -> None:
        mapping = {"lane": self.translated(LANES[lane])}
        said = {
            "hold": _("lane_held", default="Lane held: ${lane}", mapping=mapping),
            "release": _(
                "lane_released", default="Lane released: ${lane}", mapping=mapping
            ),
        }[action]
        try:
            act_on_lane(self.site_mail_host.queue(), action, lane)
        except MaildropError as error:
            self.say(in_one_go(error), "error")
        else:
            self.say(said)


class RepairMailHost(Action):
    """Make the Maildrop Host the site's MailHost again."""

    def act(self) -> Any:
        """Do it."""
        put_maildrop_host_back(self.context)
        self.say(_("The site sends its mail through the Maildrop Host again."))
        return self.go(self.url(self.tab))
