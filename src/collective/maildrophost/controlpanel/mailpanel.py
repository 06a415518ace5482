"""Plone's own Mail control panel, for a site whose mail goes through the queue."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from plone import api
from plone.protect import CheckAuthenticator, PostOnly
from Products.CMFPlone.controlpanel.browser.mail import (
    MailControlPanel,
    MailControlPanelForm,
)
from Products.MailHost.MailHost import MailHostError
from z3c.form import button
from z3c.form.interfaces import DISPLAY_MODE

from collective.maildrophost.controlpanel.configurationtext import MASK
from collective.maildrophost.controlpanel.mailhost import SiteMailHost
from collective.maildrophost.controlpanel.testmail import (
    send_test_mail,
    site_address,
)
from collective.maildrophost.controlpanel.testmailtext import refusal
from collective.maildrophost.engine.config import Configuration
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.i18n import _, message, translated
from collective.maildrophost.permissions import MANAGE_MAIL_QUEUE

PANEL = "maildrophost-controlpanel"
SET_ELSEWHERE = {
    "smtp_host": "SMTP_HOST",
    "smtp_port": "SMTP_PORT",
    "smtp_userid": "MAILDROP_LOGIN",
    "smtp_pass": "MAILDROP_PASSWORD",
}
"""Settings of Plone that a Maildrop Host ignores, and its own options for them."""


class MaildropMailForm(MailControlPanelForm):
    """The form, with the relay's settings for reading only."""

    buttons = MailControlPanelForm.buttons.copy()
    handlers = MailControlPanelForm.handlers.copy()

    @property
    def description(self) -> Any:
        """Where the settings of the relay are, on a site whose MailHost is ours."""
        if not self._in_use():
            return None
        return _(
            "mail_settings_elsewhere",
            default="Mail goes through the queue of the "
            '<a href="${url}">Maildrop Host</a>: server, port and login are set in '
            "its configuration, not here.",
            mapping={"url": f"{self.context.absolute_url()}/@@{PANEL}"},
        )

    def _in_use(self) -> bool:
        return SiteMailHost.of(self.context).in_use

    def updateFields(self) -> None:
        super().updateFields()
        if self._in_use():
            for name in SET_ELSEWHERE:
                self.fields[name].mode = DISPLAY_MODE

    def updateWidgets(self, prefix: Any = None) -> None:
        super().updateWidgets(prefix)
        if self._in_use():
            self._show_what_applies()

    def _show_what_applies(self) -> None:
        ours = SiteMailHost.of(self.context)
        path = ours.host.getConfigPath()
        try:
            values = _values(ours.configuration())
        except MaildropError as error:
            values = dict.fromkeys(SET_ELSEWHERE, message(error.wording))
        for name, option in SET_ELSEWHERE.items():
            elsewhere = _(
                "mail_setting_elsewhere",
                default="${value} (set as ${option} in ${path})",
                mapping={"value": values[name] or "-", "option": option, "path": path},
            )
            # Never the registry's value: nothing uses it, and one is a password.
            self.widgets[name].value = translated(elsewhere, self.request)
            self.widgets[name].required = False

    @button.handler(buttons["test"])
    def handle_test(self, action: Any) -> None:
        """Save, queue a test mail, lead to where it is followed."""
        PostOnly(self.request)
        CheckAuthenticator(self.request)
        if not self._in_use():
            MailControlPanelForm.handle_test_action(self, action)
        elif self.save():
            self._send_test_mail()

    def _send_test_mail(self) -> None:
        try:
            message_id = send_test_mail(self.context, self.request, site_address())
        except MailHostError as error:
            api.portal.show_message(refusal(error), self.request, "error")
            return
        if api.user.has_permission(MANAGE_MAIL_QUEUE, obj=self.context):
            query = urlencode({"message": message_id})
            url = f"{self.context.absolute_url()}/@@{PANEL}-test?{query}"
            self.request.response.redirect(url)
        else:
            said = _("The test mail is in the queue.")
            api.portal.show_message(said, self.request)


def _values(configuration: Configuration) -> dict[str, str]:
    relays = configuration.relays
    return {
        "smtp_host": ", ".join(relay.host for relay in relays),
        "smtp_port": ", ".join(str(relay.port) for relay in relays),
        "smtp_userid": configuration.login,
        "smtp_pass": MASK if configuration.password else "",
    }


class MaildropMailControlPanel(MailControlPanel):
    """The page with that form."""

    form = MaildropMailForm
